/* Inside base/: the nodes of a trie (trie.c tells how they lie), for those that change one and for
 * the one that builds a whole one. */
#pragma once
#include <stdatomic.h>

#include "base/trie.h"

enum { TRIE_BITS = 5, TRIE_LIST_LEVEL = TRIE_LEVELS - 1 };

struct trie_node {
    _Atomic uint32_t refs;
    uint32_t values; /* bitmap; of a list: how many */
    uint32_t nodes;  /* bitmap */
    void *slot[];
};

struct trie_node *trie_node_new(size_t slots);
void trie_node_drop(struct trie_node *n, const struct trie_type *type, unsigned level);

static inline unsigned trie_digit(uint64_t hash, unsigned level)
{
    return (unsigned)(hash >> (TRIE_BITS * level) & 31);
}
