/* sqlite_log: a VFS between SQLite and the system's that gathers the writes to the log.
 *
 * SQLite writes each page of its log with two system calls, one for the head and one for the page;
 * a commit of a hundred events is some hundred and fifty calls, though the log grows by one piece.
 * This VFS keeps the writes until the commit's sync, or until somebody reads, measures or cuts the
 * file, and then writes them together. Nothing is promised before the sync, so nothing is lost by
 * that; another connection reads only committed data, which is behind the sync. A write that fails
 * makes the sync fail, and the commit with it. Every file but the log goes straight to the system's
 * VFS. The writer's thread. */
#include "store/sqlite/sqlite_log.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The system's VFS reads only the lower 17 bits of a length: 128 KiB would count as 0. */
enum { GATHER_MAX = 124 * 1024 };

struct log_file {
    sqlite3_file base; /* first: what SQLite sees */
    sqlite3_file *below;
    sqlite3_int64 at; /* where the gathered bytes begin */
    int n;
    char *bytes; /* GATHER_MAX */
};

static sqlite3_vfs *below_vfs, log_vfs;

static int log_flush(struct log_file *f)
{
    int n = f->n;
    f->n = 0; /* also when it fails: SQLite rolls back, and writes there anew */
    return n ? f->below->pMethods->xWrite(f->below, f->bytes, n, f->at) : SQLITE_OK;
}

static int log_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 at)
{
    struct log_file *f = (struct log_file *)file;
    if (f->n && (at != f->at + f->n || n > GATHER_MAX - f->n)) {
        int rc = log_flush(f);
        if (rc != SQLITE_OK)
            return rc;
    }
    if (n > GATHER_MAX)
        return f->below->pMethods->xWrite(f->below, p, n, at);
    if (f->n == 0)
        f->at = at;
    memcpy(f->bytes + f->n, p, (size_t)n);
    f->n += n;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *p, int n, sqlite3_int64 at)
{
    struct log_file *f = (struct log_file *)file;
    int rc = at < f->at + f->n && f->at < at + n ? log_flush(f) : SQLITE_OK;
    return rc == SQLITE_OK ? f->below->pMethods->xRead(f->below, p, n, at) : rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
    struct log_file *f = (struct log_file *)file;
    int rc = log_flush(f);
    return rc == SQLITE_OK ? f->below->pMethods->xSync(f->below, flags) : rc;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct log_file *f = (struct log_file *)file;
    int rc = log_flush(f);
    return rc == SQLITE_OK ? f->below->pMethods->xTruncate(f->below, size) : rc;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    struct log_file *f = (struct log_file *)file;
    int rc = log_flush(f);
    return rc == SQLITE_OK ? f->below->pMethods->xFileSize(f->below, ret) : rc;
}

static int log_close(sqlite3_file *file)
{
    struct log_file *f = (struct log_file *)file;
    int rc = log_flush(f), closed = f->below->pMethods->xClose(f->below);
    free(f->bytes);
    return rc == SQLITE_OK ? closed : rc;
}

static int log_lock(sqlite3_file *file, int level)
{
    struct log_file *f = (struct log_file *)file;
    return f->below->pMethods->xLock(f->below, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    struct log_file *f = (struct log_file *)file;
    return f->below->pMethods->xUnlock(f->below, level);
}

static int log_check_lock(sqlite3_file *file, int *ret)
{
    struct log_file *f = (struct log_file *)file;
    return f->below->pMethods->xCheckReservedLock(f->below, ret);
}

/* Size hints and the like; what needs the bytes in place has them. */
static int log_control(sqlite3_file *file, int op, void *arg)
{
    struct log_file *f = (struct log_file *)file;
    int rc = log_flush(f);
    return rc == SQLITE_OK ? f->below->pMethods->xFileControl(f->below, op, arg) : rc;
}

static int log_sector(sqlite3_file *file)
{
    struct log_file *f = (struct log_file *)file;
    return f->below->pMethods->xSectorSize(f->below);
}

static int log_features(sqlite3_file *file)
{
    struct log_file *f = (struct log_file *)file;
    return f->below->pMethods->xDeviceCharacteristics(f->below);
}

/* Version 1: the log is neither mapped nor the place of shared memory. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_check_lock,
    .xFileControl = log_control,
    .xSectorSize = log_sector,
    .xDeviceCharacteristics = log_features,
};

static int log_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret)
{
    struct log_file *f = (struct log_file *)file;
    if (!(flags & SQLITE_OPEN_WAL))
        return below_vfs->xOpen(below_vfs, name, file, flags, ret);
    *f = (struct log_file){.below = (sqlite3_file *)(f + 1), .bytes = malloc(GATHER_MAX)};
    if (!f->bytes)
        return SQLITE_NOMEM;
    int rc = below_vfs->xOpen(below_vfs, name, f->below, flags, ret);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    else
        free(f->bytes);
    return rc;
}

static void log_vfs_register(void)
{
    below_vfs = sqlite3_vfs_find(NULL);
    if (!below_vfs)
        return;
    log_vfs = *below_vfs; /* all other functions are the system's, and find their data in place */
    log_vfs.zName = "hookswitch";
    log_vfs.pNext = NULL;
    log_vfs.szOsFile = below_vfs->szOsFile + (int)sizeof(struct log_file);
    log_vfs.xOpen = log_open;
    if (sqlite3_vfs_register(&log_vfs, 0) != SQLITE_OK)
        below_vfs = NULL;
}

const char *sqlite_log_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, log_vfs_register);
    return below_vfs ? log_vfs.zName : NULL;
}
