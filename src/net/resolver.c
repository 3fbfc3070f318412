/* resolver: looks up names by c-ares. Its sockets are watched by the loop, and its answers are
 * cached for their time to live. A caller gets its answer on the loop's thread, never before its
 * call returned. resolver_sip.c asks the questions of RFC 3263. */
#include "net/resolver.h"

#include <ares.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/metrics.h"
#include "net/loop_uv.h"
#include "net/resolver_ares.h"

enum {
    CACHE_MAX = 4096,
    TTL_MIN_MS = 1000,
    TTL_MAX_MS = 60000, /* unless the configuration says less */
    TTL_FAILURE_MS = 5000,
    TIMEOUT_MS = 5000,
    TICK_MS = 250,
};

struct cache_entry {
    char *key;
    int64_t until_ms;
    struct resolved answer;
};

struct socket_watch {
    uv_poll_t poll;
    struct resolver *r;
    ares_socket_t fd;
    struct socket_watch *next;
};

struct resolver {
    struct loop *loop;
    ares_channel channel;
    struct map *cache;
    struct socket_watch *watches;
    struct timer tick; /* c-ares' own timeouts, while questions are out */
    size_t questions;
    int64_t timeout_ms, ttl_max_ms;
};

ares_channel resolver_channel(struct resolver *r)
{
    return r->channel;
}

static void socket_on_readable(uv_poll_t *poll, int status, int events)
{
    struct socket_watch *w = poll->data;
    struct resolver *r = w->r;
    ares_socket_t fd = w->fd; /* w may be closed inside */
    ares_process_fd(r->channel, status < 0 || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
                    status < 0 || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
}

static void socket_on_closed(uv_handle_t *h)
{
    free(h->data);
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = arg;
    struct socket_watch **link = &r->watches;
    while (*link && (*link)->fd != fd)
        link = &(*link)->next;
    struct socket_watch *w = *link;
    if (!readable && !writable) {
        if (!w)
            return;
        *link = w->next;
        uv_poll_stop(&w->poll);
        uv_close((uv_handle_t *)&w->poll, socket_on_closed);
        return;
    }
    if (!w) {
        if (!(w = calloc(1, sizeof *w)))
            return; /* the question times out */
        *w = (struct socket_watch){.r = r, .fd = fd, .next = r->watches};
        if (uv_poll_init(loop_uv(r->loop), &w->poll, fd) != 0) {
            free(w);
            return;
        }
        w->poll.data = w;
        r->watches = w;
    }
    uv_poll_start(&w->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
                  socket_on_readable);
}

static void resolver_on_tick(struct timer *t)
{
    struct resolver *r = t->arg;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    if (r->questions)
        loop_timer(r->loop, &r->tick, TICK_MS, resolver_on_tick, r);
}

void resolver_question_begin(struct resolver *r)
{
    if (r->questions++ == 0)
        loop_timer(r->loop, &r->tick, TICK_MS, resolver_on_tick, r);
}

void resolver_question_end(struct resolver *r)
{
    r->questions--;
}

enum err resolver_new(struct loop *l, const struct resolver_config *c, struct resolver **ret)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->loop = l;
    r->timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : TIMEOUT_MS;
    r->ttl_max_ms = c->ttl_max_ms > 0 ? c->ttl_max_ms : TTL_MAX_MS;
    struct ares_options o = {
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = r,
        .timeout = (int)(r->timeout_ms / 3),
        .tries = 2,
    };
    static _Atomic int started;
    if (!started++)
        ares_library_init(ARES_LIB_INIT_ALL);
    r->cache = map_new();
    if (!r->cache || ares_init_options(&r->channel, &o,
                                       ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS |
                                           ARES_OPT_TRIES) != ARES_SUCCESS) {
        map_free(r->cache);
        free(r);
        return ERR_DNS;
    }
    if (c->servers && *c->servers && ares_set_servers_ports_csv(r->channel, c->servers)) {
        resolver_free(r);
        return ERR_SYNTAX;
    }
    *ret = r;
    return OK;
}

static void cache_clear(struct resolver *r)
{
    struct cache_entry *c;
    for (size_t i = 0; (c = map_next(r->cache, &i));) {
        map_remove(r->cache, str_of(c->key));
        free(c->key);
        free(c);
    }
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    ares_destroy(r->channel); /* ends every question: lookups still held are freed */
    timer_stop(&r->tick);
    cache_clear(r);
    map_free(r->cache);
    free(r);
}

static void cache_put(struct resolver *r, const char *key, const struct resolved *a, int ttl_sec)
{
    int64_t ttl_ms = ttl_sec < 0 ? r->ttl_max_ms : (int64_t)ttl_sec * 1000;
    struct cache_entry *c = map_get(r->cache, str_of(key));
    if (a->err == ERR_TIMEOUT || a->err == ERR_NOMEM)
        return;
    ttl_ms = ttl_ms < TTL_MIN_MS ? TTL_MIN_MS : ttl_ms > r->ttl_max_ms ? r->ttl_max_ms : ttl_ms;
    if (!c) {
        if (map_count(r->cache) >= CACHE_MAX)
            cache_clear(r); /* rare, and cheaper than keeping an order */
        c = calloc(1, sizeof *c);
        if (c && !(c->key = strdup(key))) {
            free(c);
            return;
        }
        if (!c || map_put(r->cache, str_of(c->key), c, NULL) != OK) {
            if (c)
                free(c->key);
            free(c);
            return;
        }
    }
    c->answer = *a;
    c->until_ms = a->at_ms + (a->err == OK ? ttl_ms : TTL_FAILURE_MS);
}

/* Frees a lookup whose last question is answered and whose owner has the answer. */
static void lookup_free(struct lookup *k)
{
    timer_stop(&k->tell);
    timer_stop(&k->deadline);
    metric_add(METRIC_LOOKUPS, -1);
    free(k);
}

