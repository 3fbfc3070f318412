/* Memory of one thing that is made piece by piece and goes away as a whole. No piece is given back
 * before. Any thread, one at a time. */
#pragma once
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t first); /* `first`: bytes that are there at once; NULL: no memory */
void arena_free(struct arena *a);      /* with all its pieces; NULL-safe */
/* Aligned for pointers and 64-bit numbers; NULL: no memory. */
void *arena_take(struct arena *a, size_t n);
struct arena *arena_of(const void *piece); /* whose it is */
