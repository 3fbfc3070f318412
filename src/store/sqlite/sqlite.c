/* sqlite: runs the embedded engine, with WAL and synchronous=FULL: a commit is on disk when it
 * returns. One connection writes and it alone checkpoints (two can corrupt the WAL of the SQLite in
 * Debian 12); a lock on a file of its own keeps a second process out. Each connection is used by
 * one thread at a time.
 *
 * A failed fsync is not retried: the kernel may have dropped the pages, so that the second one
 * would lie. It becomes ERR_STORE_BROKEN. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/engine.h"
#include "store/sqlite/sqlite_lock.h"
#include "store/sqlite/sqlite_log.h"

enum {
    CHECKPOINT_PAGES = 4000,
    BUSY_WAIT_MS = 2000,
    COLUMNS_MAX = 20,
    VALUE_BYTES_MAX = 16 << 20, /* of a row; ours are much smaller */
};

struct sqlite_db {
    struct db db;
    sqlite3 *h;
    sqlite3_stmt *statement[SQL_COUNT], *begin, *commit, *rollback;
    int lock_fd;
    bool tells_n[SQL_COUNT]; /* the statement asks for the new row's number */
    int wal_pages;           /* after the last commit */
};

static enum err err_of(struct sqlite_db *s, int rc)
{
    int whole = s->h ? sqlite3_extended_errcode(s->h) : rc;
    enum err err;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return OK;
    case SQLITE_FULL: err = ERR_STORE_FULL; break;
    case SQLITE_CONSTRAINT: return ERR_EXISTS;
    case SQLITE_TOOBIG: return ERR_TOO_BIG; /* the row's fault, not the store's: others go on */
    case SQLITE_NOMEM: err = ERR_NOMEM; break;
    case SQLITE_IOERR:
        err = whole == SQLITE_IOERR_FSYNC || whole == SQLITE_IOERR_DIR_FSYNC ? ERR_STORE_BROKEN
              : errno == ENOSPC                                              ? ERR_STORE_FULL
                                                                             : ERR_STORE;
        break;
    default: err = ERR_STORE;
    }
    if (s->db.err == OK) {
        s->db.err = err;
        snprintf(s->db.detail, sizeof s->db.detail, "%s", s->h ? sqlite3_errmsg(s->h) : "");
    }
    return err;
}

static int sqlite_on_wal(void *arg, sqlite3 *h, const char *name, int pages)
{
    struct sqlite_db *s = arg;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static enum err sqlite_lock_take(struct sqlite_db *s, const char *path, char *why, size_t cap)
{
    enum err err = sqlite_lock(path, &s->lock_fd, why, cap);
    if (err != OK)
        return err;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return ERR_STORE;
    }
    close(fd); /* before SQLite has locks on it, which a close would drop */
    return OK;
}

static enum err sqlite_prepare_text(struct sqlite_db *s, const char *text, sqlite3_stmt **ret)
{
    int rc = sqlite3_prepare_v3(s->h, text, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    return err_of(s, rc);
}

static void sqlite_close_db(struct db *db)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    if (!s)
        return;
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(s->statement[i]);
    sqlite3_finalize(s->begin);
    sqlite3_finalize(s->commit);
    sqlite3_finalize(s->rollback);
    sqlite3_close(s->h);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s);
}

