/* sqlite_backup: copies and restores the embedded store. A backup is one read transaction of a
 * connection that only reads (VACUUM INTO): the daemon goes on, and it alone writes and
 * checkpoints. A restore takes the daemon's own lock first. Both check every page of the copy
 * before they report success. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "store/backup.h"
#include "store/engine.h"
#include "store/sqlite/sqlite_lock.h"

enum { PATH_BYTES = 1200, COPY_BYTES = 1 << 20 };

struct reason_text { /* where the reason for people is written */
    char *p;
    size_t cap;
};

PRINTF_LIKE(3, 4) static enum err fail(struct reason_text *w, enum err err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(w->p, w->cap, fmt, args);
    va_end(args);
    return err;
}

static enum err err_of_errno(int no)
{
    return no == ENOENT ? ERR_NOT_FOUND : no == ENOSPC || no == EDQUOT ? ERR_STORE_FULL : ERR_IO;
}

static enum err reason_fail_at(struct reason_text *w, const char *path)
{
    int no = errno;
    return fail(w, err_of_errno(no), "%s: %s", path, strerror(no));
}

static enum err path_of(const char *url, char out[PATH_BYTES], struct reason_text *w)
{
    struct str scheme, where;
    if (!str_cut(str_of(url), ':', &scheme, &where) ||
        !str_eq(scheme, str_of(engine_sqlite.scheme)) || !where.n)
        return fail(
            w, ERR_UNSUPPORTED,
            "store.url \"%s\": backup and restore are for sqlite:PATH; a PostgreSQL store is "
            "backed up by its own tools (pg_dump, pg_basebackup)",
            url);
    return str_copy(where, out, PATH_BYTES - 32) == OK
               ? OK
               : fail(w, ERR_TOO_BIG, "store.url: the path is too long");
}

static enum err sync_path(const char *path, int flags, struct reason_text *w)
{
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return reason_fail_at(w, path);
    enum err err = fsync(fd) == 0 ? OK : reason_fail_at(w, path);
    close(fd);
    return err;
}

/* Syncs the file's folder, so that a rename is on the disk. */
static enum err sync_folder_of(const char *path, struct reason_text *w)
{
    char dir[PATH_BYTES];
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (str_copy(!slash ? STR(".") : n ? str_of_bytes(path, n) : STR("/"), dir, sizeof dir) != OK)
        return fail(w, ERR_TOO_BIG, "%s: the path is too long", path);
    return sync_path(dir, O_RDONLY | O_DIRECTORY, w);
}

/* ---- looking ---- */

static int text_row_read(void *arg, int n, char **column, char **name)
{
    struct buf *b = arg;
    if (n && column[0] && b->n < 160)
        buf_printf(b, "%s%s", b->n ? "; " : "", column[0]);
    return 0;
}

static int number_row_read(void *arg, int n, char **column, char **name)
{
    *(int64_t *)arg = n && column[0] ? strtoll(column[0], NULL, 10) : 0;
    return 0;
}

static enum err backup_facts_read(sqlite3 *h, const char *file, struct backup_facts *ret,
                                  struct reason_text *w)
{
    const struct {
        const char *text;
        int64_t *to;
    } count[] = {{"SELECT value FROM meta WHERE name = 'schema'", &ret->schema},
                 {"SELECT count(*) FROM settings", &ret->settings},
                 {"SELECT count(*) FROM events", &ret->events},
                 {"SELECT count(*) FROM deliveries WHERE state = 0", &ret->pending},
                 {"SELECT count(*) FROM calls", &ret->calls}};
    char said[256];
    struct buf b;
    buf_wrap(&b, said, sizeof said - 1);
    if (sqlite3_exec(h, "PRAGMA integrity_check(3)", text_row_read, &b, NULL) != SQLITE_OK)
        return fail(w, ERR_INVALID, "%s is damaged, or no backup: %s", file, sqlite3_errmsg(h));
    said[b.n] = '\0';
    if (strcmp(said, "ok"))
        return fail(w, ERR_INVALID, "%s is damaged: %s", file, said);
    for (size_t i = 0; i < sizeof count / sizeof *count; i++)
        if (sqlite3_exec(h, count[i].text, number_row_read, count[i].to, NULL) != SQLITE_OK)
            return fail(w, ERR_INVALID, "%s is no store of hookswitch: %s", file,
                        sqlite3_errmsg(h));
    if (ret->schema < 1 || ret->schema > schema_version())
        return fail(w, ERR_UNSUPPORTED,
                    "%s was written by %s version (schema %lld, this one knows %lld)", file,
                    ret->schema < 1 ? "no" : "a newer", (long long)ret->schema,
                    (long long)schema_version());
    return OK;
}

