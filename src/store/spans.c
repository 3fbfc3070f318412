/* spans: writes spans for the housekeeper, and reads them for walks (store/walk). They are safe
 * because they can be wrong in one direction only, too wide: rows never change their number, time
 * or kind, a full block gets no new rows, and a deletion leaves its span too wide. */
#include "store/spans.h"

#include "store/engine.h"

enum {
    LOOK_MAX = 4096, /* spans in one go: four million rows */
    RUN_MAX = 32,    /* blocks of a run that fits: more than a walk takes at once */
};

static const enum sql newest[SPAN_OF_COUNT] = {SQL_EVENT_LAST, SQL_CALL_LAST, SQL_AUDIT_LAST};
static const enum sql oldest[SPAN_OF_COUNT] = {SQL_EVENT_FIRST, SQL_CALL_FIRST, SQL_AUDIT_FIRST};
static const enum sql sums[SPAN_OF_COUNT] = {SQL_SPAN_OF_EVENTS, SQL_SPAN_OF_CALLS,
                                             SQL_SPAN_OF_AUDIT};

static bool span_sums_row(void *arg, const struct value *c, size_t n)
{
    struct span *s = arg;
    bool any = c[0].kind == VALUE_INT;
    s->from_ms = any ? c[0].i : 1;
    s->to_ms = any ? c[1].i : 0;
    s->kinds = any ? (uint64_t)c[2].i : 0;
    return false;
}

enum err spans_find(struct db *db, enum span_of of, struct span *ret, size_t max, size_t *ret_n,
                    int64_t *ret_first)
{
    int64_t known = -1, first = 0, last = 0;
    *ret_n = 0;
    enum err err = db_run_int(db, SQL_SPAN_LAST, DB_ARGS(V_INT(of)), &known, NULL);
    if (err == OK)
        err = db_run_int(db, oldest[of], NULL, 0, &first, NULL);
    if (err == OK)
        err = db_run_int(db, newest[of], NULL, 0, &last, NULL);
    *ret_first = first / SPAN_ROWS;
    int64_t block = known + 1 > *ret_first ? known + 1 : *ret_first;
    for (; err == OK && *ret_n < max && (block + 1) * SPAN_ROWS - 1 <= last; block++) {
        struct span *s = &ret[(*ret_n)++];
        *s = (struct span){.of = of, .block = block};
        err =
            db_run(db, sums[of], DB_ARGS(V_INT(block * SPAN_ROWS), V_INT((block + 1) * SPAN_ROWS)),
                   span_sums_row, s, NULL);
    }
    return err;
}

enum err span_put(struct db *db, const struct span *s)
{
    return db_run(
        db, SQL_SPAN_PUT,
        DB_ARGS(V_INT(s->of), V_INT(s->block), V_INT(s->kinds), V_INT(s->from_ms), V_INT(s->to_ms)),
        NULL, NULL, NULL);
}

enum err spans_forget(struct db *db, enum span_of of, int64_t before_block)
{
    return db_run(db, SQL_SPAN_FORGET, DB_ARGS(V_INT(of), V_INT(before_block)), NULL, NULL, NULL);
}

/* ---- reading ---- */

/* The search through blocks from the newest to the oldest; `block` is the next one to read. */
struct search {
    const struct span_filter *f;
    int64_t block, last_block; /* last_block: the first that fits; -1: none yet */
    int64_t from_block;        /* the run of those that fit ends here */
    unsigned looked;
    bool ended; /* the next block does not fit */
};

static bool span_fits(const struct span_filter *f, const struct value *c)
{
    return (!f->kinds || (f->kinds & (uint64_t)c[1].i)) && c[2].i <= c[3].i &&
           (!f->since_ms || c[3].i >= f->since_ms) && (!f->until_ms || c[2].i < f->until_ms);
}

static void search_block_take(struct search *s, int64_t down_to)
{
    if (s->last_block < 0)
        s->last_block = s->block;
    s->from_block = down_to;
    s->block = down_to - 1;
}

static bool search_span_row(void *arg, const struct value *c, size_t n)
{
    struct search *s = arg;
    s->looked++;
    if (c[0].i < s->block) /* the blocks between have no span */
        search_block_take(s, c[0].i + 1);
    if (span_fits(s->f, c))
        search_block_take(s, c[0].i);
    else if (s->last_block >= 0)
        s->ended = true;
    else
        s->block = c[0].i - 1;
    return !s->ended && (s->last_block < 0 || s->last_block - s->from_block < RUN_MAX);
}

enum err spans_next(struct db *db, const struct span_filter *f, int64_t n, int64_t *ret_from,
                    int64_t *ret_last, unsigned *looked)
{
    struct search s = {.f = f, .block = n / SPAN_ROWS, .last_block = -1};
    enum err err = OK;
    *ret_from = 0;
    *ret_last = n;
    if (!f->kinds && !f->since_ms && !f->until_ms)
        return OK;
    err = db_run(db, SQL_SPAN_LIST, DB_ARGS(V_INT(f->of), V_INT(s.block), V_INT(LOOK_MAX)),
                 search_span_row, &s, NULL);
    *looked += s.looked;
    if (s.last_block < 0 && s.block >= 0) /* no span says what is further down */
        search_block_take(&s, 0);
    if (s.last_block < 0)
        *ret_last = 0;
    else if (s.last_block < n / SPAN_ROWS)
        *ret_last = (s.last_block + 1) * SPAN_ROWS - 1;
    *ret_from = s.last_block < 0 ? 0 : s.from_block * SPAN_ROWS;
    return err;
}
