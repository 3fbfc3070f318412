/* Collects a text as well-formed UTF-8 of a bounded length, and remembers whether something was
 * lost. Pure. */
#pragma once
#include "base/buf.h"

enum { TEXT_CHUNK = 1024, TEXT_LOST = 0xFFFD };

struct text_out {
    struct buf *out;
    size_t left; /* octets that the text may still have */
    bool lossy;  /* something became U+FFFD, or did not fit */
    bool full;   /* a character did not fit: nothing more is taken */
    size_t n;    /* in chunk: written to `out` when it is full, and by text_end */
    char chunk[TEXT_CHUNK];
};

void text_begin(struct text_out *t, struct buf *out, size_t max);
void text_end(struct text_out *t);
/* Adds a Unicode scalar value; NUL becomes U+FFFD. */
void text_put_wide(struct text_out *t, uint32_t c);
void text_put_lost(struct text_out *t); /* U+FFFD, and lossy */
/* Adds UTF-8. Each maximal subpart that is not well-formed becomes U+FFFD (Unicode 15 §3.9, U+FFFD
 * Substitution of Maximal Subparts). */
void text_put_utf8(struct text_out *t, struct str s);

static inline void text_put(struct text_out *t, uint32_t c)
{
    if (c - 1 < 0x7F && t->n < TEXT_CHUNK && t->left && !t->full) {
        t->chunk[t->n++] = (char)c;
        t->left--;
    } else
        text_put_wide(t, c);
}
