/* Says where we may connect: to public addresses, to what the operator allows, and never to our own
 * listeners. Every connection passes it that leaves because of something a user, a receiver or a
 * called agent wrote. It judges the resolved socket address, at connect. Any thread. */
#pragma once
#include "net/addr.h"

struct guard;

/* `allow`: comma-separated CIDRs ("" for none). ERR_SYNTAX when one cannot be read. */
MUST_USE enum err guard_new(const char *allow, struct guard **ret);
void guard_free(struct guard *g);
/* Replaces the list of CIDRs; ERR_SYNTAX, ERR_TOO_BIG: the old one stays. One thread at a time. */
MUST_USE enum err guard_allow(struct guard *g, const char *allow);
/* Adds one of our own listening sockets, which is refused whatever is allowed. At most 64; one
 * thread at a time. */
MUST_USE enum err guard_refuse(struct guard *g, const struct addr *own);
/* OK or ERR_BLOCKED; *ret_why (may be NULL) names the rule, for the delivery log. */
/* True when a packet to `to` would reach a socket bound to `own`: by any spelling of its address,
 * and for a wildcard by any address of this machine. */
bool guard_leads_to(const struct addr *to, const struct addr *own);
MUST_USE enum err guard_judge(const struct guard *g, const struct addr *to, const char **ret_why);
