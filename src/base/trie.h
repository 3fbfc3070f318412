/* A persistent hash trie is a set of values found by their keys. A copy of it costs one counter,
 * and a change copies only the path to the changed place (some four nodes of at most 32 slots among
 * a million values). Readers may hold old copies while a new one is made: nodes that two copies
 * share are never written to. Nodes that have one owner are changed where they are, so that filling
 * a trie for the first time copies nothing.
 *
 * Keys are hashed with SipHash under a key drawn once a process, as in base/map. One thread changes
 * a `struct trie`; any number of threads may read copies that are no longer changed. */
#pragma once
#include "base/str.h"

struct trie_node;

/* Begins zeroed: an empty trie. */
struct trie {
    struct trie_node *root;
    size_t n; /* values */
};

/* A kind of values: where a value's key lies, and how its owners are counted. */
struct trie_type {
    struct str (*key)(const void *value); /* lies in the value; any bytes */
    void (*hold)(void *value);
    void (*drop)(void *value);
};

void *trie_get(const struct trie *t, const struct trie_type *type, struct str key); /* or NULL */
/* Puts the value, and drops the one that had its key. The value belongs to the trie even on
 * failure. ERR_NOMEM leaves the trie as it was. */
MUST_USE enum err trie_put(struct trie *t, const struct trie_type *type, void *value);
/* Removes the value of that key. ERR_NOT_FOUND, ERR_NOMEM: the trie is as it was. */
MUST_USE enum err trie_remove(struct trie *t, const struct trie_type *type, struct str key);
/* Makes a copy that shares its values with `t`. */
struct trie trie_copy(const struct trie *t);
/* Drops the nodes and values that no other copy holds, and leaves `t` empty. */
void trie_drop(struct trie *t, const struct trie_type *type);

/* A trie made of all its values at once, several times faster than one by one. */
struct trie_item {
    uint64_t hash; /* trie_hash of the value's key */
    void *value;
};
uint64_t trie_hash(struct str key);
/* Of several values that have one key: makes them one. Takes all; NULL: no memory. */
typedef void *trie_join(void **values, size_t n);
/* Takes the values, also when it fails, and leaves the items in another order. `join` NULL: any
 * one of them stays. ERR_NOMEM. */
MUST_USE enum err trie_build(struct trie *ret, const struct trie_type *type,
                             struct trie_item *items, size_t n, trie_join *join);

enum {
    TRIE_LEVELS = 14
}; /* 13 of 5 bits use up a hash of 64; below them lie values whose hashes are equal */

/* A walk over all values, in no order: starts zeroed but for `trie`. The trie must not change. */
struct trie_walk {
    const struct trie *trie;
    unsigned depth;
    const struct trie_node *node[TRIE_LEVELS];
    uint8_t at[TRIE_LEVELS];
    uint32_t last; /* the next value of a node of equal hashes */
};
void *trie_next(struct trie_walk *w); /* NULL at the end */
