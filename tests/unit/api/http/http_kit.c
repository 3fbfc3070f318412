#include "http_kit.h"

#include <string.h>
#include <unistd.h>

enum { STREAMS_MAX = 64, HEARD_MAX = 8 << 20 };

struct server http_kit_server;
struct worker http_kit_worker;
unsigned http_kit_over;
static struct stream streams[STREAMS_MAX];
static size_t n_streams;
static struct peers *peers;
static char heard[HEARD_MAX];

/* ---- in place of src/net ---- */

enum err stream_adopt(struct loop *l, int fd, const struct addr *peer, struct tls *tls,
                      const struct stream_events *ev, void *arg, struct stream **ret)
{
    assert_true(n_streams < STREAMS_MAX);
    struct stream *s = &streams[n_streams++];
    *s = (struct stream){.events = *ev, .arg = arg};
    buf_init(&s->heard, HEARD_MAX);
    *ret = s;
    return OK;
}

enum err stream_write(struct stream *s, struct str bytes)
{
    assert_false(s->is_closed);
    buf_put_str(&s->heard, bytes);
    s->unsent += s->unsent ? bytes.n : 0;
    return s->unsent > STREAM_MAX_UNSENT ? ERR_FULL : s->heard.err;
}

size_t stream_unsent(const struct stream *s)
{
    return s->unsent;
}

void stream_shut(struct stream *s)
{
    s->is_shut = true;
}

void stream_close(struct stream *s)
{
    assert_false(s->is_closed);
    s->is_closed = true;
}

void stream_read_pause(struct stream *s, bool pause)
{
    s->is_paused = pause;
}

enum err listener_open_sockets(struct loop *l, const struct addr *at, listener_on_socket *on_socket,
                               void *arg, struct listener **ret)
{
    return ERR_BUG;
}

struct addr listener_local(const struct listener *li)
{
    return (struct addr){0};
}

void listener_close(struct listener *li)
{
}

enum err loop_start(struct loop *l)
{
    return ERR_BUG;
}

void loop_stop(struct loop *l)
{
}

/* ---- the test's side ---- */

static void refuse(struct http_request *r, const struct http_refusal *why)
{
    r->status = why->status;
    buf_reset(&r->out);
    buf_puts(&r->out, why->code);
}

static void over(struct http_request *r)
{
    http_kit_over++;
}

void http_kit_begin(http_handler *handle)
{
    char why[200];
    clock_fake(INT64_C(1700000000000));
    assert_ok(peers_new(&(struct peers_settings){"", "Forwarded", 0}, &peers, why, sizeof why));
    http_kit_over = 0;
    n_streams = 0;
    http_kit_server = (struct server){.c = {.threads = 1,
                                            .peers = peers,
                                            .stall_s = 30,
                                            .request_size = sizeof(struct asked),
                                            .handle = handle,
                                            .over = over,
                                            .refuse = refuse}};
    http_kit_worker = (struct worker){.server = &http_kit_server};
    buf_init(&http_kit_worker.out, 1 << 20);
    assert_ok(loop_new(&http_kit_worker.loop, "test", 1000));
}

void http_kit_end(void)
{
    connections_close(&http_kit_worker);
    connections_sweep(&http_kit_worker);
    assert_int_equal(atomic_load(&http_kit_worker.n_connections), 0);
    assert_int_equal(http_kit_worker.exchanges, 0);
    assert_int_equal(http_kit_worker.waiting, 0);
    for (size_t i = 0; i < n_streams; i++) {
        assert_true(streams[i].is_closed);
        buf_fini(&streams[i].heard);
    }
    buf_fini(&http_kit_worker.out);
    loop_free(http_kit_worker.loop);
    peers_free(peers);
}

struct stream *http_kit_connect(void)
{
    struct addr from;
    assert_ok(addr_parse(STR("192.0.2.7:4711"), 0, &from));
    atomic_fetch_add(&http_kit_worker.n_connections, 1);
    atomic_fetch_add(&http_kit_server.n_connections, 1);
    connection_open(&http_kit_worker, -1, &from, NULL);
    return &streams[n_streams - 1];
}

void http_kit_say(struct stream *s, const char *text)
{
    assert_false(s->is_closed);
    s->events.on_bytes(s, s->arg, str_of(text));
    http_kit_later(0);
}

void http_kit_take(struct stream *s)
{
    s->unsent = 0;
    s->events.on_sent(s, s->arg);
    http_kit_later(0);
}

void http_kit_later(int64_t ms)
{
    clock_advance(ms);
    loop_turn(http_kit_worker.loop, 0);
    connections_sweep(&http_kit_worker);
}

const char *http_kit_heard(struct stream *s)
{
    assert_ok(str_copy(buf_str(&s->heard), heard, sizeof heard));
    buf_reset(&s->heard);
    return heard;
}

bool http_kit_has(struct stream *s, const char *text)
{
    return memmem(s->heard.n ? s->heard.p : "", s->heard.n, text, strlen(text));
}
