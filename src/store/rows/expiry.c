/* expiry: finds rows by their age or their number, and deletes them. Readers find, the writer
 * deletes, and no statement here reads more rows than its limit. Pages that become free are used
 * again. */
#include "store/rows/expiry.h"

#include "store/engine.h"

struct walk_rows {
    walk_item_fn *row;
    void *arg;
};

static bool walk_event_row(void *arg, const struct value *c, size_t n)
{
    const struct walk_rows *r = arg;
    struct walk_item w = {.n = c[0].i,
                          .account = (uint64_t)c[1].i,
                          .kind = (enum event_kind)c[2].i,
                          .number = c[3].s,
                          .at_ms = c[4].i};
    return r->row(r->arg, &w);
}

static bool walk_call_row(void *arg, const struct value *c, size_t n)
{
    const struct walk_rows *r = arg;
    struct walk_item w = {.n = c[0].i,
                          .account = (uint64_t)c[1].i,
                          .ended = c[2].i == 2,
                          .number = c[3].s,
                          .at_ms = c[4].i,
                          .call_id = c[5].s};
    return r->row(r->arg, &w);
}

enum err event_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                    walk_item_fn *row, void *arg)
{
    struct walk_rows r = {row, arg};
    return db_run(db, SQL_EVENT_WALK, DB_ARGS(V_INT(after_n), V_INT(last_n), V_INT(limit)),
                  walk_event_row, &r, NULL);
}

enum err event_walk_number(struct db *db, struct str number, int64_t after_n, int64_t last_n,
                           unsigned limit, walk_item_fn *row, void *arg)
{
    struct walk_rows r = {row, arg};
    return db_run(db, SQL_EVENT_WALK_NUMBER,
                  DB_ARGS(V_TEXT(number), V_INT(after_n), V_INT(last_n), V_INT(limit)),
                  walk_event_row, &r, NULL);
}

enum err call_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                   walk_item_fn *row, void *arg)
{
    struct walk_rows r = {row, arg};
    return db_run(db, SQL_CALL_WALK, DB_ARGS(V_INT(after_n), V_INT(last_n), V_INT(limit)),
                  walk_call_row, &r, NULL);
}

enum err event_last(struct db *db, int64_t *ret_n)
{
    *ret_n = 0;
    return db_run_int(db, SQL_EVENT_LAST, NULL, 0, ret_n, NULL);
}

struct walk_place {
    int64_t n, at_ms;
    bool found;
};

static bool walk_place_row(void *arg, const struct value *c, size_t n)
{
    *(struct walk_place *)arg = (struct walk_place){c[0].i, c[1].i, true};
    return false;
}

enum err event_before(struct db *db, int64_t ms, int64_t *ret_n)
{
    int64_t low = 0, high; /* all rows up to low are before `ms`; none behind high is */
    enum err err = event_last(db, &high);
    while (err == OK && low < high) {
        int64_t middle = low + (high - low + 1) / 2;
        struct walk_place p = {0};
        err = db_run(db, SQL_EVENT_FROM, DB_ARGS(V_INT(middle)), walk_place_row, &p, NULL);
        if (p.found && p.n <= high && p.at_ms < ms)
            low = p.n;
        else
            high = middle - 1;
    }
    *ret_n = low;
    return err;
}

static enum err row_is_last(struct db *db, int64_t n, bool *ret)
{
    int64_t event = 0, delivery = 0, own = 0;
    enum err err = event_last(db, &event);
    if (err == OK)
        err = db_run_int(db, SQL_DELIVERY_LAST, NULL, 0, &delivery, NULL);
    if (err == OK)
        err = db_run_int(db, SQL_DELIVERY_LAST_OF_EVENT, DB_ARGS(V_INT(n)), &own, NULL);
    *ret = n == event || (own && own == delivery);
    return err;
}

enum err event_delete(struct db *db, int64_t n)
{
    bool last = false;
    enum err err = row_is_last(db, n, &last);
    if (err == OK)
        err = db_run(db, SQL_ATTEMPT_DELETE, DB_ARGS(V_INT(n)), NULL, NULL, NULL);
    if (err == OK)
        err = db_run(db, last ? SQL_DELIVERY_CANCEL : SQL_DELIVERY_DELETE, DB_ARGS(V_INT(n)), NULL,
                     NULL, NULL);
    if (err == OK)
        err = db_run(db, last ? SQL_EVENT_BLANK : SQL_EVENT_DELETE, DB_ARGS(V_INT(n)), NULL, NULL,
                     NULL);
    return err;
}

enum err call_delete(struct db *db, int64_t n)
{
    int64_t last = 0;
    enum err err = db_run_int(db, SQL_CALL_LAST, NULL, 0, &last, NULL);
    if (err != OK)
        return err;
    return db_run(db, n == last ? SQL_CALL_BLANK : SQL_CALL_DELETE, DB_ARGS(V_INT(n)), NULL, NULL,
                  NULL);
}

enum err delivery_wanted(struct db *db, int64_t event_n, uint64_t endpoint, bool *ret)
{
    int64_t count = 0;
    enum err err =
        db_run_int(db, SQL_DELIVERY_WANTED, DB_ARGS(V_INT(event_n), V_INT(endpoint)), &count, NULL);
    *ret = count > 0;
    return err;
}

enum err delivery_count_pending(struct db *db, uint64_t endpoint, int64_t max, int64_t *ret)
{
    return db_run_int(db, SQL_DELIVERY_PENDING_COUNT, DB_ARGS(V_INT(endpoint), V_INT(max)), ret,
                      NULL);
}
