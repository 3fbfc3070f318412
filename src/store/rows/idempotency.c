/* idempotency: the answers that are kept for who repeats a request. Rows are in the order of time;
 * the oldest are found at the table's beginning. */
#include "store/rows/idempotency.h"

#include "store/engine.h"

struct got {
    struct answered *a;
    struct buf *mem;
    bool any;
};

static bool on_got(void *arg, const struct value *c, size_t n)
{
    struct got *got = arg;
    struct answered *a = got->a;
    size_t from = got->mem->n;
    *a = (struct answered){
        .n = c[0].i, .fingerprint = c[1].s, .status = (int)c[2].i, .answer = c[3].s};
    buf_put_str(got->mem, a->fingerprint);
    buf_put_str(got->mem, a->answer);
    got->any = true;
    if (got->mem->err != OK)
        return false;
    a->fingerprint.p = got->mem->p + from;
    a->answer.p = a->fingerprint.p + a->fingerprint.n;
    return false;
}

enum err answered_get(struct db *db, uint64_t account, struct str key, struct answered *ret,
                      struct buf *mem)
{
    struct got got = {ret, mem, false};
    enum err err =
        db_run(db, SQL_IDEMPOTENCY_GET, DB_ARGS(V_INT(account), V_TEXT(key)), on_got, &got, NULL);
    if (err == OK)
        err = got.any ? mem->err : ERR_NOT_FOUND;
    return err;
}

enum err answered_put(struct db *db, uint64_t account, struct str key, const struct answered *a,
                      int64_t now_ms, int64_t *ret_n)
{
    bool made;
    enum err err = db_run_int(db, SQL_IDEMPOTENCY_PUT,
                              DB_ARGS(V_INT(account), V_TEXT(key), V_TEXT(a->fingerprint),
                                      V_INT(a->status), V_TEXT(a->answer), V_INT(now_ms)),
                              ret_n, &made);
    return err != OK ? err : made ? OK : ERR_EXISTS;
}

struct looking {
    int64_t before_ms, n;
};

static bool on_row(void *arg, const struct value *c, size_t n)
{
    struct looking *l = arg;
    if (c[1].i >= l->before_ms)
        return false;
    l->n = c[0].i;
    return true;
}

enum err answered_before(struct db *db, int64_t ms, unsigned limit, int64_t *ret_n)
{
    struct looking l = {ms, 0};
    enum err err =
        db_run(db, SQL_IDEMPOTENCY_WALK, DB_ARGS(V_INT(0), V_INT(limit)), on_row, &l, NULL);
    *ret_n = l.n;
    return err;
}

enum err answered_delete(struct db *db, int64_t last_n, int64_t *ret_deleted)
{
    return db_run(db, SQL_IDEMPOTENCY_DELETE, DB_ARGS(V_INT(last_n)), NULL, NULL, ret_deleted);
}
