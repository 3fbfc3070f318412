/* How often a bind may fail: so many times a minute by address and system_id, so many by address
 * alone. Bounded; whom it forgets when it is full is who failed longest ago. One thread. */
#pragma once
#include "net/addr.h"

struct bind_limit;

enum { BIND_FAILURES_MAX = 5, BIND_FAILURES_OF_ADDRESS_MAX = 20, BIND_LIMIT_MS = 60 * 1000 };

MUST_USE enum err bind_limit_new(struct bind_limit **ret);
void bind_limit_free(struct bind_limit *l); /* NULL-safe */
/* True: nobody should look at what he says now. */
bool bind_limit_is_over(const struct bind_limit *l, const struct addr *from, struct str system_id,
                        int64_t now_ms);
void bind_limit_failed(struct bind_limit *l, const struct addr *from, struct str system_id,
                       int64_t now_ms);
