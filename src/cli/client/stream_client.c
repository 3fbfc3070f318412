/* stream_client: runs one fetch at a time. Every end of it leads to `stream_lost`, which sets the
 * timer for the next one: as long as the server asked for (`retry`, or Retry-After), doubled each
 * time without a stream, a minute at the most, ±20 %. Silence longer than a few heartbeats is an
 * end too, since a peer that vanished sends nothing. */
#include "cli/client/stream_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "cli/client/fetch.h"
#include "cli/client/sse.h"

enum {
    SILENCE_MS = 60000,
    AGAIN_MIN_MS = 500,
    AGAIN_MAX_MS = 60000,
    REFUSAL_MAX = 16384,
    HEADERS_MAX = 16384,
};

struct stream_client {
    struct stream_client_config c;
    struct tls *tls;
    struct fetch *fetch;
    struct sse sse;
    struct buf refusal; /* the body of an answer that is no stream */
    int status;         /* of this answer; 0: none yet */
    struct timer again;
    int64_t wait_ms;
    bool paused, welcomed;
};

static void on_connect_due(struct timer *t);

static bool status_is_final(int status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

static int64_t stream_next_wait_ms(struct stream_client *s, int64_t retry_after_sec)
{
    int64_t asked = s->sse.retry_ms > AGAIN_MIN_MS ? s->sse.retry_ms : AGAIN_MIN_MS;
    uint8_t random;
    s->wait_ms = s->welcomed || !s->wait_ms ? asked : 2 * s->wait_ms;
    if (retry_after_sec * 1000 > s->wait_ms)
        s->wait_ms = retry_after_sec * 1000;
    if (s->wait_ms > AGAIN_MAX_MS)
        s->wait_ms = AGAIN_MAX_MS;
    crypto_random(&random, 1);
    return s->wait_ms * (80 + random * 40 / 255) / 100;
}

static void stream_lost(struct stream_client *s, const char *why, int64_t retry_after_sec)
{
    struct str text = s->refusal.n ? buf_str(&s->refusal) : str_of(why);
    if (status_is_final(s->status)) {
        s->c.on_news(s->c.arg, STREAM_REFUSED, s->status, 0, text);
        return;
    }
    int64_t wait_ms = stream_next_wait_ms(s, retry_after_sec);
    loop_timer(s->c.loop, &s->again, wait_ms, on_connect_due, s);
    s->c.on_news(s->c.arg, STREAM_LOST, s->status, wait_ms, text);
}

static void on_sse_event(void *arg, struct str event, struct str id, struct str data)
{
    struct stream_client *s = arg;
    s->c.on_event(s->c.arg, event, id, data);
}

static void on_stream_head(void *arg, const struct response_reader *r)
{
    struct stream_client *s = arg;
    s->status = r->status;
    s->welcomed = r->status == 200;
    if (s->welcomed)
        s->c.on_news(s->c.arg, STREAM_CONNECTED, 200, 0, (struct str){0});
}

static void on_stream_body(void *arg, struct str bytes)
{
    struct stream_client *s = arg;
    if (s->status != 200) {
        buf_put_str(&s->refusal, str_slice(bytes, 0, REFUSAL_MAX - s->refusal.n));
        return;
    }
    enum err err = sse_feed(&s->sse, bytes, on_sse_event, s);
    if (err != OK)
        fetch_fail(s->fetch, err);
}

static void on_stream_over(void *arg, enum err why, const char *detail,
                           const struct response_reader *r)
{
    struct stream_client *s = arg;
    int64_t retry_after_sec = response_reader_retry_after_sec(r, clock_wall_ms());
    char text[200];
    (void)!str_copy(
        str_slice(str_of(why == OK ? "the daemon ended the stream" : detail), 0, sizeof text - 1),
        text, sizeof text);
    fetch_free(s->fetch);
    s->fetch = NULL;
    stream_lost(s, text, retry_after_sec);
}

static enum err print_headers(const struct stream_client *s, struct buf *b)
{
    buf_puts(b, "Accept: text/event-stream\r\nCache-Control: no-store\r\n");
    if (s->c.key)
        buf_printf(b, "Authorization: Bearer %s\r\n", s->c.key);
    if (s->sse.last_id[0])
        buf_printf(b, "Last-Event-ID: %s\r\n", s->sse.last_id);
    return b->err;
}

static void on_connect_due(struct timer *t)
{
    struct stream_client *s = t->arg;
    struct buf headers;
    sse_restart(&s->sse);
    buf_reset(&s->refusal);
    s->welcomed = false;
    s->status = 0;
    buf_init(&headers, HEADERS_MAX);
    enum err err = print_headers(s, &headers);
    struct fetch_config c = {.loop = s->c.loop,
                             .url = &s->c.url,
                             .tls = s->tls,
                             .method = "GET",
                             .path = s->c.path,
                             .headers = buf_str(&headers),
                             .silence_ms = SILENCE_MS,
                             .on_head = on_stream_head,
                             .on_body = on_stream_body,
                             .on_end = on_stream_over,
                             .arg = s};
    if (err == OK)
        err = fetch_start(&c, &s->fetch);
    buf_fini(&headers);
    if (err != OK)
        stream_lost(s, err_text(err), -1);
    else
        fetch_pause(s->fetch, s->paused);
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
    buf_init(&s->refusal, REFUSAL_MAX + 1);
    enum err err = str_copy(str_of(c->last_id), s->sse.last_id, sizeof s->sse.last_id);
    if (err == OK && c->url.https)
        err = tls_new(&tc, &s->tls);
    if (err != OK) {
        stream_client_close(s);
        return err;
    }
    loop_timer(c->loop, &s->again, 0, on_connect_due, s);
    *ret = s;
    return OK;
}

void stream_client_close(struct stream_client *s)
{
    if (!s)
        return;
    fetch_free(s->fetch);
    timer_stop(&s->again);
    tls_free(s->tls);
    sse_fini(&s->sse);
    buf_fini(&s->refusal);
    free(s);
}

void stream_client_pause(struct stream_client *s, bool pause)
{
    if (s->paused == pause)
        return;
    s->paused = pause;
    if (s->fetch)
        fetch_pause(s->fetch, pause);
}
