/* ring: keeps segments as files. `NN.trace` holds each 16th segment; its first block says which one
 * it is now. A file is emptied before its next segment begins, so that calls which left the index
 * are not on the disk either. No fsync: after a power failure the newest records may be missing or
 * torn, and the walk stops there. */
#include "trace/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { SCAN_BYTES = 1 << 20, VERSION = 1 };

struct segment_head {
    uint32_t magic, version;
    uint64_t number, bytes, zero;
    uint64_t sum;
};

struct trace_ring {
    char dir[1024];
    int lock;
    uint64_t bytes; /* of one segment */
    struct {
        int fd;          /* -1: there is no file yet */
        uint64_t number; /* 0: it holds nothing */
    } segment[TRACE_SEGMENTS];
    uint64_t newest; /* number of the one that is written; 0: none */
    uint64_t end;    /* of what is written in it; 0: not known yet */
};

static uint64_t head_sum(const struct segment_head *h)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15;
    return ((h->number ^ VERSION) * odd ^ h->bytes) * odd ^ TRACE_MAGIC;
}

static void name_print(const struct trace_ring *r, unsigned i, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%02u.trace", r->dir, i);
}

static int *segment_fd(struct trace_ring *r, uint64_t number)
{
    return &r->segment[number % TRACE_SEGMENTS].fd;
}

static bool segment_is_there(const struct trace_ring *r, uint64_t position)
{
    uint64_t number = position / r->bytes, at = position % r->bytes;
    return number && r->segment[number % TRACE_SEGMENTS].number == number &&
           at >= sizeof(struct segment_head) && (number != r->newest || !r->end || at < r->end);
}

static void segment_drop(struct trace_ring *r, unsigned i)
{
    r->segment[i].number = 0;
    if (r->segment[i].fd >= 0)
        (void)!ftruncate(r->segment[i].fd, 0);
}

/* ---- open ---- */

static void segment_open(struct trace_ring *r, unsigned i)
{
    char name[1100];
    struct segment_head h;
    name_print(r, i, name, sizeof name);
    int fd = r->segment[i].fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    bool sound = pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h && h.magic == TRACE_MAGIC &&
                 h.version == VERSION && h.sum == head_sum(&h) && h.bytes == r->bytes && h.number &&
                 h.number <= UINT32_MAX && h.number % TRACE_SEGMENTS == i;
    r->segment[i].number = sound ? h.number : 0;
    if (!sound)
        segment_drop(r, i);
    else if (h.number > r->newest)
        r->newest = h.number;
}

static enum err ring_folder_lock(struct trace_ring *r, char *why, size_t cap)
{
    char name[1100];
    (void)!mkdir(r->dir, 0700); /* the open reports any real fault */
    snprintf(name, sizeof name, "%s/lock", r->dir);
    r->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->lock < 0) {
        snprintf(why, cap, "%s: %s", name, strerror(errno));
        return ERR_IO;
    }
    if (flock(r->lock, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, cap, "%s: another hookswitch writes there", r->dir);
        return ERR_EXISTS;
    }
    return OK;
}

enum err trace_ring_open(const char *dir, uint64_t bytes, struct trace_ring **ret, char *why,
                         size_t cap)
{
    struct trace_ring *r = calloc(1, sizeof *r);
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    if (!r)
        return ERR_NOMEM;
    r->lock = -1;
    r->bytes = bytes / TRACE_SEGMENTS / 8 * 8;
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++)
        r->segment[i].fd = -1;
    ASSERT(r->bytes > 2 * (uint64_t)TRACE_RECORD_MAX);
    enum err err = str_copy(str_of(dir), r->dir, sizeof r->dir);
    if (err == OK)
        err = ring_folder_lock(r, why, cap);
    if (err != OK) {
        trace_ring_close(r);
        return err;
    }
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++)
        segment_open(r, i);
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++)
        if (r->segment[i].number && r->segment[i].number + TRACE_SEGMENTS <= r->newest)
            segment_drop(r, i); /* too old for this ring */
    *ret = r;
    return OK;
}

void trace_ring_close(struct trace_ring *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++)
        if (r->segment[i].fd >= 0)
            close(r->segment[i].fd);
    if (r->lock >= 0)
        close(r->lock);
    free(r);
}

