/* How much one of many may hold of what all draw on: slots, places in a queue, memory. One that is
 * alone may have most of it; the more others have, the less each may take, and something is left
 * for a newcomer, whatever the others do. Pure: the caller counts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct share {
    size_t max;   /* of all together */
    size_t first; /* that each may hold whatever the others hold, while there is any */
};

/* May it take one more, when it has `own` of the `all` that are taken? */
bool share_allows(const struct share *s, size_t own, size_t all);
/* How many it may have while the others have `others`; never less than `first`. */
size_t share_of(const struct share *s, size_t others);
