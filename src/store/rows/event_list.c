/* event_list: lists events, newest first, by any filter. The walk takes the index with the fewest
 * rows: a call's, deliveries that ended badly or wait while they are few, a number's, an account's,
 * and only then all rows. The statement filters what the index does not, and blocks of rows that
 * cannot fit are skipped (store/spans). */
#include <string.h>

#include "base/buf.h"
#include "model/delivery.h"
#include "store/rows/events.h"
#include "store/rows/events_own.h"
#include "store/walk.h"

enum {
    FEW_WAITING = 2000, /* read at once, some µs each */
    FEW_ENDED = 5000,
    PATTERN_MAX =
        12 * EVENT_QUERY_MAX + 8, /* a control character is \u0001 in JSON, twice escaped */
};

struct event_listing {
    const struct event_filter *f;
    enum sql list;
    struct value key;
    char like[PATTERN_MAX], json_like[PATTERN_MAX]; /* patterns of q, as it is and as JSON has it */
    size_t like_n, json_like_n;
    event_row *row;
    void *arg;
    struct list_stop *stop; /* of the chunk */
    bool stopped;
};

static bool event_listing_row(void *arg, const struct value *column, size_t n)
{
    struct event_listing *l = arg;
    struct event e;
    event_of_row(column, &e);
    l->stopped = !l->row(l->arg, column[0].i, &e);
    if (!l->stopped)
        l->stop->at_n = column[0].i;
    return !l->stopped;
}

static enum err event_chunk_read(void *arg, struct db *db, int64_t from_n, int64_t before_n,
                                 struct list_stop *stop, bool *ret_stopped)
{
    struct event_listing *l = arg;
    const struct event_filter *f = l->f;
    l->stop = stop;
    enum err err = db_run(db, l->list,
                          DB_ARGS(l->key, V_INT(from_n), V_INT(before_n), V_INT(f->account),
                                  V_INT(f->kind), V_INT(f->since_ms), V_INT(f->until_ms),
                                  V_TEXT(f->number), V_TEXT(str_of_bytes(l->like, l->like_n)),
                                  V_TEXT(str_of_bytes(l->json_like, l->json_like_n)),
                                  V_INT(f->state), V_INT(f->endpoint)),
                          event_listing_row, l, NULL);
    *ret_stopped = l->stopped;
    return err;
}

/* ---- q ---- */

/* Makes the pattern; a backslash escapes each character that LIKE would treat specially. */
static enum err pattern_make(struct str text, char out[PATTERN_MAX], size_t *ret_n)
{
    struct buf b;
    buf_wrap(&b, out, PATTERN_MAX);
    buf_putc(&b, '%');
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '\\')
            buf_putc(&b, '\\');
        buf_putc(&b, text.p[i]);
    }
    buf_putc(&b, '%');
    *ret_n = b.n;
    return b.err;
}

static enum err patterns_make(struct event_listing *l)
{
    struct buf json;
    char text[PATTERN_MAX];
    if (!l->f->q.n)
        return OK;
    if (l->f->q.n > EVENT_QUERY_MAX)
        return ERR_TOO_BIG;
    buf_wrap(&json, text, sizeof text);
    buf_put_json_str(&json, l->f->q);
    enum err err = json.err;
    if (err == OK) /* without the quotes */
        err = pattern_make(str_slice(buf_str(&json), 1, json.n - 2), l->json_like, &l->json_like_n);
    return err == OK ? pattern_make(l->f->q, l->like, &l->like_n) : err;
}

/* ---- which index ---- */

static enum err is_few(struct db *db, enum delivery_state state, bool *ret)
{
    int64_t count = 0, max = state == DELIVERY_PENDING ? FEW_WAITING : FEW_ENDED;
    enum err err =
        state == DELIVERY_PENDING
            ? db_run_int(db, SQL_DELIVERY_WAITING_COUNT, DB_ARGS(V_INT(max)), &count, NULL)
            : db_run_int(db, SQL_DELIVERY_ENDED_COUNT, DB_ARGS(V_INT(state), V_INT(max)), &count,
                         NULL);
    *ret = count < max;
    return err;
}

