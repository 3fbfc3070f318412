/* Where we may connect: public addresses, what the operator allows, and never our own listeners.
 * The one gate for every connection that leaves because of something a user or receiver wrote.
 * Judged on the resolved socket address, at connect. Immutable after start; any thread. */
#pragma once
#include "net/addr.h"

struct guard;

/* `allow`: comma-separated CIDRs ("" for none). ERR_SYNTAX when one cannot be read. */
MUST_USE enum err guard_new(const char *allow, struct guard **ret);
void guard_free(struct guard *g);
/* Our own listening sockets: refused whatever is allowed. At most 64; one thread at a time. */
MUST_USE enum err guard_refuse(struct guard *g, const struct addr *own);
/* OK or ERR_BLOCKED; *ret_why (may be NULL) names the rule, for the delivery log. */
MUST_USE enum err guard_judge(const struct guard *g, const struct addr *to, const char **ret_why);