/* Gives the caller its answer, in a turn of its own. */
static void lookup_on_answer_due(struct timer *t)
{
    struct lookup *k = t->arg;
    resolver_on_answer *on_answer = k->on_answer;
    void *arg = k->arg;
    struct resolved answer = k->answer;
    k->on_answer = NULL;
    k->told = true;
    timer_stop(&k->tell); /* the deadline may come between the answer and its turn */
    timer_stop(&k->deadline);
    if (k->waiting == 0)
        lookup_free(k);
    on_answer(arg, &answer);
}

static void lookup_on_deadline(struct timer *t)
{
    struct lookup *k = t->arg;
    k->answer = (struct resolved){.err = ERR_TIMEOUT};
    lookup_on_answer_due(t);
}

void lookup_finish(struct lookup *k)
{
    if (k->told) {
        if (k->waiting == 0)
            lookup_free(k);
        return;
    }
    if (k->answer.err == OK && k->answer.n == 0)
        k->answer.err = ERR_DNS;
    k->answer.at_ms = loop_now_ms(k->r->loop);
    cache_put(k->r, k->key, &k->answer, k->ttl_sec);
    loop_timer(k->r->loop, &k->tell, 0, lookup_on_answer_due, k);
}

void lookup_cancel(struct lookup *k)
{
    if (!k)
        return;
    timer_stop(&k->tell);
    timer_stop(&k->deadline);
    k->told = true;
    k->on_answer = NULL;
    if (k->waiting == 0)
        lookup_free(k);
}

enum err lookup_new(struct resolver *r, struct str host, resolver_on_answer *on_answer, void *arg,
                    struct lookup **ret)
{
    struct lookup *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->r = r;
    k->on_answer = on_answer;
    k->arg = arg;
    k->ttl_sec = -1;
    enum err err = str_copy(host, k->host, sizeof k->host);
    if (err != OK) {
        free(k);
        return err;
    }
    metric_add(METRIC_LOOKUPS, 1);
    loop_timer(r->loop, &k->deadline, r->timeout_ms, lookup_on_deadline, k);
    *ret = k;
    return OK;
}

bool lookup_is_cached(struct lookup *k)
{
    const struct cache_entry *c = map_get(k->r->cache, str_of(k->key));
    if (!c || c->until_ms <= loop_now_ms(k->r->loop))
        return false;
    k->answer = c->answer;
    loop_timer(k->r->loop, &k->tell, 0, lookup_on_answer_due, k);
    return true;
}

void lookup_add(struct lookup *k, const struct addr *a, int transport)
{
    if (k->answer.n == RESOLVED_MAX)
        return;
    k->answer.addr[k->answer.n] = *a;
    k->answer.transport[k->answer.n++] = (uint8_t)transport;
}

void lookup_learn_ttl(struct lookup *k, int ttl_sec)
{
    if (k->ttl_sec < 0 || ttl_sec < k->ttl_sec)
        k->ttl_sec = ttl_sec;
}

bool lookup_literal(struct lookup *k, uint16_t port, int transport)
{
    struct addr a;
    if (addr_parse(str_of(k->host), port, &a) != OK)
        return false;
    a.port = port;
    lookup_add(k, &a, transport);
    k->answer.at_ms = loop_now_ms(k->r->loop);
    loop_timer(k->r->loop, &k->tell, 0, lookup_on_answer_due, k);
    return true;
}

static void host_on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *ai)
{
    struct lookup_addresses *q = arg;
    struct lookup *k = q->k;
    if (status == ARES_SUCCESS) {
        for (struct ares_addrinfo_node *n = ai->nodes; n; n = n->ai_next) {
            struct addr a;
            if (!addr_from_sockaddr(n->ai_addr, &a))
                continue;
            a.port = q->port;
            lookup_learn_ttl(k, n->ai_ttl);
            if (q->n < RESOLVED_MAX)
                q->addr[q->n++] = a;
        }
    }
    if (ai)
        ares_freeaddrinfo(ai);
    resolver_question_end(k->r);
    k->waiting--;
    q->done(q, status == ARES_ETIMEOUT ? ERR_TIMEOUT : status == ARES_SUCCESS ? OK : ERR_DNS);
}

void lookup_ask_addresses(struct lookup_addresses *q, const char *host)
{
    struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    q->k->waiting++;
    resolver_question_begin(q->k->r);
    ares_getaddrinfo(q->k->r->channel, host, NULL, &hints, host_on_addresses, q);
}

static void on_host_answer(struct lookup_addresses *q, enum err err)
{
    struct lookup *k = q->k;
    for (size_t i = 0; i < q->n; i++)
        lookup_add(k, &q->addr[i], 0);
    k->answer.err = q->n ? OK : err;
    free(q);
    lookup_finish(k);
}

enum err resolver_host(struct resolver *r, struct str host, uint16_t port,
                       resolver_on_answer *on_answer, void *arg, struct lookup **ret)
{
    enum err err = lookup_new(r, host, on_answer, arg, ret);
    if (err != OK)
        return err;
    struct lookup *k = *ret;
    if (lookup_literal(k, port, 0))
        return OK;
    struct buf key;
    buf_wrap(&key, k->key, sizeof k->key - 1);
    buf_printf(&key, "host %s %u", k->host, port);
    if (lookup_is_cached(k))
        return OK;
    struct lookup_addresses *q = calloc(1, sizeof *q);
    if (!q) {
        lookup_cancel(k);
        return ERR_NOMEM;
    }
    *q = (struct lookup_addresses){.k = k, .port = port, .done = on_host_answer};
    lookup_ask_addresses(q, k->host);
    return OK;
}
