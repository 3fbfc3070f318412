/* connections: sends and receives SIP over TCP and TLS. All messages to a peer share one connection
 * per account; incoming bytes are cut into messages by their Content-Length alone. CRLF CRLF is
 * answered with CRLF (RFC 5626 §4.4.1). A connection that is idle for ten minutes is closed.
 *
 * A carrier's connection never waits for an account's: a quarter of the room is the carriers', and
 * when all is taken, a connection of the account that has the most is closed. Among accounts the
 * rule is the same: an account with fewer takes a connection from the account with the most, and
 * that account itself can only replace its own spare ones. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/net/transport_conn.h"

static void conn_forget(struct conn *c)
{
    struct transport *t = c->t;
    timer_stop(&c->idle);
    stream_close(c->stream);
    buf_fini(&c->in);
    buf_fini(&c->unsent);
    if (c->peer_key[0] && map_get(t->by_peer, str_of(c->peer_key)) == c)
        map_remove(t->by_peer, str_of(c->peer_key));
    if (c->account)
        shares_give(t->shares, c->account);
    pool_give(t->conns, c->self);
}

static void conn_close_because(struct conn *c, const char *why)
{
    struct transport *t = c->t;
    handle self = c->self;
    conn_forget(c);
    t->user.on_gone(t->user.arg, self, why);
}

static void conn_close(struct conn *c)
{
    conn_close_because(c, "the connection was closed");
}

static void conn_on_idle(struct timer *timer)
{
    conn_close(timer->arg);
}

static void conn_touch(struct conn *c)
{
    c->used_ms = loop_now_ms(c->t->loop);
    loop_timer(c->t->loop, &c->idle, CONN_IDLE_MS, conn_on_idle, c);
}

/* CRLF CRLF between messages, however it is cut, is answered by CRLF (RFC 5626 §4.4.1). */
static void conn_answer_keep_alives(struct conn *c, struct str skipped)
{
    static const char ping[] = "\r\n\r\n";
    for (size_t i = 0; i < skipped.n; i++) {
        c->crlf = skipped.p[i] == ping[c->crlf] ? c->crlf + 1 : skipped.p[i] == '\r';
        if (ping[c->crlf])
            continue;
        c->crlf = 0;
        (void)!stream_write(c->stream, STR("\r\n")); /* nobody needs a pong that cannot be sent */
    }
}

static struct path conn_path(const struct conn *c)
{
    return (struct path){
        .transport = c->transport, .listen = c->listen, .conn = c->self, .peer = c->peer};
}

/* Gives a copy with a NUL behind it, because the answer may close the connection and free c->in. */
static char *conn_copy(struct conn *c, size_t at, size_t n)
{
    char *copy = malloc(n + 1);
    if (!copy) {
        conn_close(c);
        return NULL;
    }
    memcpy(copy, c->in.p + at, n);
    copy[n] = '\0';
    return copy;
}

/* Lets what was said last leave, and ends. */
static void conn_end(struct conn *c)
{
    c->ending = true;
    buf_reset(&c->in);
    stream_shut(c->stream);
    loop_timer(c->t->loop, &c->idle, CONN_END_MS, conn_on_idle, c);
}

/* A message that is too large: its head is handed over, to be answered (§21.5.7), and its body is
 * dropped as it comes; the connection, which may be all that a carrier has, goes on. Without an end
 * in sight it is closed behind the answer. */
static void conn_refuse_large(struct conn *c, size_t skip, size_t head)
{
    struct transport *t = c->t;
    handle self = c->self;
    const struct path from = conn_path(c);
    uint64_t size = c->framing.size;
    size_t n = head ? head : c->in.n - skip;
    while (!head && n && c->in.p[skip + n - 1] != '\n') /* up to its last whole line */
        n--;
    char *copy = conn_copy(c, skip, n);
    if (!copy)
        return;
    t->user.on_large(t->user.arg, &from, copy, n);
    free(copy);
    if (pool_at(t->conns, self) != c)
        return;
    c->framing = (struct sip_framing){0};
    if (!size || size > CONN_DROPPED_MAX) {
        conn_end(c);
        return;
    }
    size_t here = c->in.n - skip < size ? c->in.n - skip : (size_t)size;
    c->dropped = size - here;
    buf_cut(&c->in, skip + here);
}

/* Hands over the first whole message of c->in; false when there is none, or the connection ended.
 */
