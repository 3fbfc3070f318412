/* still_sockets: implements net/datagram.h and net/stream.h without sockets. Everything sent goes
 * to one callback of the test; the test calls in everything that arrives, connects and ends. TLS
 * is only a word here: such a stream is like any other. */
#include <stdlib.h>
#include <string.h>

#include "still.h"

struct datagram {
    struct datagram *next;
    struct addr local;
    datagram_on_batch *on_batch;
    void *arg;
    icmp_told *on_icmp;
};

struct listener {
    struct listener *next;
    struct addr local;
    struct loop *loop;
    listener_on_accept *on_accept;
    void *arg;
};

struct stream {
    struct stream *next;
    struct still_stream seen;
    struct stream_events ev;
    void *arg;
    struct timer connect;
    bool taken;
};

struct tls {
    unsigned refs;
};

enum { FIRST_PORT = 40000 };

static struct datagram *datagrams;
static struct listener *listeners;
static struct stream *streams;
static uint32_t n_streams;
static still_on_sent *on_sent;
static void *on_sent_arg;
static enum err failure;

void still_sent_to(still_on_sent *fn, void *arg)
{
    on_sent = fn;
    on_sent_arg = arg;
}

void still_fail(enum err err)
{
    failure = err;
}

bool still_is_quiet(void)
{
    struct still_lookup k;
    return !datagrams && !listeners && !streams && still_lookups(&k, 1) == 0;
}

void still_reset(void)
{
    ASSERT(still_is_quiet());
    n_streams = 0;
    failure = OK;
    still_reset_lookups();
}

/* ---- datagrams ---- */

enum err datagram_open(struct loop *l, const struct addr *at, datagram_on_batch *on_batch,
                       void *arg, struct datagram **ret)
{
    struct datagram *d = malloc(sizeof *d);
    if (!d)
        return ERR_NOMEM;
    *d = (struct datagram){datagrams, *at, on_batch, arg, NULL};
    datagrams = *ret = d;
    return OK;
}

void datagram_on_icmp(struct datagram *d, icmp_told *told)
{
    d->on_icmp = told;
}

bool still_icmp(const struct addr *at, const struct addr *to, int error, struct str quoted)
{
    for (struct datagram *d = datagrams; d; d = d->next)
        if (addr_eq(&d->local, at) && d->on_icmp) {
            d->on_icmp(d->arg, to, error, quoted);
            return true;
        }
    return false;
}

void datagram_close(struct datagram *d)
{
    for (struct datagram **at = &datagrams; *at; at = &(*at)->next)
        if (*at == d) {
            *at = d->next;
            free(d);
            return;
        }
}

struct addr datagram_local(const struct datagram *d)
{
    return d->local;
}

enum err datagram_send(struct datagram *d, const struct addr *to, struct str bytes)
{
    if (bytes.n > 65507)
        return ERR_TOO_BIG;
    if (failure != OK)
        return failure;
    if (on_sent)
        on_sent(on_sent_arg, 0, &d->local, to, bytes);
    return OK;
}

/* Copies into memory of exactly that size, so that a sanitizer sees a read past it. */
static char *exact_copy(struct str bytes)
{
    char *copy = malloc(bytes.n + 1);
    ASSERT(copy);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    copy[bytes.n] = '\0';
    return copy;
}

bool still_arrive(const struct addr *to, const struct addr *from, struct str bytes,
                  int64_t waited_ms)
{
    struct datagram *d = datagrams;
    while (d && !addr_eq(&d->local, to))
        d = d->next;
    if (!d)
        return false;
    char *copy = exact_copy(bytes);
    struct packet p = {.from = *from, .bytes = {copy, bytes.n}, .waited_ms = waited_ms};
    d->on_batch(d->arg, &p, 1);
    free(copy);
    return true;
}

/* ---- streams ---- */

static struct stream *stream_new(const struct addr *local, const struct addr *peer)
{
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->seen = (struct still_stream){.id = ++n_streams, .local = *local, .peer = *peer};
    s->next = streams;
    return streams = s;
}

static struct stream *stream_of(uint32_t id)
{
    struct stream *s = streams;
    while (s && s->seen.id != id)
        s = s->next;
    return s;
}

void stream_shut(struct stream *s)
{
}

