/* stream_client: one connection at a time, from the name to the last byte. Every way it can end
 * leads to `lost`, which sets the timer for the next one: as long as the server asked for (`retry`,
 * or Retry-After), doubled each time without an event in between, a minute at the most, ±20 %.
 * Silence longer than a few heartbeats is an end too: a peer that vanished says nothing.
 *
 * A connection that ended is put away in the next turn, because most ends are noticed inside its
 * own callbacks. */
#include "cli/stream_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "cli/response.h"
#include "cli/sse.h"
#include "net/stream.h"

enum {
    CONNECT_MS = 10000,
    SILENCE_MS = 60000,
    AGAIN_MIN_MS = 500,
    AGAIN_MAX_MS = 60000,
    REFUSAL_MAX = 16384,
    HEAD_MAX = 16384,
};

struct stream_client {
    struct stream_client_config c;
    struct tls *tls;
    struct lookup *lookup;
    struct resolved at;
    size_t next_address;
    struct stream *stream;
    struct response response;
    struct sse sse;
    struct buf refusal; /* the body of an answer that is no stream */
    struct timer again, silence;
    int64_t wait_ms;
    enum err why; /* the connection is over: put away in the next turn */
    bool over, paused, open, welcomed;
};

static void connect_now(struct timer *t);

static void disconnect(struct stream_client *s)
{
    lookup_cancel(s->lookup);
    s->lookup = NULL;
    stream_close(s->stream);
    s->stream = NULL;
    s->open = false;
    timer_stop(&s->silence);
}

static bool is_final(int status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

static int64_t next_wait(struct stream_client *s)
{
    int64_t asked = s->sse.retry_ms > AGAIN_MIN_MS ? s->sse.retry_ms : AGAIN_MIN_MS;
    uint8_t random;
    s->wait_ms = s->welcomed || !s->wait_ms ? asked : 2 * s->wait_ms;
    if (s->response.retry_after_sec * 1000 > s->wait_ms)
        s->wait_ms = s->response.retry_after_sec * 1000;
    if (s->wait_ms > AGAIN_MAX_MS)
        s->wait_ms = AGAIN_MAX_MS;
    crypto_random(&random, 1);
    return s->wait_ms * (80 + random * 40 / 255) / 100;
}

static void lost(struct timer *t)
{
    struct stream_client *s = t->arg;
    int status = s->response.status;
    struct str text = buf_str(&s->refusal);
    disconnect(s);
    s->over = false;
    if (is_final(status)) {
        s->c.on_news(s->c.arg, STREAM_REFUSED, status, 0, text);
        return;
    }
    if (!text.n)
        text = str_of(err_text(s->why));
    int64_t wait_ms = next_wait(s);
    loop_timer(s->c.loop, &s->again, wait_ms, connect_now, s);
    s->c.on_news(s->c.arg, STREAM_LOST, status, wait_ms, text);
}

/* Allowed anywhere; the first reason counts. */
static void end(struct stream_client *s, enum err why)
{
    if (s->over)
        return;
    s->over = true;
    s->why = why;
    loop_timer(s->c.loop, &s->again, 0, lost, s);
}

/* ---- what comes in ---- */

static void on_sse_event(void *arg, struct str event, struct str id, struct str data)
{
    struct stream_client *s = arg;
    s->c.on_event(s->c.arg, event, id, data);
}

static void on_body(void *arg, struct str bytes)
{
    struct stream_client *s = arg;
    if (s->response.status != 200) {
        buf_put_str(&s->refusal, str_slice(bytes, 0, REFUSAL_MAX - s->refusal.n));
        return;
    }
    enum err err = sse_feed(&s->sse, bytes, on_sse_event, s);
    if (err != OK)
        end(s, err);
}

static void on_silence(struct timer *t)
{
    end(t->arg, ERR_TIMEOUT);
}

static void on_bytes(struct stream *stream, void *arg, struct str bytes)
{
    struct stream_client *s = arg;
    if (s->over)
        return;
    if (!s->paused)
        loop_timer(s->c.loop, &s->silence, SILENCE_MS, on_silence, s);
    enum err err = response_feed(&s->response, bytes, on_body, s);
    if (err != OK || s->response.ended) {
        end(s, err != OK ? err : ERR_CLOSED);
    } else if (s->response.head_done && s->response.status == 200 && !s->welcomed) {
        s->welcomed = true;
        s->c.on_news(s->c.arg, STREAM_CONNECTED, 200, 0, (struct str){0});
    }
}

static void on_end(struct stream *stream, void *arg, enum err why)
{
    end(arg, why);
}

/* ---- what goes out ---- */

static void on_open(struct stream *stream, void *arg)
{
    struct stream_client *s = arg;
    struct buf b;
    s->open = true;
    stream_read_pause(stream, s->paused);
    buf_init(&b, HEAD_MAX);
    buf_printf(&b, "GET %s HTTP/1.1\r\nHost: ", s->c.path);
    url_print_authority(&s->c.url, &b);
    buf_puts(&b, "\r\nUser-Agent: hookswitch/" HOOKSWITCH_VERSION
                 "\r\nAccept: text/event-stream\r\nCache-Control: no-store\r\n"
                 "Connection: close\r\n");
    if (s->c.key)
        buf_printf(&b, "Authorization: Bearer %s\r\n", s->c.key);
    if (s->sse.last_id[0])
        buf_printf(&b, "Last-Event-ID: %s\r\n", s->sse.last_id);
    buf_puts(&b, "\r\n");
    enum err err = b.err == OK ? stream_write(stream, buf_str(&b)) : b.err;
    buf_fini(&b);
    if (err != OK)
        end(s, err);
}

static void on_end_before_open(struct stream *stream, void *arg, enum err why);

static void connect_next(struct stream_client *s)
{
    static const struct stream_events events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_end = on_end_before_open};
    if (s->next_address >= s->at.n) {
        end(s, s->why != OK ? s->why : ERR_UNREACHABLE);
        return;
    }
    const struct addr *to = &s->at.addr[s->next_address++];
    enum err err = stream_connect(s->c.loop, to, s->tls, str_of(s->c.url.host), CONNECT_MS, &events,
                                  s, &s->stream);
    if (err != OK)
        end(s, err);
}

