/* The head of a webhook (CONTRACT: the headers of every POST, Standard Webhooks 1.0). */
#pragma once
#include "model/event.h"
#include "model/settings.h"

/* The lines of a signed request, without Host and Content-Length. Of `ep` the secrets, the format
 * and the headers are looked at. */
void request_put_headers(struct buf *b, const struct endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body);
