/* guard: judges every connection that a user's or a receiver's data causes. It judges the socket
 * address right before connect, whatever name or spelling led to it.
 *
 * Our own listeners come first and beat every allowance: a webhook must not reach the API or the
 * SIP port, not even by a translator that brings an IPv6 address with ours inside back to us. The
 * list of own sockets only grows, and its count is stored last, so that a reader needs no lock. The
 * list of allowances is replaced as a whole, and old lists are kept for threads that still read
 * them. */
#include "net/guard.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ALLOW_MAX = 64, OWN_MAX = 64 };

struct allowance {
    struct allowance *before;
    size_t n;
    struct cidr cidr[ALLOW_MAX];
};

struct guard {
    struct allowance *_Atomic allow;
    atomic_size_t n_own;
    struct addr own[OWN_MAX];
};

enum err guard_allow(struct guard *g, const char *allow)
{
    struct str rest = str_of(allow), one;
    enum err err = OK;
    struct allowance *a = calloc(1, sizeof *a);
    if (!a)
        return ERR_NOMEM;
    while (err == OK && rest.n) {
        str_cut(rest, ',', &one, &rest);
        one = str_trim(one);
        if (one.n == 0)
            continue;
        err = a->n < ALLOW_MAX ? cidr_parse(one, &a->cidr[a->n++]) : ERR_TOO_BIG;
    }
    if (err != OK) {
        free(a);
        return err;
    }
    a->before = g->allow;
    atomic_store_explicit(&g->allow, a, memory_order_release);
    return OK;
}

enum err guard_new(const char *allow, struct guard **ret)
{
    struct guard *g = calloc(1, sizeof *g);
    if (!g)
        return ERR_NOMEM;
    enum err err = guard_allow(g, allow);
    if (err == OK)
        *ret = g;
    else
        free(g);
    return err;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    for (struct allowance *a = g->allow, *before; a; a = before) {
        before = a->before;
        free(a);
    }
    free(g);
}

static enum err guard_own_put(struct guard *g, const struct addr *a)
{
    size_t n = g->n_own;
    if (n >= OWN_MAX)
        return ERR_FULL;
    g->own[n] = *a;
    atomic_store_explicit(&g->n_own, n + 1, memory_order_release);
    return OK;
}

static bool is_wildcard(const struct addr *a)
{
    for (int i = 0; i < (a->family == 4 ? 4 : 16); i++)
        if (a->ip[i])
            return false;
    return true;
}

enum err guard_refuse(struct guard *g, const struct addr *own)
{
    return guard_own_put(g, own);
}

/* True when `a` is an address of this machine. A bind tells: the kernel refuses to bind an address
 * of another machine, and it knows those that came after the start (DHCP, a floating address,
 * 127.0.0.0/8, local routes). Where net.ipv4.ip_nonlocal_bind is set everything counts as ours,
 * which only closes this one port. */
static bool addr_is_local(const struct addr *a)
{
    struct sockaddr_storage sa;
    struct addr any_port = *a;
    any_port.port = 0;
    socklen_t n = addr_to_sockaddr(&any_port, &sa);
    int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return true; /* without descriptors nothing connects either */
    bool bound = bind(fd, (struct sockaddr *)&sa, n) == 0;
    close(fd);
    return bound;
}

/* True when `to` leads to a socket bound to `own`. A socket at the wildcard answers at every
 * address of this machine, and a connect to 0.0.0.0 or :: reaches this machine. */
static bool addr_leads_to(const struct addr *to, const struct addr *own)
{
    return own->port == to->port &&
           (addr_eq_host(own, to) || is_wildcard(to) || (is_wildcard(own) && addr_is_local(to)));
}

bool guard_leads_to(const struct addr *to, const struct addr *own)
{
    struct addr plain = addr_unwrap(to), inside, at = addr_unwrap(own);
    return addr_leads_to(&plain, &at) ||
           (addr_embedded(&plain, &inside) && addr_leads_to(&inside, &at));
}

static bool guard_is_own(const struct guard *g, const struct addr *to)
{
    size_t n = atomic_load_explicit(&g->n_own, memory_order_acquire);
    for (size_t i = 0; i < n; i++)
        if (guard_leads_to(to, &g->own[i]))
            return true;
    return false;
}

enum err guard_judge(const struct guard *g, const struct addr *to, const char **ret_why)
{
    const char *why = "not a public address";
    const struct allowance *allow = atomic_load_explicit(&g->allow, memory_order_acquire);
    struct addr plain = addr_unwrap(to);
    if (guard_is_own(g, to)) {
        why = "one of our own listeners";
        goto blocked;
    }
    for (size_t i = 0; i < allow->n; i++)
        if (cidr_has(&allow->cidr[i], &plain))
            return OK;
    if (addr_is_public(&plain))
        return OK;
blocked:
    if (ret_why)
        *ret_why = why;
    return ERR_BLOCKED;
}
