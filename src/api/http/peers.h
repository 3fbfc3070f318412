/* Who is at the other end: which peers are proxies whose word about the client counts, and how many
 * connections each address has. Any thread. */
#pragma once
#include "net/proxies.h"

struct peers;
struct peer; /* an address that is here at least once */

/* `trusted`: CIDRs; `header`: "X-Forwarded-For" or "Forwarded"; `per_address`: 0 for no limit.
 * ERR_INVALID with *ret_why: which setting, and what is allowed. */
MUST_USE enum err peers_new(const char *trusted, const char *header, unsigned per_address,
                            struct peers **ret, char *ret_why, size_t why_cap);
void peers_free(struct peers *p); /* NULL-safe; nobody enters or leaves any more */
const struct proxies *peers_proxies(const struct peers *p);
enum forwarded peers_header(const struct peers *p, const char **ret_name);
/* Has the address as many as it may? */
bool peers_full(struct peers *p, const struct addr *a);
/* Counts one. NULL: not counted (no limit, no memory). */
struct peer *peers_enter(struct peers *p, const struct addr *a);
void peers_leave(struct peers *p, struct peer *peer); /* NULL-safe */
