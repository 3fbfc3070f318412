/* Inside deliver/: the shards of a courier: taken at the start, or at run time, and left again. */
#pragma once
#include "deliver/courier.h"

/* At the start, before the loops run: each courier has its part. */
MUST_USE enum err shards_take_all(struct deliver *d);
void shard_begin_take(struct courier *c, unsigned shard);
void shard_begin_leave(struct courier *c, unsigned shard,
                       void (*on_left)(void *arg, unsigned shard), void *arg);
void shards_leave(struct courier *c); /* at the turn's end: those whose last attempt has ended */
/* Deliveries of that endpoint are for this courier to keep, though it may not send yet. */
bool shard_takes(const struct courier *c, uint64_t endpoint);
