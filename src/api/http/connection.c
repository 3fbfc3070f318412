/* connection: serves one client's connection. It reads a request, hands it to its handler, writes
 * the answer, and reads the next: one at a time, so that answers leave in the order of their
 * requests. Called by server.c with accepted sockets; its worker's thread.
 *
 * The state table below gives each state its timer, and connection_enter() is the one place that
 * changes the state. A handler may answer on any thread and at any time: `turn` tells whether the
 * exchange is the worker's or waits for another thread. An exchange that waits outlives its
 * connection; all else goes with it. A closed connection is freed at the end of the turn, so that
 * no caller holds a pointer to nothing. */
#include <stdlib.h>
#include <unistd.h>

#include "api/http/connection.h"
#include "api/http/peers.h"
#include "base/clock.h"
#include "base/metrics.h"

enum {
    BODY_MAX_MS = 60000, /* the whole of a body, however slowly it comes */
    NEXT_TURN_MS = 1,
    REQUESTS_A_TURN = 32,    /* of one connection before the others' turn */
    BEHIND_MAX = 256 * 1024, /* bytes of requests that came before their turn */
};

/* How long a state may last. 0: no limit; a stream's is the server's. */
static const int64_t lasts_ms[] = {
    [STATE_HEAD] = 10000, [STATE_IDLE] = 60000,      [STATE_NEXT_HEAD] = 10000,
    [STATE_BODY] = 20000, [STATE_ANSWERING] = 60000, [STATE_LINGERING] = 2000,
    [STATE_CLOSED] = 0,
};

static void connection_on_timer(struct timer *t);

void connection_enter(struct connection *c, enum connection_state state)
{
    c->state = state;
    int64_t ms =
        state == STATE_STREAMING ? c->worker->server->c.stall_s * INT64_C(1000) : lasts_ms[state];
    timer_stop(&c->timer);
    if (ms)
        loop_timer(c->worker->loop, &c->timer, ms, connection_on_timer, c);
}

void connection_pause(struct connection *c)
{
    loop_timer(c->worker->loop, &c->timer, NEXT_TURN_MS, connection_on_timer, c);
}

/* ---- exchanges ---- */

void exchange_free(struct exchange *x)
{
    struct http_request *r = x->r;
    const struct server_config *c = &r->server->c;
    if (x->on_end)
        x->on_end(r);
    x->worker->exchanges -= x->is_counted;
    metric_add(METRIC_API_IN_HAND, -x->is_unanswered);
    peers_leave(c->peers, x->client);
    request_reader_fini(&x->in);
    buf_fini(&x->query);
    buf_fini(&r->body);
    buf_fini(&r->out);
    if (c->over)
        c->over(r);
    free(x);
}