static bool conn_message_take(struct conn *c)
{
    struct transport *t = c->t;
    handle self = c->self;
    size_t skip, size;
    enum err err = sip_frame(&c->framing, c->in.p, c->in.n, &skip, &size);
    conn_answer_keep_alives(c, str_of_bytes(c->in.p, skip));
    if (skip < c->in.n)
        c->crlf = 0;
    if (err == ERR_AGAIN) {
        buf_cut(&c->in, skip);
        return false;
    }
    if (err != OK) {
        metric_add(METRIC_SIP_MALFORMED, 1);
        log_sparse(LOG_WARN, 10000, "sip", "a message on a stream is too large, or has no length");
    }
    if (err == ERR_TOO_BIG) {
        conn_refuse_large(c, skip, size);
        return pool_at(t->conns, self) == c && c->in.n > 0;
    }
    if (err != OK) {
        conn_close(c);
        return false;
    }
    const struct path from = conn_path(c);
    metric_add(METRIC_SIP_PACKETS_IN, 1);
    char *copy = conn_copy(c, skip, size);
    if (!copy)
        return false;
    buf_cut(&c->in, skip + size);
    t->user.on_message(t->user.arg, &from, copy, size, 0);
    free(copy);
    return pool_at(t->conns, self) == c && c->in.n > 0;
}

static void conn_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct conn *c = arg;
    if (c->ending)
        return;
    conn_touch(c);
    size_t dropped = bytes.n < c->dropped ? bytes.n : (size_t)c->dropped;
    c->dropped -= dropped;
    buf_put_str(&c->in, str_from(bytes, dropped));
    if (c->in.err != OK) {
        conn_close(c);
        return;
    }
    while (c->in.n && conn_message_take(c))
        ;
}

static void conn_on_open(struct stream *s, void *arg)
{
    struct conn *c = arg;
    struct transport *t = c->t;
    handle self = c->self;
    c->open = true;
    if (c->unsent.n && stream_write(s, buf_str(&c->unsent)) != OK) {
        conn_close(c);
        return;
    }
    buf_reset(&c->unsent);
    if (t->user.on_open)
        t->user.on_open(t->user.arg, self);
}

/* Tells of the end of a connection that calls that are up talk over, unless the peer closed it. */
static void conn_tell_broken(const struct conn *c, enum err why)
{
    const struct transport_user *u = &c->t->user;
    const struct path lost = {.transport = c->transport,
                              .listen = c->listen,
                              .account = c->account,
                              .conn = c->self,
                              .peer = c->peer};
    if (c->open && c->in_call && why != ERR_CLOSED && u->on_broken)
        u->on_broken(u->arg, &lost);
}

static void conn_on_end(struct stream *s, void *arg, enum err why)
{
    struct conn *c = arg;
    char peer[ADDR_TEXT_SIZE], text[CONN_WHY_MAX];
    bool no_tls = !c->open && *stream_tls_error(s);
    addr_print(&c->peer, peer);
    snprintf(text, sizeof text, "%s %s: %s%s",
             c->open ? "the connection was lost:" : "could not connect:", peer,
             no_tls ? "no TLS: " : "", stream_reason(s));
    if (!c->open)
        log_sparse(LOG_WARN, 5000, "sip", "%s", text);
    conn_tell_broken(c, why);
    conn_close_because(c, text);
}

static const struct stream_events events = {conn_on_open, conn_on_bytes, conn_on_end};

static bool conn_is_spare(const struct conn *c)
{
    int64_t silent_ms = loop_now_ms(c->t->loop) - c->used_ms;
    return silent_ms >= (c->in_call ? CONN_CALL_SPARE_MS : CONN_SPARE_MS);
}

static bool conn_goes_before(const struct conn *a, const struct conn *b)
{
    return a->in_call != b->in_call ? b->in_call : a->used_ms < b->used_ms;
}

/* Closes a connection of that account: one outside of a call before others, and the one that is
 * silent for the longest before others. `spare`: only one on which no answer is awaited. False: it
 * has none. */
static bool transport_make_way(struct transport *t, uint64_t account, bool spare)
{
    handle h;
    struct conn *c, *first = NULL;
    for (size_t i = 0; (c = pool_next(t->conns, &i, &h));)
        if (c->account == account && (!spare || conn_is_spare(c)) &&
            (!first || conn_goes_before(c, first)))
            first = c;
    if (!first)
        return false;
    metric_add(METRIC_SIP_CONNECTIONS_MADE_WAY, 1);
    conn_close(first);
    return true;
}

/* True when there is room, or room can be made, for one more connection of that account (0: a
 * carrier's). */
