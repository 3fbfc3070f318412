/* Shards: the endpoints in 64 parts, each of which belongs to one courier at a time. A shard's
 * epoch is raised when it is taken; what was written under an older one changes nothing. Inside a
 * job's run, but shard_of. */
#pragma once
#include "store/store.h"

enum { SHARDS = 64 }; /* for good: nodes of different versions must agree */

unsigned shard_of(uint64_t endpoint);

struct shard_hold { /* in the statements of whoever has the shard */
    unsigned shard;
    int64_t epoch;
};
/* Raises the epoch, which becomes the caller's. */
MUST_USE enum err shard_take(struct db *db, struct shard_hold *h);
MUST_USE enum err shard_get(struct db *db, struct shard_hold *h); /* as it is now */
