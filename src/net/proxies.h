/* Finds the client of a request that came through proxies: by the header that they write, and only
 * as far as they are trusted. Pure; immutable once made. */
#pragma once
#include "net/addr.h"

enum { PROXIES_MAX = 64, HOPS_MAX = 32 };

/* X-Forwarded-For: addresses and commas, as most proxies write it; RFC 7239: Forwarded. */
enum forwarded { FORWARDED_X_FOR, FORWARDED_RFC7239 };

struct proxies {
    size_t n;
    struct cidr at[PROXIES_MAX];
};

/* The last HOPS_MAX entries of the header, in its order; family 0: not an address. */
struct hops {
    size_t n; /* put so far; the i-th is at[i % HOPS_MAX] */
    struct addr at[HOPS_MAX];
};

/* Comma-separated CIDRs and addresses, "" for none. ERR_SYNTAX; ERR_INVALID: one of them covers all
 * addresses; ERR_TOO_BIG. */
MUST_USE enum err proxies_parse(struct str text, struct proxies *ret);
bool proxies_has(const struct proxies *p, const struct addr *a);
/* Adds one line of the header; lines are given in the order in which they came. A malformed line
 * counts as one hop that is not an address. */
void hops_put(struct hops *h, enum forwarded kind, struct str value);
/* Gives the client: going back from `peer`, the first address that is no trusted proxy's, or the
 * furthest when all are trusted. When a hop is not an address, the client is the proxy that passed
 * it on. */
struct addr proxies_client(const struct proxies *p, const struct addr *peer, const struct hops *h);