enum err store_check(const char *file, struct backup_facts *ret, char *why, size_t cap)
{
    struct reason_text w = {why, cap};
    struct stat st;
    sqlite3 *h = NULL;
    *ret = (struct backup_facts){0};
    if (stat(file, &st) != 0)
        return reason_fail_at(&w, file);
    ret->bytes = st.st_size;
    enum err err = OK;
    if (st.st_size == 0 || sqlite3_open_v2(file, &h, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        err = fail(&w, ERR_INVALID, "%s is damaged, or no backup: %s", file,
                   st.st_size ? sqlite3_errmsg(h) : "it is empty");
    if (err == OK)
        err = backup_facts_read(h, file, ret, &w);
    sqlite3_close(h);
    return err;
}

/* ---- backup ---- */

static enum err backup_copy_into(const char *from, const char *to, struct reason_text *w)
{
    sqlite3 *h = NULL;
    sqlite3_stmt *st = NULL;
    enum err err = OK;
    if (sqlite3_open_v2(from, &h, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(h, 5000) != SQLITE_OK ||
        sqlite3_prepare_v2(h, "VACUUM INTO ?", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_bind_text(st, 1, to, -1, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_DONE) {
        int rc = h ? sqlite3_errcode(h) & 0xff : SQLITE_NOMEM;
        err = fail(w,
                   rc == SQLITE_FULL       ? ERR_STORE_FULL
                   : rc == SQLITE_CANTOPEN ? ERR_NOT_FOUND
                                           : ERR_STORE,
                   "%s: %s", from, h ? sqlite3_errmsg(h) : "out of memory");
    }
    sqlite3_finalize(st);
    sqlite3_close(h);
    return err;
}

/* Gives a checked file its new name; a file that has the name already stays. Where the file system
 * cannot ensure that (EINVAL), the check a moment ago has to do. */
static enum err backup_file_name(const char *part, const char *name, struct reason_text *w)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, name, RENAME_NOREPLACE) != 0 &&
        (errno != EINVAL || rename(part, name) != 0))
        return errno == EEXIST ? fail(w, ERR_EXISTS, "%s is there already", name)
                               : reason_fail_at(w, name);
    return sync_folder_of(name, w);
}

enum err store_backup(const char *url, const char *to, struct backup_facts *ret, char *why,
                      size_t cap)
{
    struct reason_text w = {why, cap};
    char from[PATH_BYTES], part[PATH_BYTES];
    enum err err = path_of(url, from, &w);
    if (err != OK)
        return err;
    if (snprintf(part, sizeof part, "%s.part", to) >= (int)sizeof part)
        return fail(&w, ERR_TOO_BIG, "%s: the path is too long", to);
    if (access(to, F_OK) == 0)
        return fail(&w, ERR_EXISTS, "%s is there already", to);
    if (access(from, F_OK) != 0)
        return reason_fail_at(&w, from);
    unlink(part); /* left by a backup that was cut off */
    mode_t before = umask(077);
    err = backup_copy_into(from, part, &w);
    umask(before);
    if (err == OK)
        err = store_check(part, ret, why, cap);
    if (err == OK)
        err = sync_path(part, O_RDONLY, &w);
    if (err == OK)
        err = backup_file_name(part, to, &w);
    if (err != OK)
        unlink(part);
    return err;
}

/* ---- restore ---- */

static enum err copy_bytes(int in, int out, const char *from, const char *to, struct reason_text *w)
{
    char *mem = malloc(COPY_BYTES);
    enum err err = mem ? OK : fail(w, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    ssize_t n;
    while (err == OK && (n = read(in, mem, COPY_BYTES)) != 0) {
        if (n < 0)
            err = reason_fail_at(w, from);
        for (ssize_t at = 0, k; err == OK && at < n; at += k)
            if ((k = write(out, mem + at, (size_t)(n - at))) <= 0) {
                err = reason_fail_at(w, to);
                k = 0;
            }
    }
    free(mem);
    if (err == OK && fsync(out) != 0)
        err = reason_fail_at(w, to);
    return err;
}

static enum err copy_file(const char *from, const char *to, struct reason_text *w)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return reason_fail_at(w, from);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum err err = out < 0 ? reason_fail_at(w, to) : copy_bytes(in, out, from, to, w);
    close(in);
    if (out >= 0)
        close(out);
    return err;
}

/* Moves the log into its file, so that the old store is one file; a damaged store is moved with its
 * log as it is. We hold the lock. */
static void old_store_settle(const char *path)
{
    sqlite3 *h = NULL;
    if (sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
        (void)sqlite3_exec(h, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    sqlite3_close(h);
}

/* Gives PATH's files the name KEPT, or back. */
static enum err rename_all(const char *from, const char *to, struct reason_text *w)
{
    static const char *const ending[] = {"-wal", "-shm", ""};
    char name[PATH_BYTES + 64], new_name[PATH_BYTES + 64];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", from, ending[i]);
        snprintf(new_name, sizeof new_name, "%s%s", to, ending[i]);
        if (rename(name, new_name) != 0 && errno != ENOENT)
            return reason_fail_at(w, name);
    }
    return OK;
}

/* Puts the new file in the old one's place. The old one gets the name `kept`, "" when there was
 * none. */
static enum err store_files_exchange(const char *part, const char *path, char *kept, size_t cap,
                                     struct reason_text *w)
{
    char at[CLOCK_TEXT_SIZE];
    struct stat st;
    enum err err = OK;
    if (stat(path, &st) == 0 && st.st_size > 0) {
        clock_print_sec(clock_wall_ms(), at);
        snprintf(kept, cap, "%s.before-%s", path, at);
        err = rename_all(path, kept, w);
    }
    if (err == OK && rename(part, path) != 0)
        err = reason_fail_at(w, path);
    if (err == OK)
        return sync_folder_of(path, w);
    struct reason_text unsaid = {NULL, 0};
    if (kept[0] && rename_all(kept, path, &unsaid) == OK)
        kept[0] = '\0';
    return err;
}

enum err store_restore(const char *url, const char *from, struct backup_facts *ret, char *kept,
                       size_t kept_cap, char *why, size_t cap)
{
    struct reason_text w = {why, cap};
    char path[PATH_BYTES], part[PATH_BYTES + 16];
    kept[0] = '\0';
    enum err err = path_of(url, path, &w);
    if (err == OK)
        err = store_check(from, ret, why, cap);
    if (err != OK)
        return err;
    int lock;
    if ((err = sqlite_lock(path, &lock, why, cap)) != OK)
        return err;
    old_store_settle(path);
    snprintf(part, sizeof part, "%s.restoring", path);
    if ((err = copy_file(from, part, &w)) == OK)
        err = store_files_exchange(part, path, kept, kept_cap, &w);
    if (err != OK)
        unlink(part);
    close(lock);
    return err;
}
