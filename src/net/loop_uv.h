/* Inside net/: gives net's files the loop's libuv handle. Only net/ includes this. */
#pragma once
#include <uv.h>

#include "net/loop.h"

uv_loop_t *loop_uv(struct loop *l);
/* One buffer for reads, shared by all streams of the loop; valid until the callback returns. */
enum { LOOP_READ_MAX = 64 * 1024 };
char *loop_read_buffer(struct loop *l);
