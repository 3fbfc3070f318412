/* recoveries: reads and writes the rows of jobs that send a time range again. Inside a job's run.
 */
#include "store/rows/recoveries.h"

#include "base/clock.h"
#include "store/engine.h"

const char *recovery_state_name(enum recovery_state s)
{
    static const char *const name[] = {"running", "finished", "canceled"};
    return (unsigned)s < sizeof name / sizeof *name ? name[s] : "?";
}

enum err recovery_put(struct db *db, struct recovery *r)
{
    bool made;
    r->created_at_ms = clock_wall_ms();
    enum err err = db_run_int(db, SQL_RECOVERY_PUT,
                              DB_ARGS(V_TEXT(str_of(r->id)), V_INT(r->account), V_INT(r->endpoint),
                                      V_TEXT(str_of(r->endpoint_id)), V_INT(r->since_ms),
                                      V_INT(r->until_ms), V_INT(r->last_n), V_INT(r->expected),
                                      V_INT(r->at_n), V_INT(r->created_at_ms)),
                              &r->n, &made);
    return err != OK ? err : made ? OK : ERR_EXISTS;
}

struct recovery_rows {
    recovery_row *row;
    void *arg;
    enum err err;
};

static bool recovery_row_read(void *arg, const struct value *c, size_t n)
{
    struct recovery_rows *rows = arg;
    struct recovery r = {.n = c[0].i,
                         .account = (uint64_t)c[2].i,
                         .endpoint = (uint64_t)c[3].i,
                         .since_ms = c[5].i,
                         .until_ms = c[6].i,
                         .last_n = c[7].i,
                         .expected = c[8].i,
                         .at_n = c[9].i,
                         .done = c[10].i,
                         .state = (enum recovery_state)c[11].i,
                         .created_at_ms = c[12].i,
                         .ended_at_ms = c[13].i};
    rows->err = str_copy(c[1].s, r.id, sizeof r.id);
    if (rows->err == OK)
        rows->err = str_copy(c[4].s, r.endpoint_id, sizeof r.endpoint_id);
    return rows->err == OK && rows->row(rows->arg, &r);
}

struct recovery_read {
    struct recovery *ret;
    bool found;
};

static bool recovery_one_read(void *arg, const struct recovery *r)
{
    struct recovery_read *one = arg;
    *one->ret = *r;
    one->found = true;
    return false;
}

static enum err recovery_one(const struct recovery_read *one, const struct recovery_rows *rows,
                             enum err err)
{
    return err != OK ? err : rows->err != OK ? rows->err : one->found ? OK : ERR_NOT_FOUND;
}

enum err recovery_get(struct db *db, uint64_t account, struct str id, struct recovery *ret)
{
    struct recovery_read one = {.ret = ret};
    struct recovery_rows rows = {.row = recovery_one_read, .arg = &one};
    enum err err = db_run(db, SQL_RECOVERY_GET, DB_ARGS(V_TEXT(id), V_INT(account)),
                          recovery_row_read, &rows, NULL);
    return recovery_one(&one, &rows, err);
}

enum err recovery_list(struct db *db, uint64_t account, uint64_t endpoint, int64_t before_n,
                       unsigned limit, recovery_row *row, void *arg)
{
    struct recovery_rows rows = {.row = row, .arg = arg};
    enum err err = db_run(db, SQL_RECOVERY_LIST,
                          DB_ARGS(V_INT(endpoint), V_INT(account), V_INT(before_n), V_INT(limit)),
                          recovery_row_read, &rows, NULL);
    return err != OK ? err : rows.err;
}

enum err recovery_next(struct db *db, uint64_t after_endpoint, struct recovery *ret)
{
    struct recovery_read one = {.ret = ret};
    struct recovery_rows rows = {.row = recovery_one_read, .arg = &one};
    enum err err = db_run(db, SQL_RECOVERY_RUNNING, DB_ARGS(V_INT(after_endpoint)),
                          recovery_row_read, &rows, NULL);
    return recovery_one(&one, &rows, err);
}

enum err recovery_count_running(struct db *db, int64_t *ret)
{
    return db_run_int(db, SQL_RECOVERY_COUNT, NULL, 0, ret, NULL);
}

enum err recovery_step(struct db *db, const struct recovery *r, int64_t at_n, int64_t made)
{
    int64_t changed = 0;
    enum err err = db_run(db, SQL_RECOVERY_STEP,
                          DB_ARGS(V_INT(at_n), V_INT(made), V_INT(r->n), V_INT(r->at_n)), NULL,
                          NULL, &changed);
    return err != OK ? err : changed ? OK : ERR_AGAIN;
}

enum err recovery_end(struct db *db, int64_t n, enum recovery_state state)
{
    return db_run(db, SQL_RECOVERY_END, DB_ARGS(V_INT(state), V_INT(clock_wall_ms()), V_INT(n)),
                  NULL, NULL, NULL);
}

enum err recovery_end_endpoint(struct db *db, uint64_t endpoint)
{
    return db_run(db, SQL_RECOVERY_END_ENDPOINT, DB_ARGS(V_INT(clock_wall_ms()), V_INT(endpoint)),
                  NULL, NULL, NULL);
}

enum err recovery_forget(struct db *db, int64_t ended_before_ms)
{
    return db_run(db, SQL_RECOVERY_FORGET, DB_ARGS(V_INT(ended_before_ms)), NULL, NULL, NULL);
}
