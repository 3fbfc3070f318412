/* stream_api: GET /v1/events/stream sends events as they come, as Server-Sent Events (WHATWG HTML
 * §9.2).
 *
 * A stream is a cursor into the rows of events (hub/feed); `id:` is that cursor, so that a client
 * goes on exactly after the last event it has seen. It holds what it prints next and nothing else:
 * at most STREAM_HELD bytes and one event more, however slow its client. Bytes are fetched on the
 * HTTP server's threads; pages of the store on its readers, while the stream sleeps.
 *
 * Each heartbeat, and each change of settings, checks whether the key is still good. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/access.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "base/crypto.h"
#include "base/metrics.h"
#include "store/rows/expiry.h"

enum {
    STREAM_HELD = FEED_TAKE_BYTES,
    STREAM_MAX = STREAM_HELD + EVENT_PAYLOAD_MAX + 16384, /* ids and names besides */
    RETRY_MS = 1000,
    DAY_MS = 86400000
};

struct event_stream {
    struct feed_reader reader; /* first */
    struct request *request;
    struct buf out; /* printed, from `at` on not yet sent */
    size_t at;
    uint64_t scope; /* whom its ids are for */
    int64_t said;   /* the cursor that the client knows */
    int64_t heartbeat_at, checked_at;
    uint64_t generation; /* of the book that the key was checked against */
    bool ended;
    bool find_start;     /* since: first it is looked where its events begin */
    atomic_bool loading; /* a page is on its way */
    int64_t page_cursor;
};

/* ---- printing ---- */

/* Salt 0: an event's id is the same each time. */
static void stream_put_id(struct event_stream *s, int64_t n, uint32_t salt)
{
    struct cursor c = {.of = CURSOR_STREAM, .owner = s->scope, .n = n, .salt = salt};
    char text[CURSOR_SIZE];
    cursor_print(s->request->api->cursor_key, &c, text);
    buf_puts(&s->out, "id: ");
    buf_puts(&s->out, text);
    buf_putc(&s->out, '\n');
    s->said = n;
}

static void stream_put_event(struct event_stream *s, int64_t n, const struct event *e)
{
    stream_put_id(s, n, 0);
    buf_printf(&s->out, "event: %s\ndata: ", event_kind_name(e->kind));
    size_t from = s->out.n;
    buf_put_str(&s->out, e->payload);
    for (size_t i = from; i < s->out.n; i++) /* between tokens of JSON a blank is as good */
        if (s->out.p[i] == '\n' || s->out.p[i] == '\r')
            s->out.p[i] = ' ';
    buf_puts(&s->out, "\n\n");
    metric_add(METRIC_STREAM_EVENTS, 1);
}

static uint32_t random_salt(void)
{
    return (uint32_t)(crypto_random_u64() & CURSOR_SALT_MAX);
}

/* When it has been silent for long enough: a comment, and the place it came to, so that what was
 * passed without a match need not be looked at again after a resume. It is another text each time,
 * moved or not: whether others had events is not told either. */
static bool stream_beat(struct event_stream *s, int64_t now)
{
    const struct api *a = s->request->api;
    int64_t cursor = feed_cursor(a->c.feed, &s->reader);
    if (now < s->heartbeat_at)
        return false;
    s->heartbeat_at = now + a->c.heartbeat_ms;
    buf_puts(&s->out, ":\n");
    stream_put_id(s, cursor > s->said ? cursor : s->said, random_salt());
    buf_putc(&s->out, '\n');
    return true;
}

static void stream_end(struct event_stream *s, const char *why)
{
    buf_printf(&s->out, ": %s\n\n", why);
    s->ended = true;
}

/* ---- pages of the store ---- */

static bool page_on_row(void *arg, int64_t n, const struct event *e)
{
    struct event_stream *s = arg;
    stream_put_event(s, n, e);
    return s->out.n < STREAM_HELD;
}

static struct event_stream *stream_of(struct store_job *job)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    return r->room;
}

