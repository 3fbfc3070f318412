/* Packs a value and all that it points to into one block of memory. The function that places the
 * pieces runs twice with the same pieces: the first time `mem` is NULL and only the sizes are added
 * up. Pieces that need more alignment come first: the value, arrays, then texts. */
#pragma once
#include <string.h>

#include "base/str.h"

struct block_writer {
    char *mem; /* NULL: only `n` counts */
    size_t n;
};

/* Gives a place of n bytes, or NULL while sizes are added up. */
static inline void *block_place(struct block_writer *b, size_t n)
{
    void *at = b->mem ? b->mem + b->n : NULL;
    b->n += n;
    return at;
}

/* Places the text with its NUL. An empty text takes no place and becomes a constant; NULL stays
 * NULL. */
static inline const char *block_text(struct block_writer *b, const char *text)
{
    if (!text || !*text)
        return text ? "" : NULL;
    size_t n = strlen(text) + 1;
    char *at = block_place(b, n);
    return at ? memcpy(at, text, n) : text;
}
