/* Inside deliver/: since when an endpoint fails, and how it failed last, kept in the store. */
#pragma once
#include "deliver/queue.h"
#include "model/delivery.h"

/* `last` came of an attempt at `at_ms` (wall). When the endpoint does not fail, the row goes, and
 * `last` may be NULL. */
void outage_save(struct queue *t, const struct outcome *last, int64_t at_ms);
MUST_USE enum err outages_load(struct deliver *d);
