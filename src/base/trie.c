/* trie: a compressed hash array mapped trie (Steindorfer and Vinju 2015). A node has up to 32
 * places, chosen by 5 bits of the hash; a place is free, holds a value, or leads to a node one
 * level down. Two bitmaps say which of the three; the slots lie densely, values first. Below the
 * last level of bits a node is a plain list of values whose hashes are equal.
 *
 * A removal that leaves one value in a node does not move the value up: a look-up finds it there as
 * well, and the next change of that place would make the node again. A node that becomes empty is
 * removed. */
#include "base/trie.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/id.h"
#include "base/trie_node.h"

enum { LIST_LEVEL = TRIE_LIST_LEVEL };

static uint8_t seed[16];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void draw_seed(void)
{
    crypto_random(seed, sizeof seed);
}

uint64_t trie_hash(struct str key)
{
    pthread_once(&once, draw_seed);
    return hash_keyed(key, seed);
}

static uint32_t bit_of(uint64_t hash, unsigned level)
{
    return 1u << trie_digit(hash, level);
}

static unsigned bits_count(uint32_t map)
{
    return (unsigned)__builtin_popcount(map);
}

static unsigned value_count(const struct trie_node *n, unsigned level)
{
    return level == LIST_LEVEL ? n->values : bits_count(n->values);
}

static unsigned slot_count(const struct trie_node *n, unsigned level)
{
    return value_count(n, level) + bits_count(n->nodes);
}

static unsigned value_index(const struct trie_node *n, uint32_t bit)
{
    return bits_count(n->values & (bit - 1));
}

static unsigned node_index(const struct trie_node *n, uint32_t bit)
{
    return bits_count(n->values) + bits_count(n->nodes & (bit - 1));
}

struct trie_node *trie_node_new(size_t slots)
{
    struct trie_node *n = malloc(sizeof *n + slots * sizeof n->slot[0]);
    if (n)
        *n = (struct trie_node){.refs = 1};
    return n;
}

static struct trie_node *node_hold(struct trie_node *n)
{
    atomic_fetch_add_explicit(&n->refs, 1, memory_order_relaxed);
    return n;
}

void trie_node_drop(struct trie_node *n, const struct trie_type *type, unsigned level)
{
    if (!n || atomic_fetch_sub_explicit(&n->refs, 1, memory_order_acq_rel) != 1)
        return;
    unsigned values = value_count(n, level), all = slot_count(n, level);
    for (unsigned i = 0; i < all; i++)
        if (i < values)
            type->drop(n->slot[i]);
        else
            trie_node_drop(n->slot[i], type, level + 1);
    free(n);
}

static bool is_shared(const struct trie_node *n)
{
    return atomic_load_explicit(&n->refs, memory_order_acquire) != 1;
}

/* A change of one node, at one slot. Whether `was` has other owners than us is checked once, since
 * readers may drop theirs at any moment. */
struct edit {
    struct trie_node *was, *now;
    bool shared;
};
enum edit_kind { EDIT_KEEP, EDIT_MORE, EDIT_LESS };

/* Makes e->now: a node with the same slots, but without the slot `at` (LESS), with a hole there
 * (MORE), or with a slot whose content will be replaced (KEEP). A node of one owner is changed in
 * place or gives its slots away; each slot of a shared node, except `at`, gets one more owner. */
static enum err edit_begin(struct edit *e, struct trie_node *n, const struct trie_type *type,
                           unsigned level, unsigned at, enum edit_kind kind)
{
    unsigned values = value_count(n, level), all = slot_count(n, level);
    *e = (struct edit){n, n, is_shared(n)};
    if (kind == EDIT_KEEP && !e->shared)
        return OK;
    struct trie_node *c = e->now = trie_node_new(all + (kind == EDIT_MORE) - (kind == EDIT_LESS));
    if (!c)
        return ERR_NOMEM;
    c->values = n->values;
    c->nodes = n->nodes;
    for (unsigned i = 0, k = 0; i < all; i++) {
        k += kind == EDIT_MORE && i == at;
        if (kind == EDIT_LESS && i == at)
            continue;
        if (e->shared && !(kind == EDIT_KEEP && i == at)) {
            if (i < values)
                type->hold(n->slot[i]);
            else
                node_hold(n->slot[i]);
        }
        c->slot[k++] = n->slot[i];
    }
    return OK;
}

