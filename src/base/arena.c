/* arena: a bump allocator. Pieces lie behind one another in blocks. A pointer to its arena stands
 * in front of each piece, so that any piece leads to the whole. A document of JSON is hundreds of
 * pieces of a few bytes, made and freed together: with malloc and free they took a third of the
 * time of reading it. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>

enum { BLOCK = 65536, ALIGNED = 8 };

struct block {
    struct block *next;
    uint64_t piece[]; /* aligned */
};

struct arena {
    struct block *blocks; /* all but the first block, which lies behind this struct */
    char *at;
    size_t left;
    uint64_t piece[];
};

_Static_assert(sizeof(struct arena *) <= ALIGNED, "whose a piece is stands in front of it");

struct arena *arena_new(size_t first)
{
    size_t n = first & ~(size_t)(ALIGNED - 1);
    struct arena *a = malloc(sizeof *a + n);
    if (!a)
        return NULL;
    *a = (struct arena){.at = (char *)a->piece, .left = n};
    return a;
}

void arena_free(struct arena *a)
{
    for (struct block *b = a ? a->blocks : NULL, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

/* Starts a new block. The rest of the block before it stays unused. */
static int block_add(struct arena *a, size_t need)
{
    size_t n = need > BLOCK ? need : BLOCK;
    struct block *b = malloc(sizeof *b + n);
    if (!b)
        return 0;
    b->next = a->blocks;
    a->blocks = b;
    a->at = (char *)b->piece;
    a->left = n;
    return 1;
}

void *arena_take(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    size_t need = ((n + ALIGNED - 1) & ~(size_t)(ALIGNED - 1)) + ALIGNED;
    if (need > a->left && !block_add(a, need))
        return NULL;
    struct arena **whose = (struct arena **)(void *)a->at;
    *whose = a;
    a->at += need;
    a->left -= need;
    return (char *)whose + ALIGNED;
}

struct arena *arena_of(const void *piece)
{
    return *(struct arena *const *)(const void *)((const char *)piece - ALIGNED);
}
