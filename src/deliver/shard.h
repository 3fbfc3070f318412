/* Takes shards for a courier, at the start or at run time, and leaves them. Inside deliver/. */
#pragma once
#include "deliver/courier.h"

/* Gives each courier its part, at the start, before the loops run. */
MUST_USE enum err shards_take_all(struct deliver *d);
void shard_begin_take(struct courier *c, unsigned shard);
void shard_begin_leave(struct courier *c, unsigned shard,
                       void (*on_left)(void *arg, unsigned shard), void *arg);
void shards_leave(
    struct courier *c); /* at the turn's end: leaves those whose last attempt has ended */
/* Does this courier keep the deliveries of that endpoint, though it may not send them yet? */
bool shard_takes(const struct courier *c, uint64_t endpoint);
