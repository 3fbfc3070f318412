/* map: open addressing with linear probing and backward-shift deletion; load at most 3/4.
 *
 * The hash is SipHash-2-4 under a key drawn once a process, so that data from the network cannot
 * choose its bucket. A caller may remove the entry that a walk just returned, because a walk goes
 * downwards: the removal moves entries back from slots above the hole, which the walk has visited
 * already. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/id.h"

struct entry {
    struct str key;
    void *value; /* NULL: free */
    uint64_t hash;
};

struct map {
    struct entry *at;
    size_t n, cap; /* cap is a power of two */
    uint8_t seed[16];
};

struct map *map_new(void)
{
    struct map *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    crypto_random(m->seed, sizeof m->seed);
    return m;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    free(m->at);
    free(m);
}

static size_t map_slot_find(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = hash & (m->cap - 1);
    while (m->at[i].value && !(m->at[i].hash == hash && str_eq(m->at[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return i;
}

void *map_get(const struct map *m, struct str key)
{
    return m->n ? m->at[map_slot_find(m, key, hash_keyed(key, m->seed))].value : NULL;
}

static enum err map_grow(struct map *m)
{
    struct map big = *m;
    big.cap = m->cap ? m->cap * 2 : 16;
    big.at = calloc(big.cap, sizeof *big.at);
    if (!big.at)
        return ERR_NOMEM;
    for (size_t i = 0; i < m->cap; i++)
        if (m->at[i].value)
            big.at[map_slot_find(&big, m->at[i].key, m->at[i].hash)] = m->at[i];
    free(m->at);
    *m = big;
    return OK;
}

enum err map_put(struct map *m, struct str key, void *value, void **ret_old)
{
    ASSERT(value);
    if ((m->n + 1) * 4 > m->cap * 3) {
        enum err err = map_grow(m);
        if (err != OK)
            return err;
    }
    uint64_t hash = hash_keyed(key, m->seed);
    struct entry *e = &m->at[map_slot_find(m, key, hash)];
    if (ret_old)
        *ret_old = e->value;
    m->n += e->value == NULL;
    *e = (struct entry){key, value, hash};
    return OK;
}

void *map_remove(struct map *m, struct str key)
{
    if (!m->n)
        return NULL;
    size_t hole = map_slot_find(m, key, hash_keyed(key, m->seed)), mask = m->cap - 1;
    void *value = m->at[hole].value;
    if (!value)
        return NULL;
    for (size_t i = (hole + 1) & mask; m->at[i].value; i = (i + 1) & mask) {
        size_t home = m->at[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->at[hole] = m->at[i];
            hole = i;
        }
    }
    m->at[hole] = (struct entry){0};
    m->n--;
    return value;
}

size_t map_count(const struct map *m)
{
    return m->n;
}

/* Walks downwards from an empty slot. A removal moves entries only from the slots above, across the
 * end too, and those were visited. *i holds that slot's number + 1 in its upper part and, in its
 * lower part, how many slots were visited. */
void *map_next(const struct map *m, size_t *i)
{
    size_t mask = m->cap - 1, from = *i >> 32, seen = *i & UINT32_MAX;
    if (!m->n)
        return NULL;
    for (size_t k = 0; !from; k++)
        from = m->at[k].value ? 0 : k + 1; /* a quarter of the slots is empty */
    while (seen < m->cap) {
        void *value = m->at[(from - 1 - ++seen) & mask].value;
        *i = from << 32 | seen;
        if (value)
            return value;
    }
    return NULL;
}
