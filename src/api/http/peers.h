/* Knows which peers are trusted proxies, whose header tells the client's address, and how many
 * connections each address has. Any thread. */
#pragma once
#include "net/proxies.h"

struct peers;
struct peer; /* an address with at least one connection */

/* `trusted`: CIDRs; `header`: "X-Forwarded-For" or "Forwarded"; `per_address`: 0 for no limit.
 * ERR_INVALID: *ret_why has the setting and what it may be. */
MUST_USE enum err peers_new(const char *trusted, const char *header, unsigned per_address,
                            struct peers **ret, char *ret_why, size_t why_cap);
void peers_free(struct peers *p); /* after all enters and leaves; NULL-safe */
const struct proxies *peers_proxies(const struct peers *p);
enum forwarded peers_header(const struct peers *p, const char **ret_name);
/* Has the address as many as it may? */
bool peers_full(struct peers *p, const struct addr *a);
/* Counts a connection. NULL: it is not counted (no limit, no memory). */
struct peer *peers_enter(struct peers *p, const struct addr *a);
void peers_leave(struct peers *p, struct peer *peer); /* NULL-safe */
