/* flaky_disk: keeps the disk in memory. A change goes to `now` at once and to the file's list of
 * unsynced changes; a sync carries the list over to `safe`. A loss of power leaves `safe` and some
 * changes of the list, as fate decides, sector by sector. */
#include "flaky_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 8, NAME_MAX_ = 256, SECTOR = 512 };

struct bytes {
    unsigned char *p;
    size_t n, cap;
};

struct change { /* n bytes at `at`, or (bytes NULL) a truncation to `at` */
    size_t at, n;
    unsigned char *bytes;
};

struct disk_file {
    char name[NAME_MAX_]; /* "": free */
    struct bytes now, safe;
    struct change *change;
    size_t n, cap;
};

struct open_file { /* what SQLite holds; the system's file follows it in memory */
    sqlite3_file base;
    struct disk_file *file;
    sqlite3_file *real;
};

static struct {
    pthread_mutex_t lock;
    sqlite3_vfs vfs, *real;
    struct disk_file file[FILES_MAX];
    uint64_t random;
    enum disk_call fail_call;
    unsigned fail_at, stop_at;
    int fail_rc;
    bool failed, stopped;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void disk_mutex_lock(void)
{
    pthread_mutex_lock(&disk.lock);
}

static void disk_mutex_unlock(void)
{
    pthread_mutex_unlock(&disk.lock);
}

static uint32_t random_pick(uint32_t n) /* splitmix64 */
{
    uint64_t z = disk.random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z >> 33) % n);
}

uint32_t disk_random(uint32_t n)
{
    disk_mutex_lock();
    uint32_t r = random_pick(n);
    disk_mutex_unlock();
    return r;
}

/* ---- bytes and changes ---- */

static void file_resize(struct bytes *b, size_t n)
{
    if (n > b->cap) {
        b->cap = n * 2;
        b->p = realloc(b->p, b->cap);
    }
    if (n > b->n)
        memset(b->p + b->n, 0, n - b->n);
    b->n = n;
}

static void bytes_put(struct bytes *b, size_t at, const void *bytes, size_t n)
{
    if (n == 0)
        return;
    if (at + n > b->n)
        file_resize(b, at + n);
    memcpy(b->p + at, bytes, n);
}

static void change_apply(struct bytes *b, const struct change *c)
{
    if (c->bytes)
        bytes_put(b, c->at, c->bytes, c->n);
    else
        file_resize(b, c->at);
}

static void changes_apply_some(struct bytes *b, const struct change *c)
{
    uint32_t how = random_pick(3);
    if (how == 0)
        return;
    if (how == 1 || !c->bytes) {
        change_apply(b, c);
        return;
    }
    for (size_t at = 0, n; at < c->n; at += n) {
        n = SECTOR - (c->at + at) % SECTOR;
        n = n < c->n - at ? n : c->n - at;
        if (random_pick(2))
            bytes_put(b, c->at + at, c->bytes + at, n);
    }
}

static void changes_clear(struct disk_file *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->change[i].bytes);
    f->n = 0;
}

static void change_add(struct disk_file *f, size_t at, const void *bytes, size_t n)
{
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 64;
        f->change = realloc(f->change, f->cap * sizeof *f->change);
    }
    struct change *c = &f->change[f->n++];
    *c = (struct change){.at = at, .n = n};
    if (bytes && (c->bytes = malloc(n ? n : 1)))
        memcpy(c->bytes, bytes, n);
    change_apply(&f->now, c);
}

static void sync_file(struct disk_file *f)
{
    for (size_t i = 0; i < f->n; i++)
        change_apply(&f->safe, &f->change[i]);
    changes_clear(f);
}

static void file_clear(struct disk_file *f)
{
    changes_clear(f);
    free(f->change);
    free(f->now.p);
    free(f->safe.p);
    *f = (struct disk_file){0};
}

/* ---- faults ---- */

enum order { GO_ON, STOP_IN_IT, REFUSE };