static void on_try_next(struct timer *t)
{
    struct stream_client *s = t->arg;
    disconnect(s);
    connect_next(s);
}

/* A name may have several addresses: the next one is tried while nothing has been heard. */
static void on_end_before_open(struct stream *stream, void *arg, enum err why)
{
    struct stream_client *s = arg;
    bool silent = s->response.head_n == 0 && (why == ERR_UNREACHABLE || why == ERR_TIMEOUT);
    if (s->over || !silent || s->next_address >= s->at.n) {
        on_end(stream, s, why);
        return;
    }
    s->why = why;
    loop_timer(s->c.loop, &s->again, 0, on_try_next, s);
}

static void on_resolved(void *arg, const struct resolved *r)
{
    struct stream_client *s = arg;
    s->lookup = NULL;
    if (r->err != OK) {
        end(s, r->err);
        return;
    }
    s->at = *r;
    connect_next(s);
}

static void connect_now(struct timer *t)
{
    struct stream_client *s = t->arg;
    response_fini(&s->response);
    response_init(&s->response);
    sse_restart(&s->sse);
    buf_reset(&s->refusal);
    s->welcomed = false;
    s->why = OK;
    s->next_address = 0;
    loop_timer(s->c.loop, &s->silence, SILENCE_MS, on_silence, s);
    if (s->c.url.host_is_address) {
        s->at = (struct resolved){.n = 1, .addr = {s->c.url.address}};
        s->at.addr[0].port = s->c.url.port;
        connect_next(s);
        return;
    }
    enum err err = resolver_host(s->c.resolver, str_of(s->c.url.host), s->c.url.port, on_resolved,
                                 s, &s->lookup);
    if (err != OK)
        end(s, err);
}

/* ---- life ---- */

enum err stream_client_open(const struct stream_client_config *c, struct stream_client **ret)
{
    struct tls_config tc = {.ca_file = c->ca_file};
    struct stream_client *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->c = *c;
    sse_init(&s->sse);
    response_init(&s->response);
    buf_init(&s->refusal, REFUSAL_MAX + 1);
    enum err err = str_copy(str_of(c->last_id), s->sse.last_id, sizeof s->sse.last_id);
    if (err == OK && c->url.https)
        err = tls_new(&tc, &s->tls);
    if (err != OK) {
        stream_client_close(s);
        return err;
    }
    loop_timer(c->loop, &s->again, 0, connect_now, s);
    *ret = s;
    return OK;
}

void stream_client_close(struct stream_client *s)
{
    if (!s)
        return;
    disconnect(s);
    timer_stop(&s->again);
    tls_free(s->tls);
    response_fini(&s->response);
    sse_fini(&s->sse);
    buf_fini(&s->refusal);
    free(s);
}

void stream_client_pause(struct stream_client *s, bool pause)
{
    if (s->paused == pause)
        return;
    s->paused = pause;
    if (pause)
        timer_stop(&s->silence);
    else
        loop_timer(s->c.loop, &s->silence, SILENCE_MS, on_silence, s);
    if (s->open && !s->over)
        stream_read_pause(s->stream, pause);
}