static bool transport_has_room(struct transport *t, uint64_t account)
{
    size_t most, all = pool_count(t->conns);
    if (all < CONNS_MAX && (!account || shares_all(t->shares) < CONNS_ACCOUNTS))
        return true;
    uint64_t biggest = shares_most(t->shares, &most);
    if (!account)
        return transport_make_way(t, biggest, biggest == 0);
    if (most > shares_of(t->shares, account) + 1)
        return transport_make_way(t, biggest, false);
    return transport_make_way(t, account, true);
}

static struct conn *conn_new(struct transport *t, enum sip_transport how, uint8_t listen,
                             uint64_t account, const struct addr *peer)
{
    handle h;
    struct conn *c = transport_has_room(t, account) ? pool_take(t->conns, &h) : NULL;
    if (!c)
        return NULL;
    *c = (struct conn){
        .t = t, .self = h, .transport = (uint8_t)how, .listen = listen, .peer = *peer};
    if (account && !shares_take(t->shares, account)) {
        pool_give(t->conns, h);
        return NULL;
    }
    c->account = account;
    buf_init(&c->in, 2 * SIP_MESSAGE_MAX);
    buf_init(&c->unsent, CONN_UNSENT_MAX);
    conn_touch(c);
    return c;
}

void conn_on_accept(void *arg, struct stream *s)
{
    struct listening *l = arg;
    struct addr peer = stream_peer(s);
    if (!l->t->user.may_connect(l->t->user.arg, &peer))
        return; /* not taken: closed */
    struct conn *c = conn_new(l->t, l->transport, l->index, 0, &peer);
    if (!c)
        return;
    c->open = true;
    c->local = stream_local(s);
    c->stream = s;
    stream_take(s, &events, c);
}

static struct tls *transport_client_tls(struct transport *t)
{
    struct tls_config tc = {0};
    if (!t->tls && tls_new(&tc, &t->tls) != OK)
        t->tls = NULL;
    return t->tls;
}

static enum err conn_open(struct transport *t, const struct path *path, const struct addr *peer,
                          struct str host, const char *key, struct conn **ret)
{
    struct tls *tls = path->transport == SIP_TLS ? transport_client_tls(t) : NULL;
    if (path->transport == SIP_TLS && !tls)
        return ERR_TLS;
    struct conn *c = conn_new(t, path->transport, path->listen, path->account, peer);
    if (!c)
        return ERR_FULL;
    c->outgoing = true;
    enum err err = str_copy(str_of(key), c->peer_key, sizeof c->peer_key);
    if (err == OK)
        err = map_put(t->by_peer, str_of(c->peer_key), c, NULL);
    if (err == OK)
        err = stream_connect(t->loop, peer, tls, host, CONN_CONNECT_MS, &events, c, &c->stream);
    if (err != OK) {
        conn_forget(c);
        return err;
    }
    c->local = stream_local(c->stream); /* the connect chose it */
    *ret = c;
    return OK;
}

enum err conn_reach(struct transport *t, struct path *path, struct str host, struct conn **ret)
{
    struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    enum err err = OK;
    if (path->transport != SIP_TLS)
        host = (struct str){0}; /* it is no part of such a connection */
    if (!c) {
        char peer[ADDR_TEXT_SIZE], key[sizeof c->peer_key];
        struct addr to = path->peer;
        if (path->conn && path->listens)
            to.port = path->listens;
        addr_print(&to, peer);
        snprintf(key, sizeof key, "%s %s %.*s %llu", transport_name(path->transport), peer,
                 STR_FMT(str_slice(host, 0, 255)), (unsigned long long)path->account);
        c = map_get(t->by_peer, str_of(key));
        if (!c)
            err = conn_open(t, path, &to, host, key, &c);
        if (err != OK)
            return err;
        path->conn = c->self;
    }
    *ret = c;
    return OK;
}

enum err conn_send(struct transport *t, struct path *path, struct str host, struct str bytes)
{
    struct conn *c;
    enum err err = conn_reach(t, path, host, &c);
    if (err != OK)
        return err;
    conn_touch(c);
    c->in_call |= path->in_call;
    if (c->open)
        return stream_write(c->stream, bytes);
    buf_put_str(&c->unsent, bytes);
    return c->unsent.err == OK ? OK : ERR_FULL;
}

void conns_free(struct transport *t)
{
    handle h;
    struct conn *c;
    if (!t->conns)
        return;
    for (size_t i = 0; (c = pool_next(t->conns, &i, &h));) {
        timer_stop(&c->idle);
        stream_close(c->stream);
        buf_fini(&c->in);
        buf_fini(&c->unsent);
    }
}
