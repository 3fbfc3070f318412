/* Inside deliver/: since when an endpoint fails, kept in the store. */
#pragma once
#include "deliver/queue.h"

void outage_save(struct queue *t);
MUST_USE enum err outages_load(struct deliver *d);
