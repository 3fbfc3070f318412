/* events: inserts and reads events, whose rows never change. Inside a job's run. */
#include "store/rows/events.h"

#include <string.h>

#include "store/rows/events_own.h"

enum err event_put(struct db *db, const struct event *e, int64_t *ret_n, bool *ret_new)
{
    enum err err =
        db_run_int(db, SQL_EVENT_PUT,
                   DB_ARGS(V_INT(e->account), V_TEXT(e->id), V_INT(e->kind), V_TEXT(e->number),
                           V_TEXT(e->peer), V_TEXT(e->call_id), V_INT(e->occurred_at_ms),
                           V_INT(e->simulated), V_TEXT(e->payload)),
                   ret_n, ret_new);
    if (err != OK || *ret_new)
        return err;
    return event_find(db, e->account, e->id, ret_n);
}

enum err event_find(struct db *db, uint64_t account, struct str id, int64_t *ret_n)
{
    bool found;
    enum err err =
        db_run_int(db, SQL_EVENT_FIND, DB_ARGS(V_TEXT(id), V_INT(account)), ret_n, &found);
    return err != OK ? err : found ? OK : ERR_NOT_FOUND;
}

void event_of_row(const struct value *c, struct event *e)
{
    *e = (struct event){.account = (uint64_t)c[1].i,
                        .id = c[2].s,
                        .kind = (enum event_kind)c[3].i,
                        .number = c[4].s,
                        .peer = c[5].s,
                        .call_id = c[6].s,
                        .occurred_at_ms = c[7].i,
                        .simulated = c[8].i != 0,
                        .payload = c[9].s};
}

struct event_read {
    struct event *event;
    enum err err;
};

static bool event_row_read(void *arg, const struct value *column, size_t n)
{
    struct event_read *got = arg;
    struct event e;
    event_of_row(column, &e);
    got->err = event_new(&e, &got->event);
    return false;
}

enum err event_get(struct db *db, int64_t n, struct event **ret)
{
    struct event_read got = {.err = ERR_NOT_FOUND};
    enum err err = db_run(db, SQL_EVENT_GET, DB_ARGS(V_INT(n)), event_row_read, &got, NULL);
    if (err == OK)
        err = got.err;
    if (err == OK)
        *ret = got.event;
    return err;
}
