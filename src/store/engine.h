/* The functions that a database gives to the store. SQLite implements them (sqlite.c); PostgreSQL
 * will. The front (store.c: threads, batches; rows by subject) does not know which it is.
 *
 * A write has three outcomes: done (OK), not done (ERR_STORE, ERR_STORE_FULL: rolled back), unknown
 * (ERR_STORE_UNSURE: the commit's answer was lost; run it again, rows carry our ids). After
 * ERR_STORE_BROKEN (a sync failed) the connection must not be used any more. */
#pragma once
#include "store/sql.h"
#include "store/store.h"

struct engine;

enum value_kind { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_OCTETS };
struct value { /* an argument, or a column of a row */
    enum value_kind kind;
    int64_t i;
    struct str s;
};
#define V_INT(v)    ((struct value){.kind = VALUE_INT, .i = (int64_t)(v)})
#define V_TEXT(v)   ((struct value){.kind = VALUE_TEXT, .s = (v)})
#define V_OCTETS(v) ((struct value){.kind = VALUE_OCTETS, .s = (v)}) /* any octets, NUL too */

typedef bool db_row(void *arg, const struct value *column, size_t n); /* false: enough */

struct db {
    const struct engine *engine;
    bool writer;
    unsigned writes; /* statements since begin that may have changed something */
    uint64_t begun;  /* counts the writer's transactions, also those that run again */
    enum err err;    /* sticks: the first error of the connection since begin */
    char detail[160];
};

enum db_mode { DB_WRITER, DB_READER };

struct engine {
    const char *scheme; /* "sqlite" */
    /* The writer makes what is missing and takes the lock that keeps a second process out. */
    enum err (*open)(const char *where, enum db_mode mode, struct db **ret, char *why, size_t cap);
    void (*close)(struct db *db); /* NULL-safe */
    enum err (*begin)(struct db *db);
    enum err (*commit)(struct db *db); /* on error nothing is left open */
    void (*rollback)(struct db *db);
    /* One statement of the table; each row goes to `row` (may be NULL); *ret_changes (may be NULL)
     * gets the rows it touched. */
    enum err (*run)(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                    db_row *row, void *arg, int64_t *ret_changes);
    /* Runs schema statements, only at open. */
    enum err (*run_text)(struct db *db, const char *text);
    /* Runs between batches, on the writer: makes a checkpoint when one is due. */
    enum err (*tidy)(struct db *db);
    struct sql_dialect dialect;
};

extern const struct engine engine_sqlite;

MUST_USE enum err db_run(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                         db_row *row, void *arg, int64_t *ret_changes);
/* Runs a query of one number: *ret stays unchanged when there is no row; *ret_found (may be NULL)
 * tells. */
MUST_USE enum err db_run_int(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                             int64_t *ret, bool *ret_found);
#define DB_ARGS(...)                                                                               \
    (const struct value[]){__VA_ARGS__},                                                           \
        sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)

/* Brings the schema to this program's version; ret_why for people. */
int64_t schema_version(void); /* this program's */
MUST_USE enum err schema_migrate(struct db *db, char *why, size_t cap);
