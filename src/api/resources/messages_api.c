/* messages_api: lists text messages as people read them, newest first: all, or by thread. Reads on
 * the store's readers. A page may be shorter than its limit before the list ends: each request
 * looks at so many rows and no more. */
#include <stdio.h>
#include <string.h>

#include "api/core/event_state.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "store/rows/expiry.h"
#include "store/rows/inbox.h"

enum { THREAD_ROWS_MAX = 2000, COUNT_MAX = 1000, QUERY_MAX = 128 };

struct messages_page {
    struct request *r;
    struct db *db;
    struct json_writer w;
    unsigned left;
    int64_t top_n; /* threads: as they were when this was the newest */
    enum err err;
};

/* Prints members of the payload, as they stand there. */
static void put_members(struct json_writer *w, const struct json *doc, const char *const *name,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_get(doc, name[i]);
        json_put_raw(w, name[i], v ? STR("") : STR("null"));
        if (v)
            buf_put_json(w->b, v);
    }
}

static enum err put_message(struct messages_page *l, const char *key, int64_t n,
                            const struct event *e)
{
    static const char *const first[] = {"id", "message_id", "from", "to", "message", "timestamp"};
    static const char *const then[] = {"encoding", "parts", "partial"};
    struct json *doc = NULL;
    const char *state = "";
    enum err err = json_parse(e->payload, &doc, NULL, 0);
    if (err == OK)
        err = event_state(l->db, n, &state);
    if (err == OK) {
        json_obj(&l->w, key);
        put_members(&l->w, doc, first, sizeof first / sizeof *first);
        put_members(&l->w, doc, then, sizeof then / sizeof *then);
        if (l->r->is_operator)
            json_put_str(&l->w, "account", account_id(l->r, e->account));
        if (e->simulated)
            json_put_bool(&l->w, "simulated", true);
        put_time(&l->w, "received_at", e->occurred_at_ms);
        json_put_str(&l->w, "state", str_of(state));
        json_end_obj(&l->w);
    }
    json_free(doc);
    return err;
}

static bool messages_page_on_message(void *arg, int64_t n, const struct event *e)
{
    struct messages_page *l = arg;
    if (l->left == 0)
        return false;
    l->left--;
    l->err = put_message(l, NULL, n, e);
    return l->err == OK;
}

static enum err messages_work(struct request *r, struct db *db)
{
    struct messages_page l = {.r = r, .db = db};
    struct inbox_filter f = {.rows_max = LIST_ROWS_MAX};
    struct list_stop stop;
    char number[NUMBER_SIZE], peer[NUMBER_SIZE];
    enum err err = request_page(r, CURSOR_MESSAGES, &l.left, &f.before_n);
    if (err == OK)
        err = request_list_scope(r, &f.account);
    if (err == OK)
        err = request_time(r, "since", &f.since_ms);
    if (err == OK)
        err = request_time(r, "until", &f.until_ms);
    f.q = request_query(r, "q");
    if (err == OK && f.q.n > QUERY_MAX)
        err = request_refuse(r, "q", "at most 128 bytes");
    if (err != OK)
        return err;
    f.number = request_did(r, number);
    f.peer = request_number(r, "peer", peer);
    list_begin(r, &l.w);
    err = inbox_walk(db, &f, messages_page_on_message, &l, &stop);
    list_end(r, &l.w, CURSOR_MESSAGES, stop.at_end ? 0 : stop.at_n);
    return err != OK ? err : l.err;
}

void messages_list(struct request *r)
{
    request_read(r, messages_work);
}

/* ---- threads ---- */

static bool messages_page_on_thread(void *arg, int64_t n, const struct event *e)
{
    struct messages_page *l = arg;
    struct json_writer *w = &l->w;
    int64_t count = 0;
    if (l->left == 0)
        return false;
    l->left--;
    l->err = inbox_count(l->db, e, l->top_n, COUNT_MAX + 1, &count);
    if (l->err != OK)
        return false;
    json_obj(w, NULL);
    json_put_str(w, "number", e->number);
    json_put_str(w, "peer", e->peer);
    json_put_i64(w, "count", count < COUNT_MAX ? count : COUNT_MAX);
    json_put_bool(w, "more", count > COUNT_MAX);
    put_time(w, "last_at", e->occurred_at_ms);
    l->err = put_message(l, "last", n, e);
    json_end_obj(w);
    return l->err == OK;
}

/* Reads a cursor of two places: pages of one walk show one moment, whatever comes meanwhile. The
 * second bears some of the first, so that they stay together. */
static enum err thread_cursor(struct request *r, struct db *db, int64_t *ret_top, int64_t *ret_n)
{
    struct cursor top = {.of = CURSOR_THREADS_TOP, .owner = request_scope(r)};
    struct cursor at = {.of = CURSOR_THREADS, .owner = top.owner};
    struct str text = request_query(r, "cursor");
    *ret_n = 0;
    if (!text.n)
        return event_last(db, ret_top);
    if (cursor_parse(r->api->cursor_key, str_slice(text, 0, CURSOR_SIZE - 1), &top) != OK ||
        cursor_parse(r->api->cursor_key, str_from(text, CURSOR_SIZE - 1), &at) != OK ||
        at.salt != (top.n & CURSOR_SALT_MAX) || top.n == INT64_MAX)
        return request_refuse(r, "cursor", "a next_cursor from an answer to this list");
    *ret_top = top.n;
    *ret_n = at.n;
    return OK;
}

static void put_thread_cursor(struct request *r, int64_t top_n, int64_t n,
                              char out[2 * CURSOR_SIZE])
{
    struct cursor top = {.of = CURSOR_THREADS_TOP, .owner = request_scope(r), .n = top_n};
    struct cursor at = {.of = CURSOR_THREADS,
                        .owner = top.owner,
                        .n = n,
                        .salt = (uint32_t)(top_n & CURSOR_SALT_MAX)};
    cursor_print(r->api->cursor_key, &top, out);
    cursor_print(r->api->cursor_key, &at, out + CURSOR_SIZE - 1);
}

static enum err threads_work(struct request *r, struct db *db)
{
    struct messages_page l = {.r = r, .db = db};
    struct inbox_filter f = {.account = request_scope(r), .rows_max = THREAD_ROWS_MAX};
    struct list_stop stop;
    char number[NUMBER_SIZE], next[2 * CURSOR_SIZE];
    enum err err = request_limit(r, &l.left);
    if (err == OK)
        err = thread_cursor(r, db, &l.top_n, &f.before_n);
    if (err != OK)
        return err;
    f.number = request_did(r, number);
    list_begin(r, &l.w);
    err = inbox_threads(db, &f, l.top_n, messages_page_on_thread, &l, &stop);
    put_thread_cursor(r, l.top_n, stop.at_n, next);
    json_end_arr(&l.w);
    json_put_str(&l.w, "next_cursor", stop.at_end ? (struct str){0} : str_of(next));
    json_end_obj(&l.w);
    return err != OK ? err : l.err;
}

void threads_list(struct request *r)
{
    request_read(r, threads_work);
}