static bool exchange_on_head(struct request_reader *in)
{
    struct exchange *x = in->arg;
    struct connection *c = x->connection;
    exchange_find_client(x, x->r->server->c.peers, &c->from);
    if (!exchange_read_head(x))
        return false;
    if (!request_reader_is_1_0(in) && !request_reader_is_too_big(in) &&
        str_eq_nocase(request_reader_header(in, STR("Expect")), STR("100-continue")))
        (void)!stream_write(c->stream, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    c->body_since_ms = clock_mono_ms();
    connection_enter(c, STATE_BODY);
    return true;
}

static struct exchange *exchange_new(struct connection *c)
{
    struct server *s = c->worker->server;
    struct exchange *x = calloc(1, sizeof *x + s->c.request_size);
    if (!x)
        return NULL;
    x->connection = c;
    x->worker = c->worker;
    x->r = (struct http_request *)x->request;
    x->r->server = s;
    x->r->exchange = x;
    x->r->method = "GET";
    x->r->raw_path = x->r->path;
    x->r->content_type = "application/json";
    buf_init(&x->r->body, REQUEST_BODY_MAX);
    buf_init(&x->r->out, ANSWER_MAX);
    request_reader_init(&x->in, &x->r->body, exchange_on_head, x);
    return x;
}

/* ---- the end of a connection ---- */

/* An exchange that waits is freed when its mail comes. */
static void connection_drop_exchange(struct connection *c)
{
    struct exchange *x = c->x;
    c->x = NULL;
    if (x && x->waits)
        x->connection = NULL;
    else if (x)
        exchange_free(x);
}

void connection_close(struct connection *c)
{
    struct worker *w = c->worker;
    if (c->state == STATE_CLOSED)
        return;
    connection_drop_exchange(c);
    connection_enter(c, STATE_CLOSED);
    stream_close(c->stream);
    peers_leave(w->server->c.peers, c->peer);
    buf_fini(&c->behind);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->next = w->closed;
    w->closed = c;
    atomic_fetch_sub(&w->n_connections, 1);
    atomic_fetch_sub(&w->server->n_connections, 1);
    metric_add(METRIC_API_CONNECTIONS, -1);
}

void connections_close(struct worker *w)
{
    while (w->connections)
        connection_close(w->connections);
}

void connections_sweep(struct worker *w)
{
    struct connection *c;
    while ((c = w->closed)) {
        w->closed = c->next;
        free(c);
    }
}

/* ---- requests ---- */

/* Answers with the refusal that x->r has, and closes: it is not known what the bytes behind it are.
 */
static void connection_refuse(struct connection *c)
{
    struct exchange *x = c->x;
    x->keeps_alive = false;
    x->is_counted = true;
    x->whole_us = clock_mono_us();
    c->worker->exchanges++;
    connection_answer(c);
}

static void connection_read_on(struct connection *c);

static void exchange_on_mail(struct mail *m)
{
    struct exchange *x = (struct exchange *)((char *)m - offsetof(struct exchange, mail));
    struct connection *c = x->connection;
    x->waits = false;
    x->worker->waiting--;
    if (!c) {
        exchange_free(x);
        return;
    }
    if (c->state == STATE_STREAMING)
        connection_pump(c);
    else
        connection_answer(c);
    connection_read_on(c);
}

static void exchange_hand_over(struct connection *c)
{
    struct worker *w = c->worker;
    struct exchange *x = c->x;
    struct http_request *r = x->r;
    connection_enter(c, STATE_IN_HAND);
    x->is_counted = x->is_unanswered = true;
    w->exchanges++;
    metric_add(METRIC_API_IN_HAND, 1);
    x->whole_us = clock_mono_us();
    x->keeps_alive = request_reader_keeps_alive(&x->in) && !w->stopping;
    x->mail.open = exchange_on_mail;
    if (w->stopping) {
        server_refuse(r, 503, "stopping", "The daemon is stopping; it was not taken.");
    } else if (x->crowded) {
        r->retry_after_s = 1;
        server_refuse(r, 429, "too_many_connections", "Too many requests of this address at once.");
    } else {
        atomic_store(&x->turn, TURN_RUNS);
        w->server->c.handle(r);
        if (exchange_is_passed_on(x))
            return;
    }
    connection_answer(c);
}

static void connection_keep_behind(struct connection *c, struct str bytes)
{
    if (!bytes.n)
        return;
    buf_put_str(&c->behind, bytes);
    if (!c->paused)
        stream_read_pause(c->stream, true);
    c->paused = true;
    if (c->behind.err != OK)
        connection_close(c);
}

static void connection_refuse_late(struct connection *c)
{
    server_refuse(c->x->r, 408, "request_timeout", "The request did not come in time.");
    connection_refuse(c);
}

static void connection_read_request(struct connection *c, struct str bytes)
{
    while (!c->x && bytes.n && (bytes.p[0] == '\r' || bytes.p[0] == '\n'))
        bytes = str_from(bytes, 1); /* RFC 9112 §2.2 */
    if (!bytes.n)
        return;
    if (!c->x && !(c->x = exchange_new(c))) {
        connection_close(c);
        return;
    }
    if (c->state == STATE_IDLE)
        connection_enter(c, STATE_NEXT_HEAD);
    switch (request_reader_feed(&c->x->in, &bytes)) {
    case HTTP_READ_WHOLE:
        connection_keep_behind(c, bytes);
        if (c->state != STATE_CLOSED)
            exchange_hand_over(c);
        break;
    case HTTP_READ_FAULT:
        exchange_refuse_fault(c->x);
        connection_refuse(c);
        break;
    case HTTP_READ_MORE:
        if (c->state != STATE_BODY)
            break;
        if (clock_mono_ms() - c->body_since_ms > BODY_MAX_MS)
            connection_refuse_late(c);
        else
            connection_enter(c, STATE_BODY);
    }
}

static bool is_reading(const struct connection *c)
{
    return c->state <= STATE_BODY || c->state == STATE_LINGERING;
}

/* Reads on: the bytes that came behind a request come next, once that is answered. */
static void connection_read_on(struct connection *c)
{
    for (int n = 0; c->state == STATE_IDLE && c->behind.n; n++) {
        if (n == REQUESTS_A_TURN) {
            connection_pause(c);
            return;
        }
        struct buf came = c->behind;
        buf_init(&c->behind, BEHIND_MAX);
        connection_read_request(c, buf_str(&came));
        buf_fini(&came);
    }
    if (c->eof && is_reading(c))
        connection_close(c);
    else if (c->paused && is_reading(c) && !c->behind.n) {
        c->paused = false;
        stream_read_pause(c->stream, false);
    }
}

/* ---- events of the stream and the timer ---- */

static void connection_on_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct connection *c = arg;
    if (c->state == STATE_IN_HAND || c->state == STATE_ANSWERING)
        connection_keep_behind(c, bytes);
    else if (c->state <= STATE_BODY)
        connection_read_request(c, bytes);
    connection_read_on(c);
}

