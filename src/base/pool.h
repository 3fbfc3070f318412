/* Gives out slots of one size by handles: an index and a generation. The handle of a slot that was
 * given back finds nothing, even when the slot is in use again. A slot never moves. One thread. */
#pragma once
#include "base/str.h"

struct pool;
typedef uint64_t handle; /* 0 is never valid; low 32 bits index + 1, high 32 generation */

/* Makes a pool of slots of `size` bytes, at most `max` in use. */
MUST_USE enum err pool_new(struct pool **ret, size_t size, size_t max);
void pool_free(struct pool *p);
void *pool_take(struct pool *p, handle *ret);  /* zeroed; NULL at the limit */
void *pool_at(const struct pool *p, handle h); /* NULL when stale or forged */
void pool_give(struct pool *p, handle h);
size_t pool_count(const struct pool *p);
void *pool_next(const struct pool *p, size_t *i, handle *ret); /* walks the slots in use */
