/* Gives out memory piece by piece and frees it as a whole; a single piece cannot be freed. Any
 * thread, one at a time. */
#pragma once
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t first); /* `first`: size in bytes; NULL: no memory */
void arena_free(struct arena *a);      /* frees all its pieces; NULL-safe */
/* Aligned for pointers and 64-bit numbers; NULL: no memory. */
void *arena_take(struct arena *a, size_t n);
struct arena *arena_of(const void *piece); /* the arena that gave it out */