/* Decides before each change how it goes. *ret_rc is the error for the last two. */
static enum order order_of(enum disk_call call, int *ret_rc)
{
    static const int rc[] = {SQLITE_IOERR_WRITE, SQLITE_IOERR_FSYNC, SQLITE_IOERR_TRUNCATE};
    *ret_rc = rc[call];
    if (disk.stopped)
        return REFUSE;
    if (disk.stop_at && --disk.stop_at == 0) {
        disk.stopped = true;
        return STOP_IN_IT;
    }
    if (disk.fail_at && disk.fail_call == call && --disk.fail_at == 0) {
        disk.failed = true;
        *ret_rc = disk.fail_rc;
        return REFUSE;
    }
    return GO_ON;
}

/* ---- sqlite3_io_methods ---- */

static struct open_file *open_of(sqlite3_file *f)
{
    return (struct open_file *)f;
}

static int disk_close(sqlite3_file *f)
{
    return open_of(f)->real->pMethods->xClose(open_of(f)->real);
}

static int disk_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    disk_mutex_lock();
    const struct bytes *b = &open_of(f)->file->now;
    size_t from = (size_t)at, there = from < b->n ? b->n - from : 0;
    there = there < (size_t)n ? there : (size_t)n;
    if (there)
        memcpy(to, b->p + from, there);
    memset((char *)to + there, 0, (size_t)n - there);
    disk_mutex_unlock();
    return there == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int disk_write(sqlite3_file *f, const void *bytes, int n, sqlite3_int64 at)
{
    int rc;
    disk_mutex_lock();
    enum order order = order_of(DISK_WRITE, &rc);
    if (order == GO_ON)
        change_add(open_of(f)->file, (size_t)at, bytes, (size_t)n);
    else if (order == STOP_IN_IT)
        change_add(open_of(f)->file, (size_t)at, bytes, random_pick((uint32_t)n));
    disk_mutex_unlock();
    return order == GO_ON ? SQLITE_OK : rc;
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 to)
{
    int rc;
    disk_mutex_lock();
    enum order order = order_of(DISK_TRUNCATE, &rc);
    if (order == GO_ON || (order == STOP_IN_IT && random_pick(2)))
        change_add(open_of(f)->file, (size_t)to, NULL, 0);
    disk_mutex_unlock();
    return order == GO_ON ? SQLITE_OK : rc;
}

static int disk_sync(sqlite3_file *f, int flags)
{
    int rc;
    struct disk_file *file = open_of(f)->file;
    disk_mutex_lock();
    enum order order = order_of(DISK_SYNC, &rc);
    if (order == GO_ON || (order == STOP_IN_IT && random_pick(2)))
        sync_file(file);
    else if (order == REFUSE && !disk.stopped)
        changes_clear(file);
    disk_mutex_unlock();
    return order == GO_ON ? SQLITE_OK : rc;
}

static int disk_size(sqlite3_file *f, sqlite3_int64 *ret)
{
    disk_mutex_lock();
    *ret = (sqlite3_int64)open_of(f)->file->now.n;
    disk_mutex_unlock();
    return SQLITE_OK;
}

static int disk_lock(sqlite3_file *f, int level)
{
    return open_of(f)->real->pMethods->xLock(open_of(f)->real, level);
}

static int disk_unlock(sqlite3_file *f, int level)
{
    return open_of(f)->real->pMethods->xUnlock(open_of(f)->real, level);
}

static int disk_is_reserved(sqlite3_file *f, int *ret)
{
    return open_of(f)->real->pMethods->xCheckReservedLock(open_of(f)->real, ret);
}

static int disk_control(sqlite3_file *f, int op, void *arg)
{
    return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *f)
{
    return SECTOR;
}

static int disk_traits(sqlite3_file *f)
{
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as unix says of itself */
}

static int disk_shm_map(sqlite3_file *f, int i, int size, int extend, void volatile **ret)
{
    return open_of(f)->real->pMethods->xShmMap(open_of(f)->real, i, size, extend, ret);
}

static int disk_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
    return open_of(f)->real->pMethods->xShmLock(open_of(f)->real, at, n, flags);
}

static void disk_shm_barrier(sqlite3_file *f)
{
    open_of(f)->real->pMethods->xShmBarrier(open_of(f)->real);
}