void trace_ring_remove(const char *dir)
{
    char name[1100];
    for (unsigned i = 0; i < TRACE_SEGMENTS; i++) {
        snprintf(name, sizeof name, "%s/%02u.trace", dir, i);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/lock", dir);
    unlink(name);
    rmdir(dir);
}

/* ---- what is there ---- */

uint64_t trace_ring_segment(const struct trace_ring *r, unsigned i)
{
    for (uint64_t n = r->newest; n && n + TRACE_SEGMENTS > r->newest; n--)
        if (r->segment[n % TRACE_SEGMENTS].number == n && i-- == 0)
            return n;
    return 0;
}

struct scan {
    uint64_t from; /* position of the bytes at hand */
    trace_ring_fn *f;
    void *arg;
};

static void scan_on_record(void *arg, size_t at, const struct trace_record *rec)
{
    const struct scan *s = arg;
    s->f(s->arg, s->from + at, rec);
}

enum err trace_ring_scan(struct trace_ring *r, uint64_t segment, trace_ring_fn *f, void *arg)
{
    struct scan s = {.f = f, .arg = arg};
    uint64_t at = sizeof(struct segment_head);
    char *bytes = malloc(SCAN_BYTES);
    enum err err = bytes ? OK : ERR_NOMEM;
    while (err == OK && at < r->bytes) {
        size_t want = r->bytes - at < SCAN_BYTES ? (size_t)(r->bytes - at) : SCAN_BYTES;
        ssize_t n = pread(*segment_fd(r, segment), bytes, want, (off_t)at);
        s.from = segment * r->bytes + at;
        size_t walked = n > 0 ? trace_walk(bytes, (size_t)n, segment, scan_on_record, &s) : 0;
        if (n < 0)
            err = ERR_IO;
        if (walked == 0)
            break;
        at += walked;
    }
    free(bytes);
    if (segment == r->newest && r->end == 0) {
        r->end = err == OK ? at : r->bytes; /* it cannot be read, and stays as it is */
        if (err == OK)
            (void)!ftruncate(*segment_fd(r, segment), (off_t)at); /* cut off the torn end */
    }
    return err;
}

/* ---- writing ---- */

uint64_t trace_ring_at(const struct trace_ring *r)
{
    return r->end ? r->newest * r->bytes + r->end : 0;
}

size_t trace_ring_left(const struct trace_ring *r)
{
    return r->end ? (size_t)(r->bytes - r->end) : 0;
}

uint64_t trace_ring_number(const struct trace_ring *r)
{
    return r->newest;
}

static bool ring_disk_has_room(const struct trace_ring *r)
{
    struct statvfs v;
    return statvfs(r->dir, &v) != 0 ||
           (uint64_t)v.f_bavail * v.f_frsize >= r->bytes * TRACE_SEGMENTS;
}

static enum err pwrite_all(int fd, struct str bytes, uint64_t at)
{
    while (bytes.n) {
        ssize_t n = pwrite(fd, bytes.p, bytes.n, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && (errno == ENOSPC || errno == EDQUOT) ? ERR_STORE_FULL : ERR_IO;
        bytes = str_from(bytes, (size_t)n);
        at += (uint64_t)n;
    }
    return OK;
}

enum err trace_ring_next(struct trace_ring *r, uint64_t *ret_oldest)
{
    char name[1100];
    struct segment_head h = {.magic = TRACE_MAGIC, .version = VERSION, .bytes = r->bytes};
    uint64_t number = h.number = r->newest + 1;
    unsigned i = (unsigned)(number % TRACE_SEGMENTS);
    segment_drop(r, i);
    *ret_oldest = number < TRACE_SEGMENTS ? 0 : (number - TRACE_SEGMENTS + 1) * r->bytes;
    if (!ring_disk_has_room(r))
        return ERR_STORE_FULL;
    name_print(r, i, name, sizeof name);
    if (r->segment[i].fd < 0)
        r->segment[i].fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (r->segment[i].fd < 0)
        return ERR_IO;
    h.sum = head_sum(&h);
    enum err err = pwrite_all(r->segment[i].fd, str_of_bytes(&h, sizeof h), 0);
    if (err != OK)
        return err;
    r->segment[i].number = r->newest = number;
    r->end = sizeof h;
    return OK;
}

enum err trace_ring_write(struct trace_ring *r, struct str bytes)
{
    ASSERT(bytes.n <= trace_ring_left(r));
    enum err err = pwrite_all(*segment_fd(r, r->newest), bytes, r->end);
    if (err == OK)
        r->end += bytes.n;
    return err;
}

/* ---- reading, and writing again ---- */

enum err trace_ring_head(struct trace_ring *r, uint64_t position, struct trace_record *ret)
{
    uint64_t number = position / r->bytes;
    if (!segment_is_there(r, position))
        return ERR_NOT_FOUND;
    ssize_t n = pread(*segment_fd(r, number), ret, sizeof *ret, (off_t)(position % r->bytes));
    bool sound = n == (ssize_t)sizeof *ret && ret->magic == TRACE_MAGIC && ret->segment == number &&
                 ret->n <= TRACE_MESSAGE_MAX && ret->size == trace_record_size(ret->n);
    return n < 0 ? ERR_IO : sound ? OK : ERR_NOT_FOUND;
}

enum err trace_ring_read(struct trace_ring *r, uint64_t position, struct buf *out)
{
    struct trace_record head;
    uint64_t number = position / r->bytes;
    enum err err = trace_ring_head(r, position, &head);
    char *room = err == OK ? buf_room(out, head.size) : NULL;
    if (!room)
        return err == OK ? out->err : err;
    ssize_t n = pread(*segment_fd(r, number), room, head.size, (off_t)(position % r->bytes));
    if (n != (ssize_t)head.size ||
        !trace_record_is_sound((const struct trace_record *)(const void *)room, head.size, number))
        return ERR_NOT_FOUND;
    out->n += head.size;
    return OK;
}

static enum err record_rewrite(struct trace_ring *r, uint64_t position, uint64_t before, bool blank)
{
    struct buf b;
    buf_init(&b, TRACE_RECORD_MAX);
    enum err err = trace_ring_read(r, position, &b);
    struct trace_record *rec = (struct trace_record *)(void *)b.p;
    if (err == OK && blank) { /* its size stays, so that the walk finds the next record */
        struct trace_record empty = {
            .magic = rec->magic, .size = rec->size, .segment = rec->segment, .n = rec->n};
        memset(b.p, 0, b.n);
        *rec = empty;
    } else if (err == OK) {
        rec->before = before;
    }
    if (err == OK) {
        rec->sum = trace_record_sum(rec);
        err = pwrite_all(*segment_fd(r, position / r->bytes), buf_str(&b), position % r->bytes);
    }
    buf_fini(&b);
    return err;
}

enum err trace_ring_blank(struct trace_ring *r, uint64_t position)
{
    return record_rewrite(r, position, 0, true);
}

enum err trace_ring_link(struct trace_ring *r, uint64_t position, uint64_t before)
{
    return record_rewrite(r, position, before, false);
}
