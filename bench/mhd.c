/* mhd: the bare libmicrohttpd server that stands beside our API, with as many threads and
 * connections, and nothing behind them. It reads a body without looking at it, stores nothing and
 * answers 202 with as many bytes as ours would.
 *
 * GET is a stream: it brings everything that is POSTed with the same key, as ours would print it.
 * Each key has one log of bytes under one lock. A stream is a place in it, suspended while there
 * is no more.
 *
 *     bench_mhd http= [threads=2] [events=1]      events of a request: the length of the answer
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "figures.h"

enum {
    CONNECTIONS_MAX = 4096,
    PER_ADDRESS = 3000,
    CONNECTION_MEMORY = 32768,
    TIMEOUT_S = 60,
    STREAM_BLOCK = 16384
};
enum { CHANNELS_MAX = 64, LOG_MAX = 1 << 30, BODY_MAX = 1 << 20 };

struct stream {
    struct MHD_Connection *connection;
    struct channel *channel;
    size_t at;
    bool asleep;
    struct stream *next;
};

struct channel { /* the streams of one key */
    char key[128];
    struct buf log;
    size_t events;
    struct stream *streams;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the channels and all in them */
static struct channel channels[CHANNELS_MAX];
static size_t n_channels;
static struct buf answer_body;

static struct channel *channel_of(struct MHD_Connection *connection)
{
    const char *key =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    for (size_t i = 0; key && i < n_channels; i++)
        if (!strcmp(channels[i].key, key))
            return &channels[i];
    if (!key || n_channels == CHANNELS_MAX)
        return NULL;
    struct channel *c = &channels[n_channels++];
    snprintf(c->key, sizeof c->key, "%s", key);
    buf_init(&c->log, LOG_MAX);
    return c;
}

/* Appends {"event":"call_ended",…} as it stands in a stream, as long as ours. */
static void event_put(struct channel *c, struct str object)
{
    struct str name = str_from(object, strlen("{\"event\":\"")), rest;
    str_cut(name, '"', &name, &rest);
    buf_printf(&c->log,
               "id: n%zu\nevent: %.*s\ndata: {\"api_version\":\"2026-11\","
               "\"occurred_at\":\"2026-11-24T04:03:02.123Z\",",
               ++c->events, STR_FMT(name));
    buf_put_str(&c->log, str_from(object, 1));
    buf_puts(&c->log, "\n\n");
}

/* Counts the objects of an array, which hold no others. */
static void events_put(struct channel *c, struct str body)
{
    while (body.n) {
        size_t from = str_find(body, '{'), to = str_find(body, '}');
        if (to == body.n || from > to)
            return;
        event_put(c, str_slice(body, from, to + 1 - from));
        body = str_from(body, to + 1);
    }
}

static void channel_broadcast(struct MHD_Connection *connection, struct str body)
{
    pthread_mutex_lock(&lock);
    struct channel *c = n_channels ? channel_of(connection) : NULL;
    if (c && c->streams)
        events_put(c, body);
    for (struct stream *s = c ? c->streams : NULL; s; s = s->next)
        if (s->asleep && s->at < c->log.n) {
            s->asleep = false;
            MHD_resume_connection(s->connection);
        }
    pthread_mutex_unlock(&lock);
}

static ssize_t stream_on_read(void *arg, uint64_t at, char *out, size_t cap)
{
    struct stream *s = arg;
    pthread_mutex_lock(&lock);
    struct str more = str_slice(buf_str(&s->channel->log), s->at, cap);
    if (more.n) {
        memcpy(out, more.p, more.n);
        s->at += more.n;
    } else {
        s->asleep = true;
        MHD_suspend_connection(s->connection);
    }
    pthread_mutex_unlock(&lock);
    return (ssize_t)more.n;
}

static void stream_on_gone(void *arg)
{
    struct stream *s = arg;
    pthread_mutex_lock(&lock);
    struct stream **at = &s->channel->streams;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    pthread_mutex_unlock(&lock);
    free(s);
}

static enum MHD_Result answer(struct MHD_Connection *connection, struct MHD_Response *r,
                              unsigned status, const char *type)
{
    MHD_add_response_header(r, "Content-Type", type);
    enum MHD_Result ok = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return ok;
}

static enum MHD_Result stream_open(struct MHD_Connection *connection)
{
    struct stream *s = calloc(1, sizeof *s);
    pthread_mutex_lock(&lock);
    struct channel *c = s ? channel_of(connection) : NULL;
    if (c) {
        *s = (struct stream){connection, c, c->log.n, false, c->streams};
        c->streams = s;
    }
    pthread_mutex_unlock(&lock);
    if (!c) {
        free(s);
        return MHD_NO;
    }
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    return answer(connection,
                  MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, stream_on_read,
                                                    s, stream_on_gone),
                  200, "text/event-stream");
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_n, void **state)
{
    struct buf *body = *state;
    if (!body) {
        if (!(*state = body = calloc(1, sizeof *body)))
            return MHD_NO;
        buf_init(body, BODY_MAX);
        return MHD_YES;
    }
    if (*upload_n) {
        buf_put(body, upload, *upload_n);
        *upload_n = 0;
        return MHD_YES;
    }
    if (strcmp(method, "POST") != 0)
        return stream_open(connection);
    channel_broadcast(connection, buf_str(body));
    return answer(
        connection,
        MHD_create_response_from_buffer(answer_body.n, answer_body.p, MHD_RESPMEM_MUST_COPY), 202,
        "application/json");
}

static void request_on_completed(void *arg, struct MHD_Connection *connection, void **state,
                                 enum MHD_RequestTerminationCode code)
{
    buf_fini(*state);
    free(*state);
    *state = NULL;
}

int main(int argc, char **argv)
{
    int port = (int)arg_int(argv, "http", 7181), which;
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL); /* before there are threads */
    buf_init(&answer_body, BODY_MAX);
    buf_puts(&answer_body, "{\"data\":[");
    for (int64_t i = 0; i < arg_int(argv, "events", 1); i++)
        buf_printf(&answer_body, "%s{\"id\":\"evt_%026lld\",\"duplicate\":false}", i ? "," : "",
                   (long long)i);
    buf_puts(&answer_body, "]}");
    struct MHD_Daemon *d = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        (uint16_t)port, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)arg_int(argv, "threads", 2),
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)PER_ADDRESS, MHD_OPTION_NOTIFY_COMPLETED,
        request_on_completed, NULL, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
    if (!d) {
        fprintf(stderr, "127.0.0.1:%d cannot be listened on\n", port);
        return 1;
    }
    sigwait(&end, &which);
    exit(0); /* the end of the process ends streams that sleep */
}
