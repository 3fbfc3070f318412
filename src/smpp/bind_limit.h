/* Limits how often binds may fail in a minute, by address and system_id, and by address alone.
 * Bounded; when it is full it forgets the peer whose failures are oldest. One thread. */
#pragma once
#include "net/addr.h"

struct bind_limit;

enum { BIND_FAILURES_MAX = 5, BIND_FAILURES_OF_ADDRESS_MAX = 20, BIND_LIMIT_MS = 60 * 1000 };

MUST_USE enum err bind_limit_new(struct bind_limit **ret);
void bind_limit_free(struct bind_limit *l); /* NULL-safe */
/* True when the peer failed too often; its bind is then not judged at all. */
bool bind_limit_is_over(const struct bind_limit *l, const struct addr *from, struct str system_id,
                        int64_t now_ms);
void bind_limit_failed(struct bind_limit *l, const struct addr *from, struct str system_id,
                       int64_t now_ms);
