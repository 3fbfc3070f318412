/* erasures: reads and writes the rows of jobs that delete a number's data. Inside a job's run. */
#include "store/rows/erasures.h"

#include "base/clock.h"
#include "store/engine.h"

struct erasure_read {
    struct erasure *ret;
    bool found;
    enum err err;
};

static bool erasure_row_read(void *arg, const struct value *c, size_t n)
{
    struct erasure_read *got = arg;
    struct erasure *e = got->ret;
    *e = (struct erasure){.n = c[0].i,
                          .account = (uint64_t)c[2].i,
                          .last_n = c[4].i,
                          .last_call = c[5].i,
                          .at_n = c[6].i,
                          .at_call = c[7].i,
                          .events = c[8].i,
                          .calls = c[9].i,
                          .finished = c[10].i != 0,
                          .created_at_ms = c[11].i,
                          .ended_at_ms = c[12].i,
                          .last_set = c[13].i};
    got->found = true;
    got->err = str_copy(c[1].s, e->id, sizeof e->id);
    if (got->err == OK)
        got->err = str_copy(c[3].s, e->number, sizeof e->number);
    return false;
}

static enum err erasure_one(const struct erasure_read *got, enum err err)
{
    return err != OK ? err : !got->found ? ERR_NOT_FOUND : got->err;
}

enum err erasure_get(struct db *db, uint64_t account, struct str id, struct erasure *ret)
{
    struct erasure_read got = {.ret = ret};
    return erasure_one(&got, db_run(db, SQL_ERASURE_GET, DB_ARGS(V_TEXT(id), V_INT(account)),
                                    erasure_row_read, &got, NULL));
}

enum err erasure_next(struct db *db, struct erasure *ret)
{
    struct erasure_read got = {.ret = ret};
    return erasure_one(&got,
                       db_run(db, SQL_ERASURE_RUNNING, NULL, 0, erasure_row_read, &got, NULL));
}

enum err erasure_put(struct db *db, struct erasure *e)
{
    struct erasure running;
    struct erasure_read got = {.ret = &running};
    enum err err = erasure_one(&got, db_run(db, SQL_ERASURE_OF_NUMBER,
                                            DB_ARGS(V_TEXT(str_of(e->number)), V_INT(e->account)),
                                            erasure_row_read, &got, NULL));
    if (err != ERR_NOT_FOUND) {
        if (err == OK)
            *e = running;
        return err;
    }
    e->created_at_ms = clock_wall_ms();
    err = db_run_int(db, SQL_EVENT_LAST, NULL, 0, &e->last_n, NULL);
    if (err == OK)
        err = db_run_int(db, SQL_CALL_LAST, NULL, 0, &e->last_call, NULL);
    if (err == OK)
        err = db_run_int(db, SQL_SMS_SET_LAST, NULL, 0, &e->last_set, NULL);
    if (err != OK)
        return err;
    return db_run_int(db, SQL_ERASURE_PUT,
                      DB_ARGS(V_TEXT(str_of(e->id)), V_INT(e->account), V_TEXT(str_of(e->number)),
                              V_INT(e->last_n), V_INT(e->last_call), V_INT(e->created_at_ms),
                              V_INT(e->last_set)),
                      &e->n, NULL);
}

enum err erasure_step(struct db *db, const struct erasure *e, int64_t events, int64_t calls)
{
    return db_run(
        db, SQL_ERASURE_STEP,
        DB_ARGS(V_INT(e->at_n), V_INT(e->at_call), V_INT(events), V_INT(calls), V_INT(e->n)), NULL,
        NULL, NULL);
}

enum err erasure_end(struct db *db, int64_t n)
{
    return db_run(db, SQL_ERASURE_END, DB_ARGS(V_INT(clock_wall_ms()), V_INT(n)), NULL, NULL, NULL);
}

enum err erasure_forget(struct db *db, int64_t ended_before_ms)
{
    return db_run(db, SQL_ERASURE_FORGET, DB_ARGS(V_INT(ended_before_ms)), NULL, NULL, NULL);
}
