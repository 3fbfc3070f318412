/* A growing output buffer with a maximum. An error (full, no memory) sticks: the put functions then
 * do nothing, and the caller checks `buf.err` once, at the end. */
#pragma once
#include "base/str.h"

struct buf {
    char *p;
    size_t n, cap, max;
    enum err err; /* OK, ERR_TOO_BIG, ERR_NOMEM */
    bool wraps;   /* memory is the caller's, never grown or freed */
};

void buf_init(struct buf *b, size_t max);                 /* heap, grows to at most `max` bytes */
void buf_wrap(struct buf *b, char *mem, size_t cap);      /* fixed memory of the caller */
void buf_fini(struct buf *b);                             /* NULL-safe, idempotent */
void buf_reset(struct buf *b);                            /* n = 0, err = OK, memory kept */
void buf_put(struct buf *b, const void *bytes, size_t n); /* bytes may be NULL when n is 0 */
void buf_put_str(struct buf *b, struct str s);
void buf_puts(struct buf *b, const char *z);
void buf_putc(struct buf *b, char c);
void buf_put_u64(struct buf *b, uint64_t v);
void buf_put_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_cut(struct buf *b, size_t n); /* drops the first n bytes (n <= b->n) */
struct str buf_str(const struct buf *b);
/* Room for n more bytes at b->p + b->n (caller then adds to b->n), or NULL with b->err set. */
char *buf_room(struct buf *b, size_t n);
