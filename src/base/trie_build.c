/* trie_build: makes a trie of values that are all there. Items are parted by the digits of their
 * hashes, level by level, where they lie; so each node is made once, with its final size, and
 * nothing is looked up. */
#include <stdlib.h>

#include "base/trie_node.h"

enum { PLACES = 32 };

struct build {
    const struct trie_type *type;
    trie_join *join;
    size_t n; /* values that the trie has */
    bool failed;
};

/* In place: items of digit d lie at from[d] up to from[d + 1]. */
static void items_part(struct trie_item *item, size_t n, unsigned level, size_t from[PLACES + 1])
{
    size_t next[PLACES] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++)
        next[trie_digit(item[i].hash, level)]++;
    for (unsigned d = 0; d < PLACES; d++) {
        from[d] = sum;
        sum += next[d];
        next[d] = from[d];
    }
    from[PLACES] = sum;
    for (unsigned d = 0; d < PLACES; d++)
        while (next[d] < from[d + 1]) {
            unsigned to = trie_digit(item[next[d]].hash, level);
            struct trie_item moved = item[next[to]];
            item[next[to]] = item[next[d]];
            item[next[d]] = moved;
            next[to]++;
        }
}

/* Those that have the first one's key come to the front; how many. */
static size_t items_gather(struct build *b, struct trie_item *item, size_t n)
{
    size_t same = 1;
    for (size_t i = 1; i < n; i++)
        if (str_eq(b->type->key(item[i].value), b->type->key(item[0].value))) {
            struct trie_item moved = item[same];
            item[same++] = item[i];
            item[i] = moved;
        }
    return same;
}

/* Of `n` items with one key. */
static void *items_join(struct build *b, struct trie_item *item, size_t n)
{
    for (; !b->join && n > 1; n--)
        b->type->drop(item[n - 1].value);
    if (n == 1)
        return item->value;
    void **values = malloc(n * sizeof *values), *one;
    for (size_t i = 0; i < n; i++)
        if (values)
            values[i] = item[i].value;
        else
            b->type->drop(item[i].value);
    one = values ? b->join(values, n) : NULL;
    free(values);
    b->failed |= !one;
    return one;
}

/* Hashes are equal: first what has one key becomes one. */
static struct trie_node *list_build(struct build *b, struct trie_item *item, size_t n)
{
    size_t keys = 0;
    for (size_t at = 0, same; at < n; at += same) {
        same = items_gather(b, item + at, n - at);
        item[keys].value = items_join(b, item + at, same);
        keys += item[keys].value != NULL;
    }
    struct trie_node *list = trie_node_new(keys);
    b->failed |= !list;
    for (size_t i = 0; i < keys; i++)
        if (list)
            list->slot[list->values++] = item[i].value;
        else
            b->type->drop(item[i].value);
    b->n += keys;
    return list;
}

static struct trie_node *node_build(struct build *b, struct trie_item *item, size_t n,
                                    unsigned level)
{
    size_t from[PLACES + 1], slots = 0;
    if (level == TRIE_LIST_LEVEL)
        return list_build(b, item, n);
    items_part(item, n, level, from);
    for (unsigned d = 0; d < PLACES; d++)
        slots += from[d + 1] > from[d];
    struct trie_node *node = trie_node_new(slots);
    b->failed |= !node;
    size_t value = 0, below = slots;
    for (unsigned d = PLACES; d-- > 0;) { /* nodes lie behind the values: from the last on */
        size_t many = from[d + 1] - from[d];
        struct trie_item *first = item + from[d];
        if (many > 1 && node) {
            node->nodes |= 1u << d;
            node->slot[--below] = node_build(b, first, many, level + 1);
        } else if (many > 1)
            trie_node_drop(node_build(b, first, many, level + 1), b->type, level + 1);
    }
    for (unsigned d = 0; d < PLACES; d++)
        if (from[d + 1] - from[d] == 1) {
            void *v = item[from[d]].value;
            b->n++;
            if (node) {
                node->values |= 1u << d;
                node->slot[value++] = v;
            } else
                b->type->drop(v);
        }
    return node;
}

enum err trie_build(struct trie *ret, const struct trie_type *type, struct trie_item *items,
                    size_t n, trie_join *join)
{
    struct build b = {.type = type, .join = join};
    *ret = (struct trie){0};
    if (!n)
        return OK;
    ret->root = node_build(&b, items, n, 0);
    ret->n = b.n;
    if (b.failed)
        trie_drop(ret, type);
    return b.failed ? ERR_NOMEM : OK;
}
