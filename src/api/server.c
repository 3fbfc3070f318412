/* server: HTTP in, by libmicrohttpd (epoll, a small pool of threads). A request is read whole,
 * bounded at 256 KiB, suspended, handed to its handler, and resumed when that says request_done.
 *
 * A stream is suspended while it has nothing to say. The waker may be faster than the suspending:
 * `state` tells who resumes. libmicrohttpd must not be stopped while a connection is suspended, so
 * all that may be are counted; the lock is for the stop's wait alone. */
#include "api/server_inside.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/head.h"
#include "api/idempotency.h"
#include "api/peers.h"
#include "api/problem.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    CONNECTIONS_MAX = 4096,
    CONNECTION_MEMORY = 32768,
    HEAD_TIMEOUT_S = 10, /* nothing came, and the head is not there: the first of a connection */
    BODY_TIMEOUT_S = 20, /* nothing came, and the body is not there */
    BODY_MAX_S = 60,     /* the whole of it, however it drips */
    IDLE_TIMEOUT_S = 60, /* between requests */
    STREAM_BLOCK = 16384,
    LAST_WORDS_S = 2, /* what a stop gives streams to end whole; a client that stalls is cut off */
};

struct server {
    struct server_config c;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    pthread_cond_t none;
    size_t in_hand; /* requests handed over, streams that are asked or asleep */
    size_t streams; /* open */
    bool stopping;
};

enum { AWAKE, ASLEEP, WOKEN };

/* ---- who is in hand ---- */

static bool enter(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    bool may = !s->stopping;
    s->in_hand += may;
    pthread_mutex_unlock(&s->lock);
    return may;
}

static void leave(struct server *s)
{
    pthread_mutex_lock(&s->lock);
    if (--s->in_hand == 0)
        pthread_cond_signal(&s->none);
    pthread_mutex_unlock(&s->lock);
}

static void resume(struct server *s, struct MHD_Connection *connection)
{
    MHD_resume_connection(connection);
    leave(s);
}

void request_done(struct request *r)
{
    struct exchange *x = exchange_of(r);
    struct MHD_Connection *connection = x->connection;
    if (r->out.err != OK)
        problem(r, 500, "internal", "The answer is too large.");
    struct server *s = r->server;
    atomic_store(&x->done, true);
    resume(s, connection);
}

void request_stream(struct request *r, request_read_fn *read, void (*on_end)(struct request *r))
{
    struct exchange *x = exchange_of(r);
    x->read_more = read;
    x->on_end = on_end;
    pthread_mutex_lock(&r->server->lock);
    r->server->streams++;
    pthread_mutex_unlock(&r->server->lock);
    request_done(r);
}

void request_wake(struct request *r)
{
    struct exchange *x = exchange_of(r);
    if (atomic_exchange(&x->state, WOKEN) == ASLEEP)
        resume(r->server, x->connection);
}

/* On the connection's thread, whenever it can send more. */
static ssize_t on_read(void *arg, uint64_t at, char *out, size_t cap)
{
    struct exchange *x = arg;
    struct server *s = x->r.server;
    if (!enter(s))
        return MHD_CONTENT_READER_END_OF_STREAM;
    atomic_store(&x->state, AWAKE);
    long n = x->read_more(&x->r, out, cap);
    if (n != STREAM_SLEEPS) {
        leave(s);
        return n == STREAM_ENDS ? MHD_CONTENT_READER_END_OF_STREAM : n;
    }
    MHD_suspend_connection(x->connection);
    int awake = AWAKE;
    if (!atomic_compare_exchange_strong(&x->state, &awake, ASLEEP))
        resume(s, x->connection);
    return 0;
}

static void set_timeout(struct MHD_Connection *connection, unsigned seconds)
{
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

static struct exchange *exchange_new(struct server *s, struct MHD_Connection *connection,
                                     const char *url, const char *method)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->connection = connection;
    x->began_ms = clock_mono_ms();
    set_timeout(connection, BODY_TIMEOUT_S);
    x->r = (struct request){.server = s,
                            .api = s->c.api,
                            .method = strcmp(method, "HEAD") ? method : "GET",
                            .content_type = "application/json",
                            .mhd = x};
    buf_init(&x->r.body, REQUEST_BODY_MAX);
    buf_init(&x->r.out, ANSWER_MAX);
    buf_init(&x->r.mem, 4 << 20);
    buf_init(&x->r.doc, 4 << 20);
    x->long_path = str_copy(head_path(url), x->r.path, sizeof x->r.path) != OK;
    exchange_find_client(x, s->c.peers);
    return x;
}

static void exchange_free(struct exchange *x)
{
    struct request *r = &x->r;
    if (x->on_end) {
        x->on_end(r);
        pthread_mutex_lock(&r->server->lock);
        if (--r->server->streams == 0)
            pthread_cond_signal(&r->server->none);
        pthread_mutex_unlock(&r->server->lock);
    }
    peers_leave(r->server->c.peers, x->client);
    buf_fini(&r->body);
    buf_fini(&r->out);
    buf_fini(&r->mem);
    buf_fini(&r->doc);
    keyed_free(r->keyed);
    free(r->room);
    json_free(r->json);
    event_drop(&r->event);
    book_drop(&r->book);
    free(x);
}