void stream_close(struct stream *s)
{
    for (struct stream **at = &streams; s && *at; at = &(*at)->next)
        if (*at == s) {
            *at = s->next;
            timer_stop(&s->connect);
            free(s);
            return;
        }
}

static void on_connect_timeout(struct timer *t)
{
    struct stream *s = t->arg;
    s->ev.on_end(s, s->arg, ERR_TIMEOUT);
}

enum err stream_connect(struct loop *l, const struct addr *to, struct tls *tls, struct str host,
                        int64_t connect_timeout_ms, const struct stream_events *ev, void *arg,
                        struct stream **ret)
{
    struct addr local = {.family = to->family, .port = (uint16_t)(FIRST_PORT + n_streams % 20000)};
    struct stream *s;
    if (listeners)
        memcpy(local.ip, listeners->local.ip, sizeof local.ip);
    if (!(s = stream_new(&local, to)))
        return ERR_NOMEM;
    s->seen.outgoing = s->taken = true;
    s->ev = *ev;
    s->arg = arg;
    loop_timer(l, &s->connect, connect_timeout_ms, on_connect_timeout, s);
    *ret = s;
    return OK;
}

enum err stream_write(struct stream *s, struct str bytes)
{
    ASSERT(s->seen.open);
    if (failure != OK)
        return failure;
    if (on_sent)
        on_sent(on_sent_arg, s->seen.id, &s->seen.local, &s->seen.peer, bytes);
    return OK;
}

void stream_take(struct stream *s, const struct stream_events *ev, void *arg)
{
    s->ev = *ev;
    s->arg = arg;
    s->taken = true;
}

struct addr stream_peer(const struct stream *s)
{
    return s->seen.peer;
}

struct addr stream_local(const struct stream *s)
{
    return s->seen.local;
}

const char *stream_tls_error(const struct stream *s)
{
    return "";
}

const char *stream_reason(const struct stream *s)
{
    return "the test's will";
}

enum err listener_open(struct loop *l, const struct addr *at, struct tls *tls,
                       listener_on_accept *on_accept, void *arg, struct listener **ret)
{
    struct listener *li = malloc(sizeof *li);
    if (!li)
        return ERR_NOMEM;
    *li = (struct listener){listeners, *at, l, on_accept, arg};
    listeners = *ret = li;
    return OK;
}

void listener_close(struct listener *li)
{
    for (struct listener **at = &listeners; *at; at = &(*at)->next)
        if (*at == li) {
            *at = li->next;
            free(li);
            return;
        }
}

struct addr listener_local(const struct listener *li)
{
    return li->local;
}

enum err tls_new(const struct tls_config *c, struct tls **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : ERR_NOMEM;
}

void tls_free(struct tls *t)
{
    free(t);
}

size_t still_streams(struct still_stream *ret, size_t max)
{
    size_t n = 0;
    for (struct stream *s = streams; s && n < max; s = s->next)
        ret[n++] = s->seen;
    return n;
}

uint32_t still_accept(const struct addr *to, const struct addr *from)
{
    struct listener *li = listeners;
    while (li && !addr_eq(&li->local, to))
        li = li->next;
    struct stream *s = li ? stream_new(to, from) : NULL;
    if (!s)
        return 0;
    s->seen.open = true;
    li->on_accept(li->arg, s);
    if (s->taken)
        return s->seen.id;
    stream_close(s);
    return 0;
}

bool still_stream_open(uint32_t id)
{
    struct stream *s = stream_of(id);
    if (!s || s->seen.open)
        return false;
    s->seen.open = true;
    timer_stop(&s->connect);
    s->ev.on_open(s, s->arg);
    return true;
}

bool still_stream_bytes(uint32_t id, struct str bytes)
{
    struct stream *s = stream_of(id);
    if (!s || !s->seen.open)
        return false;
    char *copy = exact_copy(bytes);
    s->ev.on_bytes(s, s->arg, (struct str){copy, bytes.n});
    free(copy);
    return true;
}

bool still_stream_end(uint32_t id, enum err why)
{
    struct stream *s = stream_of(id);
    if (!s)
        return false;
    timer_stop(&s->connect);
    s->ev.on_end(s, s->arg, why);
    return true;
}