/* Drops the node that e->now replaces. */
static struct trie_node *edit_end(const struct edit *e, const struct trie_type *type,
                                  unsigned level)
{
    if (e->shared)
        trie_node_drop(e->was, type, level);
    else if (e->now != e->was)
        free(e->was);
    return e->now;
}

void *trie_get(const struct trie *t, const struct trie_type *type, struct str key)
{
    const struct trie_node *n = t->root;
    uint64_t hash = n ? trie_hash(key) : 0;
    for (unsigned level = 0; n && level < LIST_LEVEL; level++) {
        uint32_t bit = bit_of(hash, level);
        if (n->values & bit) {
            void *v = n->slot[value_index(n, bit)];
            return str_eq(type->key(v), key) ? v : NULL;
        }
        n = n->nodes & bit ? n->slot[node_index(n, bit)] : NULL;
    }
    for (unsigned i = 0; n && i < n->values; i++)
        if (str_eq(type->key(n->slot[i]), key))
            return n->slot[i];
    return NULL;
}

/* ---- put ---- */

/* Makes a node with two values whose hashes are equal down to this level. */
static struct trie_node *pair_new(void *a, uint64_t hash_a, void *b, uint64_t hash_b,
                                  unsigned level)
{
    uint32_t bit_a = level < LIST_LEVEL ? bit_of(hash_a, level) : 1;
    uint32_t bit_b = level < LIST_LEVEL ? bit_of(hash_b, level) : 2;
    struct trie_node *n = trie_node_new(2), *below;
    if (!n)
        return NULL;
    if (level == LIST_LEVEL || bit_a != bit_b) {
        n->values = level == LIST_LEVEL ? 2 : bit_a | bit_b;
        n->slot[bit_a > bit_b] = a;
        n->slot[bit_a < bit_b] = b;
        return n;
    }
    if (!(below = pair_new(a, hash_a, b, hash_b, level + 1))) {
        free(n);
        return NULL;
    }
    n->nodes = bit_a;
    n->slot[0] = below;
    return n;
}

static enum err node_put(struct trie_node **at, const struct trie_type *type, void *value,
                         struct str key, uint64_t hash, unsigned level, bool *ret_new);

/* Replaces the slot's value, and drops the old one where no other copy has it. */
static enum err node_put_over(struct trie_node **at, const struct trie_type *type, void *value,
                              unsigned i, unsigned level)
{
    struct edit e;
    enum err err = edit_begin(&e, *at, type, level, i, EDIT_KEEP);
    if (err != OK)
        return err;
    if (!e.shared)
        type->drop(e.now->slot[i]);
    e.now->slot[i] = value;
    *at = edit_end(&e, type, level);
    return OK;
}

static enum err list_put(struct trie_node **at, const struct trie_type *type, void *value,
                         struct str key, bool *ret_new)
{
    struct trie_node *n = *at;
    struct edit e;
    unsigned i = 0;
    while (i < n->values && !str_eq(type->key(n->slot[i]), key))
        i++;
    *ret_new = i == n->values;
    if (!*ret_new)
        return node_put_over(at, type, value, i, LIST_LEVEL);
    enum err err = edit_begin(&e, n, type, LIST_LEVEL, i, EDIT_MORE);
    if (err != OK)
        return err;
    e.now->slot[i] = value;
    e.now->values++;
    *at = edit_end(&e, type, LIST_LEVEL);
    return OK;
}

