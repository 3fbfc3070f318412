/* Knows which peers are trusted proxies, whose header tells the client's address, and how many
 * connections each address has. Any thread. */
#pragma once
#include "net/proxies.h"

struct peers;
struct peer; /* an address with at least one connection */

struct peers_settings {
    const char *trusted;  /* CIDRs */
    const char *header;   /* "X-Forwarded-For" or "Forwarded" */
    unsigned per_address; /* 0: no limit */
};
struct trust { /* immutable */
    struct proxies proxies;
    enum forwarded header;
    const char *header_name;
};

/* ERR_INVALID: *ret_why has the setting and what it may be. */
MUST_USE enum err peers_new(const struct peers_settings *s, struct peers **ret, char *ret_why,
                            size_t why_cap);
/* Changes them while connections come; on failure they stay as they were. One thread. */
MUST_USE enum err peers_set(struct peers *p, const struct peers_settings *s, char *ret_why,
                            size_t why_cap);
void peers_free(struct peers *p); /* after all enters and leaves; NULL-safe */
/* Good until peers_free. */
const struct trust *peers_trust(const struct peers *p);
/* Has the address as many as it may? */
bool peers_full(struct peers *p, const struct addr *a);
/* Counts a connection. NULL: it is not counted (no limit, no memory). */
struct peer *peers_enter(struct peers *p, const struct addr *a);
void peers_leave(struct peers *p, struct peer *peer); /* NULL-safe */