static void connection_on_sent(struct stream *s, void *arg)
{
    struct connection *c = arg;
    if (c->state == STATE_STREAMING) {
        connection_pump(c);
    } else if (c->state == STATE_ANSWERING) {
        connection_enter(c, STATE_ANSWERING);
        connection_send_rest(c);
    }
    connection_read_on(c);
}

/* A client that shuts its side may still want its answers; one that reads a stream has gone. */
static void connection_on_eof(struct stream *s, void *arg)
{
    struct connection *c = arg;
    c->eof = c->paused = true;
    if (c->state == STATE_STREAMING)
        connection_close(c);
    else
        connection_read_on(c);
}

static void connection_on_end(struct stream *s, void *arg, enum err why)
{
    connection_close(arg);
}

static void connection_on_timer(struct timer *t)
{
    struct connection *c = t->arg;
    bool is_late =
        (c->state == STATE_HEAD || c->state == STATE_NEXT_HEAD || c->state == STATE_BODY) && c->x;
    if (is_late)
        connection_refuse_late(c);
    else if (c->state == STATE_IDLE && c->behind.n)
        connection_read_on(c);
    else if (c->state == STATE_STREAMING && !stream_unsent(c->stream))
        connection_pump(c);
    else
        connection_close(c);
}

void connection_open(struct worker *w, int fd, const struct addr *from, struct peer *peer)
{
    static const struct stream_events events = {.on_bytes = connection_on_bytes,
                                                .on_end = connection_on_end,
                                                .on_sent = connection_on_sent,
                                                .on_eof = connection_on_eof};
    struct connection *c = calloc(1, sizeof *c);
    if (!c || stream_adopt(w->loop, fd, from, NULL, &events, c, &c->stream) != OK) {
        free(c);
        close(fd);
        peers_leave(w->server->c.peers, peer);
        atomic_fetch_sub(&w->n_connections, 1);
        atomic_fetch_sub(&w->server->n_connections, 1);
        return;
    }
    c->worker = w;
    c->from = *from;
    c->peer = peer;
    buf_init(&c->behind, BEHIND_MAX);
    c->next = w->connections;
    c->link = &w->connections;
    if (c->next)
        c->next->link = &c->next;
    w->connections = c;
    metric_add(METRIC_API_CONNECTIONS, 1);
    connection_enter(c, STATE_HEAD);
}