static int disk_shm_unmap(sqlite3_file *f, int delete)
{
    return open_of(f)->real->pMethods->xShmUnmap(open_of(f)->real, delete);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_is_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* ---- sqlite3_vfs: what is not here goes to the system's ---- */

static struct disk_file *file_of(const char *name)
{
    for (int i = 0; i < FILES_MAX; i++)
        if (!strcmp(disk.file[i].name, name))
            return &disk.file[i];
    return NULL;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    struct open_file *o = open_of(f);
    if (!name || strlen(name) >= NAME_MAX_)
        return SQLITE_CANTOPEN;
    disk_mutex_lock();
    o->file = file_of(name);
    if (!o->file && (o->file = file_of("")))
        snprintf(o->file->name, NAME_MAX_, "%s", name);
    disk_mutex_unlock();
    o->real = (sqlite3_file *)(o + 1);
    int rc = o->file ? disk.real->xOpen(disk.real, name, o->real, flags, ret_flags) : SQLITE_FULL;
    o->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
    return rc;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    disk_mutex_lock();
    bool stopped = disk.stopped;
    struct disk_file *f = file_of(name);
    if (!stopped && f)
        file_clear(f);
    disk_mutex_unlock();
    return stopped ? SQLITE_IOERR_DELETE : disk.real->xDelete(disk.real, name, 0);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret)
{
    disk_mutex_lock();
    struct disk_file *f = file_of(name);
    *ret = f && (flags != SQLITE_ACCESS_EXISTS || f->now.n > 0);
    disk_mutex_unlock();
    return SQLITE_OK;
}

void disk_start(void)
{
    sqlite3_config(
        SQLITE_CONFIG_MULTITHREAD); /* as store/sqlite/sqlite.c: it is too late for it then */
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.iVersion = 1;
    disk.vfs.zName = "flaky";
    disk.vfs.pNext = NULL;
    disk.vfs.szOsFile = (int)sizeof(struct open_file) + disk.real->szOsFile;
    disk.vfs.xOpen = vfs_open;
    disk.vfs.xDelete = vfs_delete;
    disk.vfs.xAccess = vfs_access;
    sqlite3_vfs_register(&disk.vfs, 1);
}

/* ---- what a test does ---- */

void disk_reset(uint64_t seed)
{
    disk_mutex_lock();
    for (int i = 0; i < FILES_MAX; i++)
        file_clear(&disk.file[i]);
    disk.random = seed;
    disk.fail_at = disk.stop_at = 0;
    disk.failed = disk.stopped = false;
    disk_mutex_unlock();
}

void disk_fail(enum disk_call call, unsigned n, int rc)
{
    disk_mutex_lock();
    disk.fail_call = call;
    disk.fail_at = n;
    disk.fail_rc = rc;
    disk.failed = false;
    disk_mutex_unlock();
}

void disk_stop_at(unsigned n)
{
    disk_mutex_lock();
    disk.stop_at = n;
    disk_mutex_unlock();
}

bool disk_stopped(void)
{
    disk_mutex_lock();
    bool stopped = disk.stopped;
    disk_mutex_unlock();
    return stopped;
}

bool disk_failed(void)
{
    disk_mutex_lock();
    bool failed = disk.failed;
    disk_mutex_unlock();
    return failed;
}

static void changes_survive(struct disk_file *f, enum disk_fate fate)
{
    for (size_t i = 0; fate == DISK_KEEPS_SOME && i < f->n; i++)
        changes_apply_some(&f->safe, &f->change[i]);
    changes_clear(f);
    f->now.n = 0;
    bytes_put(&f->now, 0, f->safe.p, f->safe.n);
}

void disk_restart(enum disk_fate fate)
{
    disk_mutex_lock();
    disk.fail_at = disk.stop_at = 0;
    disk.stopped = false;
    for (int i = 0; fate != DISK_KEEPS_ALL && i < FILES_MAX; i++)
        changes_survive(&disk.file[i], fate);
    disk_mutex_unlock();
}

static int on_verdict(void *arg, int n, char **value, char **name)
{
    bool *ok = arg;
    *ok = value[0] && !strcmp(value[0], "ok");
    return 0;
}

bool disk_check(const char *path)
{
    sqlite3 *h = NULL;
    bool ok = false;
    if (sqlite3_open_v2(path, &h, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK)
        sqlite3_exec(h, "PRAGMA integrity_check", on_verdict, &ok, NULL);
    sqlite3_close(h);
    return ok;
}
