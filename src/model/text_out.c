/* text_out: writes characters into a bounded UTF-8 text. The readers of alphabets (model/sms_text,
 * model/charset) write through it; pure. The invariant: `out` grows by whole characters only,
 * whichever limit ends it. */
#include "model/text_out.h"

#include <string.h>

void text_begin(struct text_out *t, struct buf *out, size_t max)
{
    t->out = out;
    t->left = max;
    t->lossy = t->full = false;
    t->n = 0;
}

void text_end(struct text_out *t)
{
    buf_put(t->out, t->chunk, t->n);
    t->n = 0;
}

static void put_bytes(struct text_out *t, const void *bytes, size_t n)
{
    if (t->full || n > t->left) {
        t->full = t->lossy = true;
        return;
    }
    t->left -= n;
    if (n > TEXT_CHUNK - t->n)
        text_end(t);
    if (n > TEXT_CHUNK)
        buf_put(t->out, bytes, n);
    else {
        memcpy(t->chunk + t->n, bytes, n);
        t->n += n;
    }
}

void text_put_wide(struct text_out *t, uint32_t c)
{
    unsigned char b[4];
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        text_put_lost(t);
        return;
    }
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        b[i] = (unsigned char)(0x80 | (c & 0x3F));
    b[0] = (unsigned char)(lead[n] | c);
    put_bytes(t, b, n);
}

void text_put_lost(struct text_out *t)
{
    t->lossy = true;
    put_bytes(t, "\xEF\xBF\xBD", 3);
}

/* Gives how many bytes at p, which are no character, could begin one. */
static size_t maximal_subpart(const unsigned char *p, size_t n)
{
    unsigned char c = p[0], low = 0x80, high = 0xBF;
    size_t i = 1, due = c < 0xC2 || c > 0xF4 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (c == 0xE0)
        low = 0xA0;
    else if (c == 0xF0)
        low = 0x90;
    else if (c == 0xED)
        high = 0x9F;
    else if (c == 0xF4)
        high = 0x8F;
    for (; i < due && i < n && p[i] >= low && p[i] <= high; i++) {
        low = 0x80;
        high = 0xBF;
    }
    return i;
}

static size_t ascii_span(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && (signed char)p[i] > 0)
        i++;
    return i;
}

void text_put_utf8(struct text_out *t, struct str s)
{
    for (size_t at = 0; at < s.n && !t->full;) {
        size_t n = ascii_span(s.p + at, s.n - at);
        if (n > t->left) /* every one of these octets is a border */
            n = t->left;
        if (n)
            put_bytes(t, s.p + at, n);
        else if (s.p[at] == 0 || (n = str_utf8_at(s, at)) == 0) {
            n = maximal_subpart((const unsigned char *)s.p + at, s.n - at);
            text_put_lost(t);
        } else
            put_bytes(t, s.p + at, n);
        at += n;
    }
}
