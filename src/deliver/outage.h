/* Inside deliver/: since when an endpoint fails, and how it failed last, kept in the store. */
#pragma once
#include "deliver/queue.h"
#include "model/delivery.h"
#include "store/rows/outages.h"

/* `last` came of an attempt at `at_ms` (wall). When the endpoint does not fail, the row goes, and
 * `last` may be NULL. */
void outage_save(struct queue *t, const struct outcome *last, int64_t at_ms);
void outage_restore(struct courier *c, const struct outage *o); /* as it was stored */
MUST_USE enum err outages_load(struct deliver *d);