static enum err page_run(struct store_job *job, struct db *db)
{
    struct event_stream *s = stream_of(job);
    if (!s->find_start)
        return feed_page(s->request->api->c.feed, &s->reader, db, page_on_row, s, &s->page_cursor);
    return event_before(db, s->reader.filter.since_ms - DAY_MS, &s->page_cursor);
}

/* The cursor goes where the page came to. */
static void page_over(struct event_stream *s)
{
    struct feed *feed = s->request->api->c.feed;
    if (s->find_start)
        feed_seek(feed, &s->reader, s->page_cursor);
    else
        feed_went(feed, &s->reader, s->page_cursor);
    s->find_start = false;
}

static void page_done(struct store_job *job)
{
    struct event_stream *s = stream_of(job);
    struct request *r = s->request;
    if (job->err != OK)
        stream_end(s, "the store cannot be read now; come again");
    page_over(s);
    if (!s->out.n)
        stream_beat(s, clock_mono_ms()); /* many pages may pass without a match */
    atomic_store(&s->loading, false);
    http_wake(&r->http); /* s may be gone */
}

static void stream_load_page(struct event_stream *s)
{
    struct request *r = s->request;
    s->page_cursor = feed_cursor(r->api->c.feed, &s->reader);
    r->job = (struct store_job){
        .run = page_run, .done = page_done, .home = r->api->home, .owner = r->account};
    atomic_store(&s->loading, true);
    if (store_read(r->api->c.store, &r->job) == OK)
        return;
    stream_end(s, "the store has too much to do; come again");
    page_over(s);
    atomic_store(&s->loading, false);
}

/* ---- the stream ---- */

static bool stream_is_allowed(struct event_stream *s, int64_t now)
{
    struct api *a = s->request->api;
    uint64_t generation = books_generation(a->c.books);
    if (generation == s->generation && now - s->checked_at < a->c.heartbeat_ms)
        return true;
    s->generation = generation;
    s->checked_at = now;
    bool allowed = request_is_still_allowed(s->request);
    book_drop(&s->request->book);
    return allowed;
}

static void stream_put_items(struct event_stream *s, struct feed_item *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        stream_put_event(s, item[i].n, item[i].event);
        event_drop(&item[i].event);
    }
}

/* Prints the events there are. False: there are none now, and stream_on_wake comes. */
static bool stream_fill(struct event_stream *s)
{
    struct api *a = s->request->api;
    struct feed_item item[FEED_TAKE_MAX];
    int64_t now = clock_mono_ms();
    size_t n = 0;
    if (atomic_load(&s->loading))
        return false;
    if (!stream_is_allowed(s, now)) {
        stream_end(s, "this key is not good any more");
        return true;
    }
    if (s->find_start) {
        stream_load_page(s);
        return s->ended;
    }
    switch (feed_take(a->c.feed, &s->reader, s->heartbeat_at, item, &n)) {
    case FEED_ITEMS: stream_put_items(s, item, n); break;
    case FEED_BEHIND: stream_load_page(s); return s->ended;
    case FEED_ENDED: stream_end(s, "the daemon is stopping; come again"); return true;
    case FEED_WAIT: return stream_beat(s, now);
    }
    s->heartbeat_at = now + a->c.heartbeat_ms;
    return true;
}

static long stream_on_read(struct http_request *r, char *out, size_t cap)
{
    struct event_stream *s = request_of(r)->room;
    while (s->out.err == OK && s->at == s->out.n) {
        if (s->ended)
            return STREAM_ENDS;
        if (s->out.cap > STREAM_HELD / 8) /* what a burst needed is given back */
            buf_fini(&s->out);
        buf_reset(&s->out);
        s->at = 0;
        if (!stream_fill(s))
            return STREAM_SLEEPS;
    }
    if (s->out.err != OK)
        return STREAM_ENDS; /* without memory: nothing torn is sent, it comes after a resume */
    struct str more = str_slice(buf_str(&s->out), s->at, cap);
    memcpy(out, more.p, more.n);
    s->at += more.n;
    return (long)more.n;
}

