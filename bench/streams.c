/* streams: reads all streams in one epoll thread. It cuts the chunks into lines. `id:` must grow
 * from event to event, and the id in `data:` says which event it is. */
#include "streams.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "line.h"

enum {
    READ_MAX = 65536,
    TEXT_MAX = 1 << 20,
    TURN_EVENTS = 256,
    TURN_MS = 20,
    OPEN_MAX_US = 30000000
};

struct stream {
    struct line line; /* its request; the answer is read here */
    unsigned number;  /* among the ledger's endpoints */
    bool open;        /* the head has come */
    size_t chunk;     /* bytes of it that are still to come */
    struct buf raw, text;
    long long row; /* the last that it was told */
};

struct streams {
    struct ledger *ledger;
    struct stream *stream;
    size_t n;
    int ep;
    pthread_t thread;
    atomic_size_t open, out_of_order;
    _Atomic double cpu_us;
    atomic_bool stop;
};

static void streams_die(const char *what, struct str bytes)
{
    fprintf(stderr, "a stream: %s: %.*s\n", what, STR_FMT(str_slice(bytes, 0, 500)));
    exit(1);
}

static void stream_on_line(struct streams *all, struct stream *s, struct str text, int64_t now_us)
{
    static const char id[] = "\"id\":\"evt_";
    if (str_starts(text, STR("id: n"))) {
        long long row = atoll(text.p + 5); /* the line's end stands behind */
        if (row <= s->row)
            atomic_fetch_add(&all->out_of_order, 1);
        s->row = row;
        return;
    }
    const char *at =
        str_starts(text, STR("data: ")) ? memmem(text.p, text.n, id, sizeof id - 1) : NULL;
    if (!at)
        return;
    struct str event = str_from(text, (size_t)(at - text.p) + sizeof id - 5), rest;
    str_cut(event, '"', &event, &rest);
    (void)ledger_arrived(all->ledger, s->number, event, now_us);
}

static void stream_read_lines(struct streams *all, struct stream *s, int64_t now_us)
{
    size_t at = 0;
    const char *end;
    while ((end = memchr(s->text.p + at, '\n', s->text.n - at))) {
        stream_on_line(all, s, str_of_bytes(s->text.p + at, (size_t)(end - s->text.p) - at),
                       now_us);
        at = (size_t)(end - s->text.p) + 1;
    }
    buf_cut(&s->text, at);
}

/* Moves the content of chunks from raw to text (RFC 9112 §7.1). */
static void stream_read_chunks(struct stream *s)
{
    size_t at = 0;
    for (;;) {
        struct str more = str_from(buf_str(&s->raw), at);
        if (s->chunk) {
            size_t n = more.n < s->chunk ? more.n : s->chunk;
            buf_put(&s->text, more.p, n);
            s->chunk -= n;
            at += n;
            if (s->chunk)
                break;
            continue;
        }
        if (str_starts(more, STR("\r\n"))) { /* behind the one before */
            at += 2;
            continue;
        }
        const char *end = more.p ? memmem(more.p, more.n, "\r\n", 2) : NULL;
        if (!end)
            break;
        s->chunk = strtoul(more.p, NULL, 16);
        if (!s->chunk)
            streams_die("it ended", more);
        at += (size_t)(end + 2 - more.p);
    }
    buf_cut(&s->raw, at);
}

static void stream_read_head(struct streams *all, struct stream *s)
{
    const char *end = memmem(s->raw.p, s->raw.n, "\r\n\r\n", 4);
    if (!end)
        return;
    if (atoi(s->raw.p + 9) != 200 || !strcasestr(s->raw.p, "chunked"))
        streams_die("refused", buf_str(&s->raw));
    buf_cut(&s->raw, (size_t)(end + 4 - s->raw.p));
    s->open = true;
    atomic_fetch_add(&all->open, 1);
}

static void stream_on_readable(struct streams *all, struct stream *s)
{
    char *room = buf_room(&s->raw, READ_MAX);
    ssize_t k = room ? recv(s->line.fd, room, READ_MAX - 1, 0) : 0;
    if (k < 0 && errno == EAGAIN)
        return;
    if (k <= 0)
        streams_die("closed", buf_str(&s->raw));
    int64_t now = clock_mono_us();
    s->raw.n += (size_t)k;
    s->raw.p[s->raw.n] = '\0';
    if (!s->open)
        stream_read_head(all, s);
    if (s->open)
        stream_read_chunks(s);
    if (s->text.n)
        stream_read_lines(all, s, now);
    if (s->raw.err != OK || s->text.err != OK)
        streams_die("no memory", (struct str){0});
}

static void *streams_run(void *arg)
{
    struct streams *all = arg;
    struct epoll_event got[TURN_EVENTS];
    pthread_setname_np(pthread_self(), "streams");
    while (!all->stop) {
        int n = epoll_wait(all->ep, got, TURN_EVENTS, TURN_MS);
        for (int i = 0; i < n; i++)
            stream_on_readable(all, got[i].data.ptr);
        all->cpu_us = cpu_of_this_thread_us();
    }
    return NULL;
}

static void stream_open(struct streams *all, struct stream *s, const struct tenants *t)
{
    char query[48] = "", number[24];
    struct ledger *l = all->ledger;
    unsigned account = s->number / l->endpoints;
    ledger_print_number(l, account, s->number % l->endpoints, number);
    if (!l->to_all)
        snprintf(query, sizeof query, "?number=%%2B%s", number + 1);
    s->row = -1;
    buf_init(&s->raw, TEXT_MAX);
    buf_init(&s->text, TEXT_MAX);
    line_open(&s->line, t->port, all->ep, s);
    buf_printf(&s->line.request,
               "GET /v1/events/stream%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
               "Accept: text/event-stream\r\n\r\n",
               query, t->key[account]);
    line_send(&s->line, s);
}

struct streams *streams_open(const struct tenants *t, struct ledger *l)
{
    struct streams *all = calloc(1, sizeof *all);
    if (!all || !(all->stream = calloc((size_t)l->accounts * l->endpoints, sizeof *all->stream)))
        streams_die("no memory", (struct str){0});
    all->ledger = l;
    all->n = (size_t)l->accounts * l->endpoints;
    all->ep = epoll_create1(0);
    if (pthread_create(&all->thread, NULL, streams_run, all) != 0)
        streams_die("no thread", (struct str){0});
    for (unsigned i = 0; i < all->n; i++) {
        all->stream[i].number = i;
        stream_open(all, &all->stream[i], t);
    }
    int64_t until = clock_mono_us() + OPEN_MAX_US;
    while (all->open < all->n) {
        if (clock_mono_us() > until)
            streams_die("they did not all open", (struct str){0});
        usleep(1000);
    }
    return all;
}

void streams_close(struct streams *all)
{
    all->stop = true;
    pthread_join(all->thread, NULL);
    for (size_t i = 0; i < all->n; i++) {
        line_close(&all->stream[i].line);
        buf_fini(&all->stream[i].raw);
        buf_fini(&all->stream[i].text);
    }
    close(all->ep);
    free(all->stream);
    free(all);
}

double streams_cpu_us(const struct streams *s)
{
    return s->cpu_us;
}

size_t streams_out_of_order(const struct streams *s)
{
    return s->out_of_order;
}