static enum MHD_Result send_answer(struct exchange *x)
{
    struct request *r = &x->r;
    struct MHD_Response *answer =
        x->read_more
            ? MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, on_read, x, NULL)
            : MHD_create_response_from_buffer(r->out.n, r->out.p, MHD_RESPMEM_MUST_COPY);
    if (!answer)
        return MHD_NO;
    if (x->read_more) {
        MHD_add_response_header(answer, "X-Accel-Buffering", "no"); /* proxies pass it on at once */
        set_timeout(x->connection, r->server->c.stall_s);
    }
    answer_put_headers(r, answer);
    enum MHD_Result ok = MHD_queue_response(x->connection, (unsigned)r->status, answer);
    MHD_destroy_response(answer);
    return ok;
}

/* Called for the head, for each piece of the body, at its end, and after a resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    struct server *s = arg;
    struct exchange *x = *state;
    if (!x) {
        *state = x = exchange_new(s, connection, url, method);
        if (!x || exchange_is_sound(x, version))
            return x ? MHD_YES : MHD_NO;
        x->handed = true;
        atomic_store(&x->done, true);
        return send_answer(x); /* whose connection is closed: nobody knows where the body ends */
    }
    if (*upload_n) {
        if (!x->too_big)
            buf_put(&x->r.body, upload, *upload_n);
        x->too_big |= x->r.body.err == ERR_TOO_BIG;
        *upload_n = 0;
        return clock_mono_ms() - x->began_ms < BODY_MAX_S * 1000 ? MHD_YES : MHD_NO;
    }
    if (x->handed)
        return atomic_load(&x->done) ? send_answer(x) : MHD_YES;
    x->handed = true;
    set_timeout(connection, IDLE_TIMEOUT_S);
    if (x->too_big || x->crowded || x->r.body.err != OK) {
        if (x->crowded) {
            x->r.retry_after_s = 1;
            problem(&x->r, 429, "too_many_connections",
                    "Too many requests of this address at once.");
        } else if (x->too_big)
            problem_too_large(&x->r);
        else
            problem_of_err(&x->r, x->r.body.err);
        atomic_store(&x->done, true);
        return send_answer(x);
    }
    if (!enter(s)) {
        problem(&x->r, 503, "stopping", "The daemon is stopping; it was not taken.");
        return send_answer(x);
    }
    MHD_suspend_connection(connection);
    s->c.handle(&x->r);
    return MHD_YES;
}

static size_t on_unescape(void *arg, struct MHD_Connection *connection, char *s)
{
    return head_unescape(s);
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    if (*state)
        exchange_free(*state);
    *state = NULL;
}

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *fmt, va_list args)
{
    char text[512];
    vsnprintf(text, sizeof text, fmt, args);
    log_sparse(LOG_WARN, 1000, "api", "%s", text);
}

/* ---- who may connect ---- */

static enum MHD_Result on_accept(void *arg, const struct sockaddr *sa, socklen_t n)
{
    struct server *s = arg;
    struct addr from;
    return !addr_from_sockaddr(sa, &from) || proxies_has(peers_proxies(s->c.peers), &from) ||
                   !peers_full(s->c.peers, &from)
               ? MHD_YES
               : MHD_NO;
}

/* Counted here and not when it is accepted: what fails in between has no end that we are told. */
static void on_connection(void *arg, struct MHD_Connection *connection, void **kept,
                          enum MHD_ConnectionNotificationCode code)
{
    struct server *s = arg;
    struct addr from;
    const union MHD_ConnectionInfo *peer;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        peers_leave(s->c.peers, *kept);
        *kept = NULL;
        return;
    }
    peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (peer && peer->client_addr && addr_from_sockaddr(peer->client_addr, &from) &&
        !proxies_has(peers_proxies(s->c.peers), &from))
        *kept = peers_enter(s->c.peers, &from);
}

static void server_free(struct server *s)
{
    pthread_cond_destroy(&s->none);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

enum err server_start(const struct server_config *c, struct server **ret, char *why, size_t cap)
{
    struct sockaddr_storage at;
    char text[ADDR_TEXT_SIZE];
    struct server *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->c = *c;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->none, NULL);
    addr_to_sockaddr(&c->listen, &at);
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG |
                     (c->listen.family == 6 ? MHD_USE_IPv6 : 0);
    s->daemon = MHD_start_daemon(
        flags, c->listen.port, on_accept, s, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, s,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_THREAD_POOL_SIZE, c->threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HEAD_TIMEOUT_S,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        s, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, s,
        MHD_OPTION_END);
    if (!s->daemon) {
        addr_print(&c->listen, text);
        snprintf(why, cap, "http.listen: %s cannot be listened on (is it in use?)", text);
        server_free(s);
        return ERR_IO;
    }
    *ret = s;
    return OK;
}

struct addr server_local(const struct server *s)
{
    struct addr at = s->c.listen;
    const union MHD_DaemonInfo *i = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (i)
        at.port = i->port;
    return at;
}

void server_stop(struct server *s)
{
    struct timespec until;
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    while (s->in_hand)
        pthread_cond_wait(&s->none, &s->lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LAST_WORDS_S;
    while (s->streams && pthread_cond_clockwait(&s->none, &s->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
    MHD_stop_daemon(s->daemon);
    server_free(s);
}