/* Switches off memory statistics, which cost a mutex for each allocation of the writer. */
static void configure_library(void)
{
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

/* Copies the log that the last process left into the file, and syncs it. The log may be in the
 * kernel's memory alone: a failed sync leaves pages that read well and are never written. After the
 * copy its data is on the disk, and the log begins anew. On a full disk the log is read as it is.
 */
static enum err sqlite_log_settle(struct sqlite_db *s)
{
    int rc = sqlite3_wal_checkpoint_v2(s->h, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    enum err err = err_of(s, rc);
    return err == ERR_STORE_FULL ? OK : err;
}

static enum err sqlite_open_db(const char *path, enum db_mode mode, struct db **ret, char *why,
                               size_t cap)
{
    static const char *const writer_rules =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
        "PRAGMA cache_size=-32768; PRAGMA journal_size_limit=67108864; PRAGMA temp_store=MEMORY;"
        "PRAGMA foreign_keys=OFF; PRAGMA case_sensitive_like=OFF";
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    struct sqlite_db *s = calloc(1, sizeof *s);
    bool writer = mode == DB_WRITER;
    enum err err = ERR_NOMEM;
    if (!s)
        return ERR_NOMEM;
    s->db = (struct db){.engine = &engine_sqlite, .writer = writer};
    s->lock_fd = -1;
    bool in_memory = !strcmp(path, ":memory:"); /* no file to lock; no second connection sees it */
    if (writer && !in_memory && (err = sqlite_lock_take(s, path, why, cap)) != OK)
        goto out;
    int flags = SQLITE_OPEN_NOMUTEX | (writer ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    if ((err = err_of(s, sqlite3_open_v2(path, &s->h, flags, writer ? sqlite_log_vfs() : NULL))) !=
        OK)
        goto said;
    sqlite3_busy_timeout(s->h, BUSY_WAIT_MS);
    sqlite3_limit(s->h, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
    if (writer) {
        if ((err = err_of(s, sqlite3_exec(s->h, writer_rules, NULL, NULL, NULL))) != OK)
            goto said;
        sqlite3_wal_hook(s->h, sqlite_on_wal, s);
        if ((err = sqlite_log_settle(s)) != OK)
            goto said;
    }
    if ((err = sqlite_prepare_text(s, writer ? "BEGIN IMMEDIATE" : "BEGIN", &s->begin)) != OK ||
        (err = sqlite_prepare_text(s, "COMMIT", &s->commit)) != OK ||
        (err = sqlite_prepare_text(s, "ROLLBACK", &s->rollback)) != OK)
        goto said;
    *ret = &s->db;
    return OK;
said:
    snprintf(why, cap, "%s: %s", path, s->h ? sqlite3_errmsg(s->h) : err_text(err));
out:
    sqlite_close_db(&s->db);
    return err;
}

static int sqlite_step_reset(sqlite3_stmt *st)
{
    int rc = sqlite3_step(st);
    sqlite3_reset(st);
    return rc;
}

static enum err sqlite_begin(struct db *db)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    db->err = OK;
    db->writes = 0;
    return err_of(s, sqlite_step_reset(s->begin));
}

static void sqlite_rollback(struct db *db)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    if (!sqlite3_get_autocommit(s->h))
        sqlite_step_reset(s->rollback);
}

static enum err sqlite_commit(struct db *db)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    enum err err = err_of(s, sqlite_step_reset(s->commit));
    if (err != OK)
        sqlite_rollback(db);
    return err;
}

static enum err sqlite_bind(struct sqlite_db *s, sqlite3_stmt *st, const struct value *args,
                            size_t n)
{
    for (int i = 1; i <= (int)n; i++) {
        const struct value *v = &args[i - 1];
        int rc = v->kind == VALUE_INT    ? sqlite3_bind_int64(st, i, v->i)
                 : v->kind == VALUE_TEXT ? sqlite3_bind_text64(st, i, v->s.p ? v->s.p : "", v->s.n,
                                                               SQLITE_STATIC, SQLITE_UTF8)
                 : v->kind == VALUE_OCTETS
                     ? sqlite3_bind_blob64(st, i, v->s.p ? v->s.p : "", v->s.n, SQLITE_STATIC)
                     : sqlite3_bind_null(st, i);
        if (rc != SQLITE_OK)
            return err_of(s, rc);
    }
    return OK;
}

static size_t sqlite_columns_read(sqlite3_stmt *st, struct value column[COLUMNS_MAX])
{
    int n = sqlite3_column_count(st);
    ASSERT(n <= COLUMNS_MAX);
    for (int i = 0; i < n; i++) {
        int type = sqlite3_column_type(st, i);
        if (type == SQLITE_INTEGER) {
            column[i] = V_INT(sqlite3_column_int64(st, i));
        } else if (type == SQLITE_NULL) {
            column[i] = (struct value){.kind = VALUE_NULL};
        } else if (type == SQLITE_BLOB) {
            const void *octets = sqlite3_column_blob(st, i);
            column[i] = V_OCTETS(str_of_bytes(octets, (size_t)sqlite3_column_bytes(st, i)));
        } else {
            const void *text = sqlite3_column_blob(st, i); /* as text it might be copied first */
            size_t bytes = (size_t)sqlite3_column_bytes(st, i);
            column[i] = V_TEXT(str_of_bytes(bytes ? text : "", bytes));
        }
    }
    return (size_t)n;
}

/* Prepares a statement. RETURNING n would cost SQLite a temporary table for each row; it knows the
 * row's number without it. */
static enum err sqlite_prepare_sql(struct sqlite_db *s, enum sql sql)
{
    static const struct str ending = STR(" RETURNING n");
    struct str text = str_of(sql_table[sql].text);
    s->tells_n[sql] = text.n > ending.n && str_eq(str_from(text, text.n - ending.n), ending);
    if (s->tells_n[sql])
        text.n -= ending.n;
    int rc = sqlite3_prepare_v3(s->h, text.p, (int)text.n, SQLITE_PREPARE_PERSISTENT,
                                &s->statement[sql], NULL);
    return err_of(s, rc);
}

static enum err sqlite_run(struct db *db, enum sql sql, const struct value *args, size_t n_args,
                           db_row *row, void *arg, int64_t *ret_changes)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    struct value column[COLUMNS_MAX];
    enum err err = OK;
    if (!s->statement[sql] && (err = sqlite_prepare_sql(s, sql)) != OK)
        return err;
    sqlite3_stmt *st = s->statement[sql];
    ASSERT(sqlite3_bind_parameter_count(st) == (int)n_args);
    if ((err = sqlite_bind(s, st, args, n_args)) != OK)
        return err;
    int rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        size_t n = sqlite_columns_read(st, column);
        if (row && !row(arg, column, n) && !sql_table[sql].writes)
            break;
    }
    err = err_of(s, rc);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    if (err == OK && s->tells_n[sql] && row && sqlite3_changes(s->h) > 0) {
        column[0] = V_INT(sqlite3_last_insert_rowid(s->h));
        row(arg, column, 1);
    }
    if (ret_changes)
        *ret_changes = sqlite3_changes64(s->h);
    return err;
}

static enum err sqlite_run_text(struct db *db, const char *text)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    return err_of(s, sqlite3_exec(s->h, text, NULL, NULL, NULL));
}

static enum err sqlite_tidy(struct db *db)
{
    struct sqlite_db *s = (struct sqlite_db *)db;
    if (s->wal_pages < CHECKPOINT_PAGES)
        return OK;
    int rc = sqlite3_wal_checkpoint_v2(s->h, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    s->wal_pages = 0; /* counted anew by the next commit, which may find it still long */
    db->err = OK;
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
        return OK;
    return err_of(s, rc);
}

const struct engine engine_sqlite = {
    .scheme = "sqlite",
    .open = sqlite_open_db,
    .close = sqlite_close_db,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .run = sqlite_run,
    .run_text = sqlite_run_text,
    .tidy = sqlite_tidy,
    .dialect = {.serial = "INTEGER PRIMARY KEY",
                .unreused = "INTEGER PRIMARY KEY AUTOINCREMENT",
                .plain_key = "INTEGER PRIMARY KEY",
                .octets = "BLOB",
                .clustered = "WITHOUT ROWID"},
};
