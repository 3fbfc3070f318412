/* peers: counts connections by address, so that one client cannot have them all. A trusted proxy's
 * connections are not counted; behind it a client counts while a request of its own is in hand. A
 * /64 of IPv6 is one address. There is a mutex because connections come on several threads; it is
 * held for a look-up. */
#include "api/http/peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct peer {
    uint8_t key[17]; /* family, network */
    unsigned n;
};

/* The settings as they were said once. Those of before are kept, because somebody may still look at
 * them: a reload is rare, and each is some kilobytes. */
struct edition {
    struct trust trust;
    struct edition *before;
};

struct peers {
    _Atomic(struct edition *) now;
    atomic_uint per_address;
    pthread_mutex_t lock;
    struct map *by_key;
};

static enum err trust_read(const struct peers_settings *s, struct trust *ret, char *why, size_t cap)
{
    enum err err = proxies_parse(str_of(s->trusted), &ret->proxies);
    if (err == ERR_TOO_BIG)
        snprintf(why, cap, "http.trusted_proxies: at most %d addresses and CIDRs", PROXIES_MAX);
    else if (err == ERR_INVALID)
        snprintf(why, cap, "http.trusted_proxies: with /0 everybody could say to be anybody");
    else if (err != OK)
        snprintf(why, cap, "http.trusted_proxies: not a list of addresses and CIDRs");
    if (err != OK)
        return ERR_INVALID;
    bool x_for = str_eq_nocase(str_of(s->header), STR("X-Forwarded-For"));
    if (!x_for && !str_eq_nocase(str_of(s->header), STR("Forwarded"))) {
        snprintf(why, cap, "http.proxy_header: X-Forwarded-For or Forwarded is needed");
        return ERR_INVALID;
    }
    ret->header = x_for ? FORWARDED_X_FOR : FORWARDED_RFC7239;
    ret->header_name = x_for ? "X-Forwarded-For" : "Forwarded";
    return OK;
}

enum err peers_set(struct peers *p, const struct peers_settings *s, char *why, size_t cap)
{
    struct edition *e = calloc(1, sizeof *e);
    enum err err = e ? trust_read(s, &e->trust, why, cap) : ERR_NOMEM;
    if (err != OK) {
        free(e);
        return err;
    }
    e->before = atomic_load(&p->now);
    atomic_store(&p->now, e);
    atomic_store(&p->per_address, s->per_address);
    return OK;
}

enum err peers_new(const struct peers_settings *s, struct peers **ret, char *why, size_t cap)
{
    struct peers *p = calloc(1, sizeof *p);
    enum err err = p && (p->by_key = map_new()) ? OK : ERR_NOMEM;
    if (err == OK)
        err = peers_set(p, s, why, cap);
    if (err != OK) {
        if (p)
            map_free(p->by_key);
        free(p);
        return err;
    }
    pthread_mutex_init(&p->lock, NULL);
    *ret = p;
    return OK;
}

void peers_free(struct peers *p)
{
    struct peer *peer;
    if (!p)
        return;
    for (size_t i = 0; (peer = map_next(p->by_key, &i));)
        free(peer); /* the server never told its end */
    map_free(p->by_key);
    for (struct edition *e = p->now, *before; e; e = before) {
        before = e->before;
        free(e);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const struct trust *peers_trust(const struct peers *p)
{
    return &atomic_load(&p->now)->trust;
}

static struct str peer_key(const struct addr *a, uint8_t out[17])
{
    memset(out, 0, 17);
    out[0] = a->family;
    memcpy(out + 1, a->ip, a->family == 6 ? 8 : 4);
    return str_of_bytes(out, 17);
}

bool peers_full(struct peers *p, const struct addr *a)
{
    uint8_t key[17];
    unsigned most = atomic_load(&p->per_address);
    if (!most)
        return false;
    pthread_mutex_lock(&p->lock);
    const struct peer *peer = map_get(p->by_key, peer_key(a, key));
    bool full = peer && peer->n >= most;
    pthread_mutex_unlock(&p->lock);
    return full;
}

static struct peer *peer_of(struct peers *p, const struct addr *a)
{
    uint8_t key[17];
    struct peer *peer = map_get(p->by_key, peer_key(a, key));
    if (peer || !(peer = calloc(1, sizeof *peer)))
        return peer;
    memcpy(peer->key, key, sizeof key);
    if (map_put(p->by_key, str_of_bytes(peer->key, sizeof peer->key), peer, NULL) == OK)
        return peer;
    free(peer);
    return NULL;
}

struct peer *peers_enter(struct peers *p, const struct addr *a)
{
    if (!atomic_load(&p->per_address))
        return NULL;
    pthread_mutex_lock(&p->lock);
    struct peer *peer = peer_of(p, a);
    if (peer)
        peer->n++;
    pthread_mutex_unlock(&p->lock);
    return peer;
}

void peers_leave(struct peers *p, struct peer *peer)
{
    if (!peer)
        return;
    pthread_mutex_lock(&p->lock);
    if (--peer->n == 0) {
        map_remove(p->by_key, str_of_bytes(peer->key, sizeof peer->key));
        free(peer);
    }
    pthread_mutex_unlock(&p->lock);
}
