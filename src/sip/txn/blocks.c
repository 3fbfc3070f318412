/* blocks: keeps free blocks in lists by size. A list keeps LIST_BYTES at the most; the rest goes
 * back to the heap, so that a peak is not held for ever. Edge's thread. */
#include "sip/txn/blocks.h"

#include <stdlib.h>
#include <string.h>

enum { CLASSES = 6, LIST_BYTES = 8 << 20 };

static const uint32_t class_size[CLASSES] = {256, 512, 1024, 2048, 8192, BLOCK_MAX};

struct blocks {
    struct free_block {
        struct free_block *next;
    } * list[CLASSES];
    size_t n[CLASSES], held;
};

enum err blocks_new(struct blocks **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : ERR_NOMEM;
}

void blocks_free(struct blocks *bs)
{
    if (!bs)
        return;
    for (size_t i = 0; i < CLASSES; i++)
        while (bs->list[i]) {
            struct free_block *f = bs->list[i];
            bs->list[i] = f->next;
            free(f);
        }
    free(bs);
}

void block_give(struct blocks *bs, struct block *b)
{
    size_t c = b->size_class;
    bs->held -= b->p != NULL;
    if (b->p && (bs->n[c] + 1) * class_size[c] <= LIST_BYTES) {
        struct free_block *f = (struct free_block *)(void *)b->p;
        f->next = bs->list[c];
        bs->list[c] = f;
        bs->n[c]++;
    } else {
        free(b->p);
    }
    *b = (struct block){0};
}

enum err block_set(struct blocks *bs, struct block *b, struct str bytes)
{
    uint8_t c = 0;
    block_give(bs, b);
    while (c < CLASSES && class_size[c] < bytes.n)
        c++;
    if (c == CLASSES)
        return ERR_TOO_BIG;
    if (bs->list[c]) {
        b->p = (char *)bs->list[c];
        bs->list[c] = bs->list[c]->next;
        bs->n[c]--;
    } else if (!(b->p = malloc(class_size[c]))) {
        return ERR_NOMEM;
    }
    bs->held++;
    b->size_class = c;
    b->n = (uint32_t)bytes.n;
    memcpy(b->p, bytes.p, bytes.n);
    return OK;
}

size_t blocks_held(const struct blocks *bs)
{
    return bs->held;
}
