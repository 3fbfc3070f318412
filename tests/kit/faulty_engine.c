/* faulty_engine: SQLite's engine, with faults. A call that is to fail although it was done is
 * passed on first. One that is to fail undone is not passed on, and its transaction is rolled back
 * as the interface says. */
#include "faulty_engine.h"

#include <stdio.h>

static struct {
    atomic_uint call, how, n, times, seen, failed;
} fault;

void fault_arm(enum fault_call call, enum fault_how how, unsigned n, unsigned times)
{
    fault.call = call;
    fault.how = how;
    fault.n = n;
    fault.times = times;
    fault.seen = fault.failed = 0;
}

void fault_disarm(void)
{
    fault.n = 0;
}

unsigned fault_count(void)
{
    return fault.failed;
}

static bool is_due(struct db *db, enum fault_call call)
{
    unsigned n = fault.n;
    if (!db->writer || n == 0 || fault.call != call)
        return false;
    unsigned seen = ++fault.seen;
    if (seen < n || seen >= n + fault.times)
        return false;
    fault.failed++;
    return true;
}

static enum err fail(struct db *db)
{
    static const enum err err[] = {
        [FAULT_NOT_DONE] = ERR_STORE,          [FAULT_FULL] = ERR_STORE_FULL,
        [FAULT_NO_MEMORY] = ERR_NOMEM,         [FAULT_UNSURE_DONE] = ERR_STORE_UNSURE,
        [FAULT_UNSURE_NOT] = ERR_STORE_UNSURE, [FAULT_BROKEN] = ERR_STORE_BROKEN};
    if (fault.how == FAULT_TOO_LARGE)
        return ERR_TOO_BIG;
    db->err = err[fault.how];
    snprintf(db->detail, sizeof db->detail, "a fault of the test's");
    return db->err;
}

static enum err faulty_open(const char *where, enum db_mode mode, struct db **ret, char *why,
                            size_t cap)
{
    enum err err = engine_sqlite.open(where, mode, ret, why, cap);
    if (err == OK)
        (*ret)->engine = &engine_faulty;
    return err;
}

static void faulty_close(struct db *db)
{
    engine_sqlite.close(db);
}

static enum err faulty_begin(struct db *db)
{
    bool due = is_due(db, FAULT_BEGIN);
    enum err err = engine_sqlite.begin(db);
    return due ? fail(db) : err;
}

static enum err faulty_commit(struct db *db)
{
    if (!is_due(db, FAULT_COMMIT))
        return engine_sqlite.commit(db);
    enum err err = fault.how == FAULT_UNSURE_DONE ? engine_sqlite.commit(db) : OK;
    if (fault.how != FAULT_UNSURE_DONE)
        engine_sqlite.rollback(db);
    return err == OK ? fail(db) : err;
}

static void faulty_rollback(struct db *db)
{
    engine_sqlite.rollback(db);
}

static enum err faulty_run(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                           db_row *row, void *arg, int64_t *ret_changes)
{
    bool due = is_due(db, FAULT_RUN);
    if (due && fault.how != FAULT_UNSURE_DONE)
        return fail(db);
    enum err err = engine_sqlite.run(db, sql, args, n_args, row, arg, ret_changes);
    return due ? fail(db) : err;
}

static enum err faulty_run_text(struct db *db, const char *text)
{
    return engine_sqlite.run_text(db, text);
}

static enum err faulty_tidy(struct db *db)
{
    return engine_sqlite.tidy(db);
}

const struct engine engine_faulty = {
    .scheme = "sqlite",
    .open = faulty_open,
    .close = faulty_close,
    .begin = faulty_begin,
    .commit = faulty_commit,
    .rollback = faulty_rollback,
    .run = faulty_run,
    .run_text = faulty_run_text,
    .tidy = faulty_tidy,
    .dialect = {.serial = "INTEGER PRIMARY KEY",
                .unreused = "INTEGER PRIMARY KEY AUTOINCREMENT",
                .plain_key = "INTEGER PRIMARY KEY",
                .octets = "BLOB",
                .clustered = "WITHOUT ROWID"},
};
