/* Says how much one owner may hold of something that all owners share: slots, places in a queue,
 * memory. A single owner may have most of it; the more the others have, the less each may take, and
 * something is always left for a newcomer. Pure: the caller counts. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct share {
    size_t max;   /* of all owners together */
    size_t first; /* how much each may always hold, as long as any is free */
};

/* True when an owner that has `own` of the `all` taken may take one more. */
bool share_allows(const struct share *s, size_t own, size_t all);
/* Gives how many an owner may have while the others have `others`; never less than `first`. */
size_t share_of(const struct share *s, size_t others);