static enum err node_put_new(struct trie_node **at, const struct trie_type *type, void *value,
                             uint32_t bit, unsigned level)
{
    unsigned i = value_index(*at, bit);
    struct edit e;
    enum err err = edit_begin(&e, *at, type, level, i, EDIT_MORE);
    if (err != OK)
        return err;
    e.now->values |= bit;
    e.now->slot[i] = value;
    *at = edit_end(&e, type, level);
    return OK;
}

/* Frees the nodes alone: the values stay the caller's. */
static void pair_free(struct trie_node *n)
{
    while (n) {
        struct trie_node *below = n->nodes ? n->slot[0] : NULL;
        free(n);
        n = below;
    }
}

/* Moves the value of another key and the new one one level down. */
static enum err node_put_beside(struct trie_node **at, const struct trie_type *type, void *value,
                                uint64_t hash, unsigned level)
{
    struct trie_node *n = *at;
    uint32_t bit = bit_of(hash, level);
    unsigned i = value_index(n, bit);
    unsigned to = node_index(n, bit) - 1; /* one value less stands before the nodes */
    void *old = n->slot[i];
    struct edit e;
    struct trie_node *below = pair_new(old, trie_hash(type->key(old)), value, hash, level + 1);
    if (!below || edit_begin(&e, n, type, level, i, EDIT_KEEP) != OK) {
        pair_free(below);
        return ERR_NOMEM;
    }
    if (e.shared)
        type->hold(old); /* it stands in `below` too */
    memmove(&e.now->slot[i], &e.now->slot[i + 1], (to - i) * sizeof e.now->slot[0]);
    e.now->slot[to] = below;
    e.now->values &= ~bit;
    e.now->nodes |= bit;
    *at = edit_end(&e, type, level);
    return OK;
}

static enum err node_put_below(struct trie_node **at, const struct trie_type *type, void *value,
                               struct str key, uint64_t hash, unsigned level, bool *ret_new)
{
    unsigned i = node_index(*at, bit_of(hash, level));
    struct edit e;
    enum err err = edit_begin(&e, *at, type, level, i, EDIT_KEEP);
    if (err != OK)
        return err;
    struct trie_node *below = e.was->slot[i];
    if (e.shared)
        node_hold(below);
    err = node_put(&below, type, value, key, hash, level + 1, ret_new);
    e.now->slot[i] = below; /* on failure the same as before */
    if (err == OK)
        *at = edit_end(&e, type, level);
    else if (e.shared)
        trie_node_drop(e.now, type, level);
    return err;
}

static enum err node_put(struct trie_node **at, const struct trie_type *type, void *value,
                         struct str key, uint64_t hash, unsigned level, bool *ret_new)
{
    struct trie_node *n = *at;
    if (level == LIST_LEVEL)
        return list_put(at, type, value, key, ret_new);
    uint32_t bit = bit_of(hash, level);
    if (n->nodes & bit)
        return node_put_below(at, type, value, key, hash, level, ret_new);
    *ret_new = true;
    if (!(n->values & bit))
        return node_put_new(at, type, value, bit, level);
    unsigned i = value_index(n, bit);
    if (!str_eq(type->key(n->slot[i]), key))
        return node_put_beside(at, type, value, hash, level);
    *ret_new = false;
    return node_put_over(at, type, value, i, level);
}

enum err trie_put(struct trie *t, const struct trie_type *type, void *value)
{
    struct str key = type->key(value);
    bool is_new = false;
    bool made = !t->root && (t->root = trie_node_new(0));
    enum err err =
        t->root ? node_put(&t->root, type, value, key, trie_hash(key), 0, &is_new) : ERR_NOMEM;
    if (err != OK) {
        type->drop(value);
        if (made)
            trie_drop(t, type);
    }
    t->n += err == OK && is_new;
    return err;
}

/* ---- remove ---- */

