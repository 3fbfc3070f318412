/* connections: SIP over TCP and TLS. One connection per peer is shared by all that goes there; the
 * bytes that come are cut into messages by their Content-Length alone. CRLF CRLF is answered CRLF
 * (RFC 5626 §4.4.1). What idles for ten minutes is closed. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"
#include "sip/transport_conn.h"

static void conn_close(struct conn *c)
{
    struct transport *t = c->t;
    handle self = c->self;
    timer_stop(&c->idle);
    stream_close(c->stream);
    buf_fini(&c->in);
    buf_fini(&c->unsent);
    if (c->peer_key[0] && map_get(t->by_peer, str_of(c->peer_key)) == c)
        map_remove(t->by_peer, str_of(c->peer_key));
    pool_give(t->conns, self);
    t->user.on_gone(t->user.arg, self);
}

static void on_idle(struct timer *timer)
{
    conn_close(timer->arg);
}

static void touch(struct conn *c)
{
    loop_timer(c->t->loop, &c->idle, CONN_IDLE_MS, on_idle, c);
}

/* Hands over the first whole message of c->in; false when there is none, or the connection ended.
 */
static bool message_take(struct conn *c)
{
    struct transport *t = c->t;
    handle self = c->self;
    size_t skip, size;
    enum err err = sip_frame(&c->framing, c->in.p, c->in.n, &skip, &size);
    if (skip >= 4)
        (void)!stream_write(c->stream, STR("\r\n")); /* a pong that cannot be sent is not missed */
    if (err == ERR_AGAIN) {
        buf_cut(&c->in, skip);
        return false;
    }
    if (err != OK) {
        metric_add(METRIC_SIP_MALFORMED, 1);
        log_sparse(LOG_WARN, 10000, "sip", "a stream that cannot be cut into messages is closed");
        conn_close(c);
        return false;
    }
    struct path from = {
        .transport = c->transport, .listen = c->listen, .conn = c->self, .peer = c->peer};
    char *at = c->in.p + skip;
    metric_add(METRIC_SIP_PACKETS_IN, 1);
    /* A copy, because the answer may close the connection and free c->in. */
    char *copy = malloc(size + 1);
    if (!copy) {
        conn_close(c);
        return false;
    }
    memcpy(copy, at, size);
    copy[size] = '\0';
    buf_cut(&c->in, skip + size);
    t->user.on_message(t->user.arg, &from, copy, size, 0);
    free(copy);
    return pool_at(t->conns, self) == c && c->in.n > 0;
}

static void on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct conn *c = arg;
    touch(c);
    buf_put_str(&c->in, bytes);
    if (c->in.err != OK) {
        conn_close(c);
        return;
    }
    while (message_take(c))
        ;
}

static void on_open(struct stream *s, void *arg)
{
    struct conn *c = arg;
    c->open = true;
    if (c->unsent.n && stream_write(s, buf_str(&c->unsent)) != OK) {
        conn_close(c);
        return;
    }
    buf_reset(&c->unsent);
}

static void on_end(struct stream *s, void *arg, enum err why)
{
    struct conn *c = arg;
    if (!c->open) {
        char peer[ADDR_TEXT_SIZE];
        addr_print(&c->peer, peer);
        log_sparse(LOG_WARN, 5000, "sip", "connecting to %s failed: %s %s", peer, err_text(why),
                   stream_tls_error(s));
    }
    conn_close(c);
}

static const struct stream_events events = {on_open, on_bytes, on_end};

static struct conn *conn_new(struct transport *t, enum sip_transport how, uint8_t listen,
                             const struct addr *peer)
{
    handle h;
    struct conn *c = pool_take(t->conns, &h);
    if (!c)
        return NULL;
    *c = (struct conn){
        .t = t, .self = h, .transport = (uint8_t)how, .listen = listen, .peer = *peer};
    buf_init(&c->in, 2 * SIP_MESSAGE_MAX);
    buf_init(&c->unsent, CONN_UNSENT_MAX);
    touch(c);
    return c;
}

void conn_on_accept(void *arg, struct stream *s)
{
    struct listening *l = arg;
    struct addr peer = stream_peer(s);
    if (!l->t->user.may_connect(l->t->user.arg, &peer))
        return; /* not taken: closed */
    struct conn *c = conn_new(l->t, l->transport, l->index, &peer);
    if (!c)
        return;
    c->open = true;
    c->local = stream_local(s);
    c->stream = s;
    stream_take(s, &events, c);
}

static struct tls *client_tls(struct transport *t)
{
    struct tls_config tc = {0};
    if (!t->tls && tls_new(&tc, &t->tls) != OK)
        t->tls = NULL;
    return t->tls;
}

static enum err conn_open(struct transport *t, struct path *path, struct str host, const char *key,
                          struct conn **ret)
{
    struct tls *tls = path->transport == SIP_TLS ? client_tls(t) : NULL;
    if (path->transport == SIP_TLS && !tls)
        return ERR_TLS;
    struct conn *c = conn_new(t, path->transport, path->listen, &path->peer);
    if (!c)
        return ERR_FULL;
    c->outgoing = true;
    enum err err = str_copy(str_of(key), c->peer_key, sizeof c->peer_key);
    if (err == OK)
        err = map_put(t->by_peer, str_of(c->peer_key), c, NULL);
    if (err == OK)
        err = stream_connect(t->loop, &path->peer, tls, host, CONN_CONNECT_MS, &events, c,
                             &c->stream);
    if (err != OK) {
        map_remove(t->by_peer, str_of(c->peer_key));
        timer_stop(&c->idle);
        buf_fini(&c->in);
        buf_fini(&c->unsent);
        pool_give(t->conns, c->self);
        return err;
    }
    c->local = stream_local(c->stream); /* the connect chose it */
    *ret = c;
    return OK;
}

enum err conn_send(struct transport *t, struct path *path, struct str host, struct str bytes)
{
    struct conn *c = path->conn ? pool_at(t->conns, path->conn) : NULL;
    enum err err = OK;
    if (!c) {
        char peer[ADDR_TEXT_SIZE], key[sizeof c->peer_key];
        addr_print(&path->peer, peer);
        snprintf(key, sizeof key, "%s %s %.*s", transport_name(path->transport), peer,
                 STR_FMT(str_slice(host, 0, 255)));
        c = map_get(t->by_peer, str_of(key));
        if (!c)
            err = conn_open(t, path, host, key, &c);
        if (err != OK)
            return err;
        path->conn = c->self;
    }
    touch(c);
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
