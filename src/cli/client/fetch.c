/* fetch: tries the addresses one after another until one answers, then sends the request and reads
 * the answer. It ends in a turn of its own, since most ends are noticed inside the callbacks of
 * its connection. Callers: client, which waits for the whole answer, and stream_client. */
#include "cli/client/fetch.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 10000, ADDRESSES_MAX = 16, REQUEST_MAX = 1 << 20, HEAD_MAX = 32 * 1024 };

struct fetch {
    struct fetch_config c;
    struct url url;
    struct buf request;
    struct addr at[ADDRESSES_MAX];
    size_t n_at, next_at;
    struct stream *stream;
    struct response_reader response;
    struct timer later, silence;
    enum err why;
    char detail[160];
    bool over, open, paused;
};

static const struct stream_events events;

static void on_over(struct timer *t)
{
    struct fetch *f = t->arg;
    stream_close(f->stream);
    f->stream = NULL;
    f->c.on_end(f->c.arg, f->why, f->detail[0] ? f->detail : err_text(f->why), &f->response);
}

/* The first reason counts. */
static void fetch_end(struct fetch *f, enum err why)
{
    if (f->over)
        return;
    f->over = true;
    f->why = why;
    if (f->stream && why == ERR_TLS)
        snprintf(f->detail, sizeof f->detail, "%s: %s", err_text(why), stream_tls_error(f->stream));
    timer_stop(&f->silence);
    loop_timer(f->c.loop, &f->later, 0, on_over, f);
}

void fetch_fail(struct fetch *f, enum err why)
{
    fetch_end(f, why);
}

static void on_silence(struct timer *t)
{
    fetch_end(t->arg, ERR_TIMEOUT);
}

static void fetch_watch_silence(struct fetch *f)
{
    if (!f->paused && !f->over)
        loop_timer(f->c.loop, &f->silence, f->c.silence_ms, on_silence, f);
}

static void fetch_connect_next(struct timer *t)
{
    struct fetch *f = t->arg;
    stream_close(f->stream);
    f->stream = NULL;
    enum err err = stream_connect(f->c.loop, &f->at[f->next_at++], f->c.tls, str_of(f->url.host),
                                  CONNECT_MS, &events, f, &f->stream);
    if (err != OK)
        fetch_end(f, err);
}

static void on_fetch_open(struct stream *s, void *arg)
{
    struct fetch *f = arg;
    f->open = true;
    stream_read_pause(s, f->paused);
    enum err err = stream_write(s, buf_str(&f->request));
    if (err != OK)
        fetch_end(f, err);
    fetch_watch_silence(f);
}

static void on_fetch_head(void *arg)
{
    struct fetch *f = arg;
    if (f->response.is_coded) /* only chunks were asked for */
        fetch_end(f, ERR_SYNTAX);
    else if (f->c.on_head)
        f->c.on_head(f->c.arg, &f->response);
}

static void on_fetch_body(void *arg, struct str bytes)
{
    struct fetch *f = arg;
    if (!f->over)
        f->c.on_body(f->c.arg, bytes);
}

static void on_fetch_bytes(struct stream *s, void *arg, struct str bytes)
{
    struct fetch *f = arg;
    size_t rest; /* bytes after the end are ignored */
    if (f->over)
        return;
    fetch_watch_silence(f);
    enum err err = response_reader_feed(&f->response, bytes, &rest);
    if (err != OK || f->response.complete)
        fetch_end(f, err);
}

static void on_stream_end(struct stream *s, void *arg, enum err why)
{
    struct fetch *f = arg;
    bool whole = why == ERR_CLOSED && response_reader_end(&f->response);
    if (f->over)
        return;
    if (!f->open && f->next_at < f->n_at && why != ERR_TLS)
        loop_timer(f->c.loop, &f->later, 0, fetch_connect_next,
                   f); /* the next address may answer */
    else
        fetch_end(f, whole ? OK : why);
}

static const struct stream_events events = {
    .on_open = on_fetch_open, .on_bytes = on_fetch_bytes, .on_end = on_stream_end};

static enum err fetch_look_up(struct fetch *f)
{
    char host[sizeof f->url.host], port[8];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    struct str bare = str_of(f->url.host);
    if (bare.n > 2 && bare.p[0] == '[')
        bare = str_slice(bare, 1, bare.n - 2);
    snprintf(host, sizeof host, "%.*s", STR_FMT(bare));
    snprintf(port, sizeof port, "%u", f->url.port);
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return ERR_DNS;
    for (struct addrinfo *a = list; a && f->n_at < ADDRESSES_MAX; a = a->ai_next)
        f->n_at += addr_from_sockaddr(a->ai_addr, &f->at[f->n_at]);
    freeaddrinfo(list);
    return f->n_at ? OK : ERR_DNS;
}

static enum err fetch_print_request(struct fetch *f)
{
    struct buf *b = &f->request;
    buf_printf(b, "%s %s HTTP/1.1\r\nHost: ", f->c.method, f->c.path);
    url_print_authority(&f->url, b);
    buf_puts(b, "\r\nUser-Agent: hookswitch/" HOOKSWITCH_VERSION "\r\nConnection: close\r\n");
    buf_put_str(b, f->c.headers);
    if (f->c.body.p)
        buf_printf(b, "Content-Length: %zu\r\n", f->c.body.n);
    buf_puts(b, "\r\n");
    buf_put_str(b, f->c.body);
    return b->err;
}

enum err fetch_start(const struct fetch_config *c, struct fetch **ret)
{
    static const struct response_limits max = {.head_max = HEAD_MAX}; /* a stream has no end */
    struct fetch *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->c = *c;
    f->url = *c->url;
    buf_init(&f->request, REQUEST_MAX);
    response_reader_init(&f->response, &max, on_fetch_body, f);
    f->response.on_head = on_fetch_head;
    enum err err = fetch_print_request(f);
    if (err == OK)
        err = fetch_look_up(f);
    if (err != OK) {
        fetch_free(f);
        return err;
    }
    loop_timer(c->loop, &f->later, 0, fetch_connect_next, f);
    *ret = f;
    return OK;
}

void fetch_free(struct fetch *f)
{
    if (!f)
        return;
    timer_stop(&f->later);
    timer_stop(&f->silence);
    stream_close(f->stream);
    buf_fini(&f->request);
    free(f);
}

void fetch_pause(struct fetch *f, bool pause)
{
    f->paused = pause;
    timer_stop(&f->silence);
    fetch_watch_silence(f);
    if (f->open && !f->over)
        stream_read_pause(f->stream, pause);
}