/* Removes one slot. *at becomes NULL when the node is empty. */
static enum err node_slot_remove(struct trie_node **at, const struct trie_type *type, unsigned i,
                                 uint32_t bit, unsigned level)
{
    struct trie_node *n = *at;
    struct edit e;
    if (slot_count(n, level) == 1) {
        trie_node_drop(n, type, level);
        *at = NULL;
        return OK;
    }
    enum err err = edit_begin(&e, n, type, level, i, EDIT_LESS);
    if (err != OK)
        return err;
    if (!e.shared)
        type->drop(n->slot[i]);
    if (level == LIST_LEVEL)
        e.now->values--;
    else
        e.now->values &= ~bit;
    *at = edit_end(&e, type, level);
    return OK;
}

static enum err node_remove(struct trie_node **at, const struct trie_type *type, struct str key,
                            uint64_t hash, unsigned level);

static enum err node_remove_below(struct trie_node **at, const struct trie_type *type,
                                  struct str key, uint64_t hash, uint32_t bit, unsigned level)
{
    unsigned i = node_index(*at, bit), all = slot_count(*at, level);
    struct edit e;
    enum err err = edit_begin(&e, *at, type, level, i, EDIT_KEEP);
    if (err != OK)
        return err;
    struct trie_node *below = e.was->slot[i];
    if (e.shared)
        node_hold(below);
    err = node_remove(&below, type, key, hash, level + 1);
    e.now->slot[i] = below;
    if (err != OK) {
        if (e.shared)
            trie_node_drop(e.now, type, level);
        return err;
    }
    *at = edit_end(&e, type, level);
    if (below)
        return OK;
    memmove(&e.now->slot[i], &e.now->slot[i + 1], (all - i - 1) * sizeof e.now->slot[0]);
    e.now->nodes &= ~bit;
    if (all == 1) {
        free(e.now);
        *at = NULL;
    }
    return OK;
}

/* Removes a key that is there: trie_remove() checked that. */
static enum err node_remove(struct trie_node **at, const struct trie_type *type, struct str key,
                            uint64_t hash, unsigned level)
{
    struct trie_node *n = *at;
    uint32_t bit = level < LIST_LEVEL ? bit_of(hash, level) : 0;
    unsigned i = 0;
    if (level == LIST_LEVEL)
        while (!str_eq(type->key(n->slot[i]), key))
            i++;
    else if (n->nodes & bit)
        return node_remove_below(at, type, key, hash, bit, level);
    else
        i = value_index(n, bit);
    return node_slot_remove(at, type, i, bit, level);
}

enum err trie_remove(struct trie *t, const struct trie_type *type, struct str key)
{
    if (!trie_get(t, type, key))
        return ERR_NOT_FOUND;
    enum err err = node_remove(&t->root, type, key, trie_hash(key), 0);
    t->n -= err == OK;
    return err;
}

struct trie trie_copy(const struct trie *t)
{
    if (t->root)
        node_hold(t->root);
    return *t;
}

void trie_drop(struct trie *t, const struct trie_type *type)
{
    trie_node_drop(t->root, type, 0);
    *t = (struct trie){0};
}

void *trie_next(struct trie_walk *w)
{
    if (!w->node[0]) {
        if (!w->trie->root)
            return NULL;
        w->node[0] = w->trie->root;
    }
    for (;;) {
        const struct trie_node *n = w->node[w->depth];
        unsigned level = w->depth, values = value_count(n, level);
        uint32_t *list = &w->last;
        unsigned i = level == LIST_LEVEL ? (*list)++ : w->at[level]++;
        if (i < values)
            return n->slot[i];
        if (i < slot_count(n, level)) {
            w->node[++w->depth] = n->slot[i];
            w->at[w->depth] = 0;
            w->last = 0;
            continue;
        }
        if (!level) {
            w->at[0]--; /* stays at the end */
            return NULL;
        }
        w->depth--;
    }
}
