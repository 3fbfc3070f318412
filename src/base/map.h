/* Maps bytes to pointers: a hash table by SipHash under a random key, so that input from the
 * network cannot choose its bucket. Keys are borrowed: they live in the value or as long as it. One
 * thread, or immutable and shared. */
#pragma once
#include "base/str.h"

struct map;

struct map *map_new(void);    /* NULL when out of memory */
void map_free(struct map *m); /* NULL-safe; values are the caller's */
void *map_get(const struct map *m, struct str key);
/* Puts or replaces a value; *ret_old (may be NULL) gets the replaced value or NULL. */
MUST_USE enum err map_put(struct map *m, struct str key, void *value, void **ret_old);
void *map_remove(struct map *m, struct str key); /* the value, or NULL */
size_t map_count(const struct map *m);
/* Walks all values in any order: for (size_t i = 0; (v = map_next(m, &i));). No put during the
 * walk; the caller may remove the value just returned. */
void *map_next(const struct map *m, size_t *i);

/* Makes a key of an integer that lives in the value. */
static inline struct str str_of_u64(const uint64_t *v)
{
    return (struct str){(const char *)v, sizeof *v};
}
