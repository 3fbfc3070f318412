/* deliveries: reads and writes the rows of deliveries and of their attempts. Inside a job's run. */
#include "store/rows/deliveries.h"

#include <limits.h>

#include "store/engine.h"

enum err delivery_put(struct db *db, struct delivery *d)
{
    bool found;
    enum err err = OK;
    d->looked_up |= d->sequence == UINT_MAX;
    if (d->looked_up) {
        int64_t last = 0;
        err = db_run_int(db, SQL_DELIVERY_SEQUENCE, DB_ARGS(V_INT(d->event_n), V_INT(d->endpoint)),
                         &last, NULL);
        if (err != OK)
            return err;
        d->sequence = (unsigned)last + 1;
    }
    return db_run_int(db, SQL_DELIVERY_PUT,
                      DB_ARGS(V_INT(d->event_n), V_INT(d->endpoint), V_INT(d->lane),
                              V_INT(d->sequence), V_INT(d->next_at_ms), V_INT(d->resend)),
                      &d->n, &found);
}

struct delivery_rows {
    delivery_row *row;
    void *arg;
    bool any;
};

static bool delivery_row_read(void *arg, const struct value *c, size_t n)
{
    struct delivery_rows *r = arg;
    struct delivery d = {.n = c[0].i,
                         .event_n = c[1].i,
                         .endpoint = (uint64_t)c[2].i,
                         .lane = (uint64_t)c[3].i,
                         .sequence = (unsigned)c[4].i,
                         .attempts = (unsigned)c[5].i,
                         .state = (enum delivery_state)c[6].i,
                         .first_at_ms = c[7].i,
                         .next_at_ms = c[8].i,
                         .resend = c[9].i != 0,
                         .schedule_from = (unsigned)c[10].i,
                         .begun_at_ms = c[11].i,
                         .last_at_ms = c[12].i};
    r->any = true;
    return r->row(r->arg, &d);
}

static bool delivery_one_read(void *arg, const struct delivery *d)
{
    *(struct delivery *)arg = *d;
    return false;
}

enum err delivery_get(struct db *db, int64_t n, struct delivery *ret)
{
    struct delivery_rows r = {.row = delivery_one_read, .arg = ret};
    enum err err = db_run(db, SQL_DELIVERY_GET, DB_ARGS(V_INT(n)), delivery_row_read, &r, NULL);
    return err != OK ? err : r.any ? OK : ERR_NOT_FOUND;
}

static bool delivery_waiting_read(void *arg, const struct value *c, size_t n)
{
    struct delivery_rows *r = arg;
    struct delivery d = {
        .endpoint = (uint64_t)c[0].i, .lane = (uint64_t)c[1].i, .next_at_ms = c[2].i, .n = c[3].i};
    return r->row(r->arg, &d);
}

enum err delivery_list_waiting(struct db *db, const struct delivery *after, unsigned limit,
                               delivery_row *row, void *arg)
{
    struct delivery_rows r = {.row = row, .arg = arg};
    return db_run(db, SQL_DELIVERY_LIST_WAITING,
                  DB_ARGS(V_INT(after->endpoint), V_INT(after->lane), V_INT(after->next_at_ms),
                          V_INT(after->n), V_INT(limit)),
                  delivery_waiting_read, &r, NULL);
}

enum err delivery_last(struct db *db, int64_t *ret_n)
{
    *ret_n = 0;
    return db_run_int(db, SQL_DELIVERY_LAST, NULL, 0, ret_n, NULL);
}

enum err delivery_oldest(struct db *db, int64_t *ret_ms)
{
    *ret_ms = 0;
    return db_run_int(db, SQL_DELIVERY_OLDEST, NULL, 0, ret_ms, NULL);
}

enum err delivery_list_lane(struct db *db, uint64_t endpoint, uint64_t lane, unsigned limit,
                            delivery_row *row, void *arg)
{
    struct delivery_rows r = {.row = row, .arg = arg};
    return db_run(db, SQL_DELIVERY_LIST_LANE, DB_ARGS(V_INT(endpoint), V_INT(lane), V_INT(limit)),
                  delivery_row_read, &r, NULL);
}

enum err delivery_list_of_event(struct db *db, int64_t event_n, delivery_row *row, void *arg)
{
    struct delivery_rows r = {.row = row, .arg = arg};
    return db_run(db, SQL_DELIVERY_LIST_EVENT, DB_ARGS(V_INT(event_n)), delivery_row_read, &r,
                  NULL);
}

/* Writes an attempt. Nearly all deliveries end with their first attempt, which is one statement. No
 * statement touches a row that is gone (erased) or has that attempt already. */
enum err attempt_put(struct db *db, const struct attempt *a, const struct delivery_after *after)
{
    enum err err = OK;
    if (a->number > 1)
        err = db_run(db, SQL_ATTEMPT_KEEP,
                     DB_ARGS(V_INT(a->delivery_n), V_INT(a->number - 1), V_INT(after->under.epoch),
                             V_INT(after->under.shard)),
                     NULL, NULL, NULL);
    if (err != OK)
        return err;
    return db_run(db, SQL_DELIVERY_ATTEMPTED,
                  DB_ARGS(V_INT(a->number), V_INT(after->state), V_INT(after->next_at_ms),
                          V_INT(a->at_ms), V_INT(a->status), V_INT(a->err), V_INT(a->duration_ms),
                          V_TEXT(a->detail), V_TEXT(a->body), V_INT(after->schedule_from),
                          V_INT(after->begun_at_ms), V_INT(a->delivery_n),
                          V_INT(after->under.epoch), V_INT(after->under.shard)),
                  NULL, NULL, NULL);
}

struct attempt_rows {
    attempt_row *row;
    void *arg;
};

static bool attempt_row_read(void *arg, const struct value *c, size_t n)
{
    const struct attempt_rows *r = arg;
    struct attempt a = {.delivery_n = c[0].i,
                        .number = (unsigned)c[1].i,
                        .at_ms = c[2].i,
                        .status = (int)c[3].i,
                        .err = (enum err)c[4].i,
                        .duration_ms = c[5].i,
                        .detail = c[6].s,
                        .body = c[7].s};
    return r->row(r->arg, &a);
}

enum err attempt_list(struct db *db, int64_t delivery_n, attempt_row *row, void *arg)
{
    struct attempt_rows r = {row, arg};
    return db_run(db, SQL_ATTEMPT_LIST, DB_ARGS(V_INT(delivery_n)), attempt_row_read, &r, NULL);
}

enum err delivery_end_all(struct db *db, uint64_t endpoint, enum delivery_state state,
                          int64_t *ret_count)
{
    return db_run(db, SQL_DELIVERY_END_ALL, DB_ARGS(V_INT(state), V_INT(endpoint)), NULL, NULL,
                  ret_count);
}
