/* Gives memory for messages that are kept, to be sent again or answered later: blocks of a few
 * sizes that go back to a list, so that a packet costs no allocation. Edge's thread. */
#pragma once
#include "base/str.h"

/* The largest message, and what a reply says besides what its request said. */
enum { BLOCK_MAX = 65536 + 4096 };

struct blocks;
struct block {
    char *p; /* NULL: empty */
    uint32_t n;
    uint8_t size_class;
};

MUST_USE enum err blocks_new(struct blocks **ret);
void blocks_free(struct blocks *bs); /* NULL-safe */
/* Copies the bytes into `b`, whose former block is given back. ERR_NOMEM leaves it empty, and so does
 * ERR_TOO_BIG: more than BLOCK_MAX. */
MUST_USE enum err block_set(struct blocks *bs, struct block *b, struct str bytes);
void block_give(struct blocks *bs, struct block *b); /* idempotent */
static inline struct str block_str(const struct block *b)
{
    return (struct str){b->p, b->n};
}
size_t blocks_held(const struct blocks *bs); /* set and not given back */
