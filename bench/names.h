/* A name server for the benchmarks, which can delay the answer to one name. */
#pragma once
#include <stdint.h>

struct names;
/* Listens at ip:53 (root may). "slow…": the address 127.0.0.3 after `slow_us`, good for a second;
 * "never…": no answer; any other: no such name. NULL: the port is not to be had. */
struct names *names_start(const char *ip, int64_t slow_us);
void names_stop(struct names *n); /* NULL-safe */
