/* buf: the growing output buffer. It doubles its size up to its maximum. After an error the put
 * functions do nothing, so that a writer checks `err` once, at the end. Any thread, one at a time.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_wrap(struct buf *b, char *mem, size_t cap)
{
    *b = (struct buf){.p = mem, .cap = cap, .max = cap, .wraps = true};
}

void buf_fini(struct buf *b)
{
    if (!b)
        return;
    if (!b->wraps)
        free(b->p);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->err = OK;
}

static bool buf_grow(struct buf *b, size_t need)
{
    size_t cap = b->cap ? b->cap : 256;
    if (b->wraps || need > b->max) {
        b->err = ERR_TOO_BIG;
        return false;
    }
    if (cap > b->max)
        cap = b->max;
    while (cap < need)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->err = ERR_NOMEM;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

char *buf_room(struct buf *b, size_t n)
{
    size_t need;
    if (b->err != OK)
        return NULL;
    if (__builtin_add_overflow(b->n, n, &need)) {
        b->err = ERR_TOO_BIG;
        return NULL;
    }
    if (need > b->cap && !buf_grow(b, need))
        return NULL;
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *bytes, size_t n)
{
    char *to = n ? buf_room(b, n) : NULL;
    if (!to)
        return;
    memcpy(to, bytes, n);
    b->n += n;
}

void buf_put_str(struct buf *b, struct str s)
{
    buf_put(b, s.p, s.n);
}

void buf_puts(struct buf *b, const char *z)
{
    buf_put(b, z, strlen(z));
}

void buf_putc(struct buf *b, char c)
{
    char *to = buf_room(b, 1);
    if (to) {
        *to = c;
        b->n++;
    }
}

void buf_put_u64(struct buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do
        text[--at] = (char)('0' + v % 10);
    while (v /= 10);
    buf_put(b, text + at, sizeof text - at);
}

void buf_put_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_putc(b, '-');
    buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    char text[512];
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n < 0)
        return;
    if ((size_t)n < sizeof text) {
        buf_put(b, text, (size_t)n);
        return;
    }
    char *to = buf_room(b, (size_t)n + 1);
    if (!to) /* a full buffer has no byte left for the NUL; b->err is set */
        return;
    va_start(args, fmt);
    vsnprintf(to, (size_t)n + 1, fmt, args);
    va_end(args);
    b->n += (size_t)n;
}

void buf_cut(struct buf *b, size_t n)
{
    ASSERT(n <= b->n);
    if (n && n < b->n)
        memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->p, b->n};
}
