/* Inside deliver/: since when an endpoint fails, and how it failed last, kept in the store. */
#pragma once
#include "deliver/queue.h"
#include "model/delivery.h"
#include "store/rows/outages.h"

/* Stores the outage of an endpoint with the outcome `last` of its attempt at `at_ms` (wall), or
 * deletes the row when the endpoint neither fails nor is in trouble; then `last` may be NULL.
 * `next_ms`: mono, when that delivery is tried again; 0: never. */
void outage_save(struct queue *t, const struct outcome *last, int64_t at_ms, int64_t next_ms);
void outage_restore(struct courier *c, const struct outage *o); /* as it was stored */
MUST_USE enum err outages_load(struct deliver *d);