static void index_use(struct event_listing *l, struct walk *w, enum sql list, enum sql next,
                      struct value key)
{
    l->list = list;
    l->key = key;
    w->next = next;
}

static enum err index_choose(struct db *db, struct event_listing *l, struct walk *w)
{
    const struct event_filter *f = l->f;
    bool rare = f->state >= 0 && f->state != DELIVERY_DELIVERED, few = false;
    struct value state = V_INT(f->state);
    enum err err = rare && !f->call_id.n ? is_few(db, (enum delivery_state)f->state, &few) : OK;
    if (f->call_id.n)
        index_use(l, w, SQL_EVENT_LIST_CALL, SQL_EVENT_NEXT_CALL, V_TEXT(f->call_id));
    else if (few && f->state == DELIVERY_PENDING)
        index_use(l, w, SQL_EVENT_LIST_WAITING, SQL_COUNT, state);
    else if (few)
        index_use(l, w, SQL_EVENT_LIST_ENDED, SQL_EVENT_NEXT_ENDED, state);
    else if (f->number.n)
        index_use(l, w, SQL_EVENT_LIST_NUMBER, SQL_EVENT_NEXT_NUMBER, V_TEXT(f->number));
    else if (f->account && f->kind == EVENT_SMS_RECEIVED)
        index_use(l, w, SQL_EVENT_LIST_MESSAGES, SQL_EVENT_NEXT_MESSAGES, V_INT(f->account));
    else if (f->account)
        index_use(l, w, SQL_EVENT_LIST_ACCOUNT, SQL_EVENT_NEXT_ACCOUNT, V_INT(f->account));
    else if (rare && f->state != DELIVERY_PENDING)
        index_use(l, w, SQL_EVENT_LIST_ENDED, SQL_EVENT_NEXT_ENDED, state);
    else
        index_use(l, w, SQL_EVENT_LIST, SQL_EVENT_NEXT, V_TEXT(STR("")));
    return err;
}

enum err event_list(struct db *db, const struct event_filter *f, event_row *row, void *arg,
                    struct list_stop *ret)
{
    struct event_listing l = {.f = f, .row = row, .arg = arg};
    struct walk w = {.key = &l.key,
                     .n_key = 1,
                     .spans = {.of = SPAN_EVENTS,
                               .kinds = f->kind < 0 ? 0 : UINT64_C(1) << f->kind,
                               .since_ms = f->since_ms,
                               .until_ms = f->until_ms},
                     .before_n = f->before_n,
                     .rows_max = f->rows_max,
                     .rows = event_chunk_read,
                     .arg = &l};
    *ret = (struct list_stop){.at_n = f->before_n};
    enum err err = patterns_make(&l);
    if (err == OK)
        err = index_choose(db, &l, &w);
    if (err == OK && w.next != SQL_COUNT)
        return walk_run(db, &w, ret);
    if (err == OK)
        err = event_chunk_read(&l, db, 0, f->before_n ? f->before_n : INT64_MAX, ret, &l.stopped);
    ret->at_end = !l.stopped;
    return err;
}

/* ---- streams ---- */

struct event_rows {
    event_row *row;
    void *arg;
};

static bool event_range_row(void *arg, const struct value *column, size_t n)
{
    const struct event_rows *r = arg;
    struct event e;
    event_of_row(column, &e);
    return r->row(r->arg, column[0].i, &e);
}

enum err event_list_after(struct db *db, const struct event_range *range, event_row *row, void *arg)
{
    struct event_rows r = {row, arg};
    return db_run(db, SQL_EVENT_LIST_AFTER,
                  DB_ARGS(V_INT(range->after_n), V_INT(range->until_n), V_INT(range->account),
                          V_INT(range->kind), V_TEXT(range->number), V_TEXT(range->call_id),
                          V_INT(range->since_ms), V_INT(range->limit)),
                  event_range_row, &r, NULL);
}
