/* idempotency: keeps the answers for clients that repeat a request. Rows are in the order of time;
 * the oldest are at the table's beginning. */
#include "store/rows/idempotency.h"

#include "store/engine.h"

struct answer_copy {
    struct kept_answer *a;
    struct buf *mem;
    bool any;
};

static bool answer_copy_row(void *arg, const struct value *c, size_t n)
{
    struct answer_copy *got = arg;
    struct kept_answer *a = got->a;
    size_t from = got->mem->n;
    *a = (struct kept_answer){
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

enum err kept_answer_get(struct db *db, uint64_t account, struct str key, struct kept_answer *ret,
                         struct buf *mem)
{
    struct answer_copy got = {ret, mem, false};
    enum err err = db_run(db, SQL_IDEMPOTENCY_GET, DB_ARGS(V_INT(account), V_TEXT(key)),
                          answer_copy_row, &got, NULL);
    if (err == OK)
        err = got.any ? mem->err : ERR_NOT_FOUND;
    return err;
}

enum err kept_answer_put(struct db *db, uint64_t account, struct str key,
                         const struct kept_answer *a, int64_t now_ms, int64_t *ret_n)
{
    bool made;
    enum err err = db_run_int(db, SQL_IDEMPOTENCY_PUT,
                              DB_ARGS(V_INT(account), V_TEXT(key), V_TEXT(a->fingerprint),
                                      V_INT(a->status), V_TEXT(a->answer), V_INT(now_ms)),
                              ret_n, &made);
    return err != OK ? err : made ? OK : ERR_EXISTS;
}

struct answer_search {
    int64_t before_ms, n;
};

static bool answer_search_row(void *arg, const struct value *c, size_t n)
{
    struct answer_search *l = arg;
    if (c[1].i >= l->before_ms)
        return false;
    l->n = c[0].i;
    return true;
}

enum err kept_answer_before(struct db *db, int64_t ms, unsigned limit, int64_t *ret_n)
{
    struct answer_search l = {ms, 0};
    enum err err = db_run(db, SQL_IDEMPOTENCY_WALK, DB_ARGS(V_INT(0), V_INT(limit)),
                          answer_search_row, &l, NULL);
    *ret_n = l.n;
    return err;
}

enum err kept_answer_delete(struct db *db, int64_t last_n, int64_t *ret_deleted)
{
    return db_run(db, SQL_IDEMPOTENCY_DELETE, DB_ARGS(V_INT(last_n)), NULL, NULL, ret_deleted);
}
