/* A hash table from bytes to a pointer, keyed with SipHash under a random key (input from the
 * network cannot choose its bucket). Keys are borrowed: they live in the value or as long as it.
 * One thread, or immutable and shared. */
#pragma once
#include "base/str.h"

struct map;

struct map *map_new(void);    /* NULL when out of memory */
void map_free(struct map *m); /* NULL-safe; values are the caller's */
void *map_get(const struct map *m, struct str key);
/* Puts or replaces; *ret_old (may be NULL) gets the replaced value or NULL. */
MUST_USE enum err map_put(struct map *m, struct str key, void *value, void **ret_old);
void *map_remove(struct map *m, struct str key); /* the value, or NULL */
size_t map_count(const struct map *m);
/* for (size_t i = 0; (v = map_next(m, &i));) — any order; no put during the walk, removing the
 * value just returned is allowed. */
void *map_next(const struct map *m, size_t *i);

/* The key of an integer that lives in the value. */
static inline struct str str_of_u64(const uint64_t *v)
{
    return (struct str){(const char *)v, sizeof *v};
}