static void stream_on_wake(struct feed_reader *reader)
{
    http_wake(&((struct event_stream *)reader)->request->http);
}

static void stream_on_close(struct http_request *r)
{
    struct event_stream *s = request_of(r)->room;
    feed_leave(s->request->api->c.feed, &s->reader);
    buf_fini(&s->out);
}

/* ---- the request ---- */

static enum err request_read_cursor(struct request *r, int64_t *ret)
{
    struct cursor c = {.of = CURSOR_STREAM, .owner = request_scope(r)};
    struct str id = request_header(r, "Last-Event-ID");
    if (!id.n)
        id = request_query(r, "last_event_id");
    *ret = -1;
    if (!id.n)
        return OK;
    if (cursor_parse(r->api->cursor_key, id, &c) != OK)
        return request_refuse(r, "last_event_id", "an id that this stream gave to this account");
    *ret = c.n;
    return OK;
}

static enum err request_read_filter(struct request *r, struct feed_filter *f)
{
    char room[NUMBER_SIZE];
    enum event_kind kind;
    struct str type = request_query(r, "type");
    *f = (struct feed_filter){.account = request_scope(r), .kind = -1};
    enum err err = OK;
    if (type.n && !event_kind_parse(type, &kind))
        err = request_refuse(r, "type", "the name of an event");
    if (err == OK && type.n)
        f->kind = (int)kind;
    if (err == OK && str_copy(request_did(r, room), f->number, sizeof f->number) != OK)
        err = request_refuse(r, "number", "a number in E.164, like +447911123456");
    if (err == OK && str_copy(request_query(r, "call_id"), f->call_id, sizeof f->call_id) != OK)
        err = request_refuse(r, "call_id", "the id of a call, 64 bytes at the most");
    return err == OK ? request_time(r, "since", &f->since_ms) : err;
}

static bool stream_join(struct event_stream *s, int64_t cursor)
{
    struct request *r = s->request;
    bool from_time = cursor < 0 && s->reader.filter.since_ms;
    switch (feed_join(r->api->c.feed, &s->reader, from_time ? 0 : cursor)) {
    case FEED_JOINED: s->find_start = from_time; return true;
    case FEED_OWNER_FULL:
        problem(r, 429, "too_many_streams",
                "Your account has as many event streams open as it may have; close one.");
        break;
    case FEED_FULL:
        problem(r, 503, "streams_full", "The daemon has as many event streams as it can.");
        break;
    case FEED_CLOSED: problem(r, 503, "stopping", "The daemon is stopping; come again."); break;
    }
    return false;
}

void events_stream(struct request *r)
{
    int64_t cursor;
    struct event_stream *s = request_room(r, sizeof *s);
    enum err err = s ? request_read_cursor(r, &cursor) : ERR_NOMEM;
    if (err == OK)
        err = request_read_filter(r, &s->reader.filter);
    if (err != OK) {
        problem_of_err(r, err);
        request_done(r);
        return;
    }
    s->request = r;
    s->reader.owner = r->account;
    s->scope = request_scope(r);
    s->reader.wake = stream_on_wake;
    s->generation = UINT64_MAX; /* none yet */
    buf_init(&s->out, STREAM_MAX);
    if (!stream_join(s, cursor)) {
        request_done(r);
        return;
    }
    book_drop(&r->book); /* a stream is long: it looks into the present book, and keeps none */
    s->heartbeat_at = clock_mono_ms() + r->api->c.heartbeat_ms;
    r->http.status = 200;
    r->http.content_type = "text/event-stream";
    buf_printf(&s->out, "retry: %d\n", RETRY_MS);
    if (!s->find_start) /* it can go on from here though nothing may have come */
        stream_put_id(s, feed_cursor(r->api->c.feed, &s->reader), random_salt());
    buf_putc(&s->out, '\n');
    http_stream(&r->http, stream_on_read, stream_on_close);
}
