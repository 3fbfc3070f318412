/* tokens: reads and writes the rows of log-ins and of keys' last uses. Inside a job's run. */
#include "store/rows/tokens.h"

#include "store/engine.h"

enum err token_put(struct db *db, const struct token *t)
{
    return db_run(
        db, SQL_TOKEN_PUT,
        DB_ARGS(V_TEXT(t->hash), V_INT(t->user), V_INT(t->stamp), V_INT(t->expires_at_ms)), NULL,
        NULL, NULL);
}

enum err token_delete(struct db *db, struct str hash)
{
    return db_run(db, SQL_TOKEN_DELETE, DB_ARGS(V_TEXT(hash)), NULL, NULL, NULL);
}

struct token_rows {
    token_row *row;
    void *arg;
};

static bool token_row_read(void *arg, const struct value *c, size_t n)
{
    const struct token_rows *r = arg;
    struct token t = {.hash = c[1].s,
                      .user = (uint64_t)c[2].i,
                      .stamp = (uint64_t)c[3].i,
                      .expires_at_ms = c[4].i};
    return r->row(r->arg, &t);
}

enum err token_list(struct db *db, token_row *row, void *arg)
{
    struct token_rows r = {row, arg};
    return db_run(db, SQL_TOKEN_LIST, NULL, 0, token_row_read, &r, NULL);
}

enum err token_forget(struct db *db, int64_t expired_before_ms)
{
    return db_run(db, SQL_TOKEN_FORGET, DB_ARGS(V_INT(expired_before_ms)), NULL, NULL, NULL);
}

enum err key_use_put(struct db *db, uint64_t key, int64_t used_at_ms)
{
    return db_run(db, SQL_KEY_USE_PUT, DB_ARGS(V_INT(key), V_INT(used_at_ms)), NULL, NULL, NULL);
}

enum err key_use_get(struct db *db, uint64_t key, int64_t *ret_ms)
{
    *ret_ms = 0;
    return db_run_int(db, SQL_KEY_USE_GET, DB_ARGS(V_INT(key)), ret_ms, NULL);
}

enum err key_use_delete(struct db *db, uint64_t key)
{
    return db_run(db, SQL_KEY_USE_DELETE, DB_ARGS(V_INT(key)), NULL, NULL, NULL);
}
