/* peers: counts connections by address, so that one client cannot have them all. A trusted proxy's
 * connections are not counted; behind it a client counts while a request of its own is in hand. A
 * /64 of IPv6 is one address. There is a mutex because connections come on several threads; it is
 * held for a look-up. */
#include "api/http/peers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct peer {
    uint8_t key[17]; /* family, network */
    unsigned n;
};

struct peers {
    struct proxies proxies;
    enum forwarded header;
    unsigned per_address;
    pthread_mutex_t lock;
    struct map *by_key;
};

static enum err peers_read_settings(struct peers *p, const char *trusted, const char *header,
                                    char *why, size_t cap)
{
    enum err err = proxies_parse(str_of(trusted), &p->proxies);
    if (err == ERR_TOO_BIG)
        snprintf(why, cap, "http.trusted_proxies: at most %d addresses and CIDRs", PROXIES_MAX);
    else if (err == ERR_INVALID)
        snprintf(why, cap, "http.trusted_proxies: with /0 everybody could say to be anybody");
    else if (err != OK)
        snprintf(why, cap, "http.trusted_proxies: not a list of addresses and CIDRs");
    if (err != OK)
        return ERR_INVALID;
    if (str_eq_nocase(str_of(header), STR("X-Forwarded-For")))
        p->header = FORWARDED_X_FOR;
    else if (str_eq_nocase(str_of(header), STR("Forwarded")))
        p->header = FORWARDED_RFC7239;
    else {
        snprintf(why, cap, "http.proxy_header: X-Forwarded-For or Forwarded is needed");
        return ERR_INVALID;
    }
    return OK;
}

enum err peers_new(const char *trusted, const char *header, unsigned per_address,
                   struct peers **ret, char *why, size_t cap)
{
    struct peers *p = calloc(1, sizeof *p);
    enum err err = p && (p->by_key = map_new()) ? OK : ERR_NOMEM;
    if (err == OK)
        err = peers_read_settings(p, trusted, header, why, cap);
    if (err != OK) {
        if (p)
            map_free(p->by_key);
        free(p);
        return err;
    }
    p->per_address = per_address;
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
    pthread_mutex_destroy(&p->lock);
    free(p);
}

const struct proxies *peers_proxies(const struct peers *p)
{
    return &p->proxies;
}

enum forwarded peers_header(const struct peers *p, const char **ret_name)
{
    *ret_name = p->header == FORWARDED_RFC7239 ? "Forwarded" : "X-Forwarded-For";
    return p->header;
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
    if (!p->per_address)
        return false;
    pthread_mutex_lock(&p->lock);
    const struct peer *peer = map_get(p->by_key, peer_key(a, key));
    bool full = peer && peer->n >= p->per_address;
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
    if (!p->per_address)
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
