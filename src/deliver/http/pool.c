/* pool: connections that wait for their next request, by owner and origin. One is taken back
 * only after a whole answer with nothing behind it, is closed after half a minute idle, and a
 * minute after its name was resolved at the latest, so that the name is judged again. Thread of the
 * loop. */
#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "base/share.h"
#include "deliver/http/conn.h"

static const struct share idle_share = {.max = IDLE_MAX, .first = IDLE_FIRST};

/* The account's part in the pool is counted as connections come and go. False: it has its share. */
static bool own_more(struct http_client *h, uint64_t owner)
{
    struct idle_owner *o = map_get(h->idle_owner, str_of_u64(&owner));
    if (!share_allows(&idle_share, o ? o->n : 0, h->n_idle)) {
        metric_add(METRIC_SHARE_CONNECTIONS, 1);
        return false;
    }
    if (!o) {
        if (!(o = calloc(1, sizeof *o)))
            return false;
        o->owner = owner;
        if (map_put(h->idle_owner, str_of_u64(&o->owner), o, NULL) != OK) {
            free(o);
            return false;
        }
    }
    o->n++;
    return true;
}

static void own_less(struct http_client *h, uint64_t owner)
{
    struct idle_owner *o = map_get(h->idle_owner, str_of_u64(&owner));
    if (--o->n)
        return;
    map_remove(h->idle_owner, str_of_u64(&owner));
    free(o);
}

static void unlink_idle(struct http_conn *c)
{
    struct http_client *h = c->client;
    struct idle_list *l = map_get(h->idle, str_of(c->key));
    struct http_conn **link = l ? &l->first : NULL;
    while (link && *link && *link != c)
        link = &(*link)->next_idle;
    if (!link || !*link)
        return;
    *link = c->next_idle;
    h->n_idle--;
    own_less(h, c->owner);
    if (--l->n == 0) {
        map_remove(h->idle, str_of(l->key));
        free(l);
    }
}

void pool_close(struct http_conn *c)
{
    unlink_idle(c);
    timer_stop(&c->idle);
    stream_close(c->stream);
    free(c->answer);
    free(c);
}

static void on_idle_over(struct timer *t)
{
    pool_close(t->arg);
}

struct http_conn *pool_find(struct http_client *h, const char *key)
{
    struct idle_list *l = map_get(h->idle, str_of(key));
    int64_t now = loop_now_ms(h->loop);
    while (l) {
        struct http_conn *c = l->first;
        bool last = l->n == 1;
        if (now - c->name_at_ms < NAME_AGE_MAX_MS) {
            unlink_idle(c);
            timer_stop(&c->idle);
            return c;
        }
        pool_close(c);
        if (last)
            l = NULL;
    }
    return NULL;
}

void pool_keep(struct http_conn *c)
{
    struct http_client *h = c->client;
    struct idle_list *l = map_get(h->idle, str_of(c->key));
    int64_t left_ms = NAME_AGE_MAX_MS - (loop_now_ms(h->loop) - c->name_at_ms);
    bool full = (l && l->n >= IDLE_PER_KEY) || left_ms <= 0;
    free(c->answer);
    c->answer = NULL;
    c->exchange = NULL;
    if (!full && !l && (l = calloc(1, sizeof *l))) {
        memcpy(l->key, c->key, sizeof l->key);
        if (map_put(h->idle, str_of(l->key), l, NULL) != OK) {
            free(l);
            l = NULL;
        }
    }
    if (full || !l || !own_more(h, c->owner)) {
        if (l && !l->n) {
            map_remove(h->idle, str_of(l->key));
            free(l);
        }
        pool_close(c);
        return;
    }
    c->used = true;
    c->next_idle = l->first;
    l->first = c;
    l->n++;
    h->n_idle++;
    loop_timer(h->loop, &c->idle, left_ms < CONN_IDLE_MAX_MS ? left_ms : CONN_IDLE_MAX_MS,
               on_idle_over, c);
}

void pool_clear(struct http_client *h)
{
    struct idle_list *l;
    for (size_t i = 0; (l = map_next(h->idle, &i)); i = 0)
        pool_close(l->first);
}

size_t http_client_idle(const struct http_client *h)
{
    return h->n_idle;
}
