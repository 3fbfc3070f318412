/* Switches off an endpoint that is gone (410), or has failed for five days, and tells of the health
 * of endpoints. Inside deliver/. */
#pragma once
#include "deliver/queue.h"
#include "model/delivery.h"
#include "model/event.h"

/* Sends endpoint_failing or endpoint_recovered to the endpoints that name the kind. `last`: the
 * outcome of the attempt that showed it. */
void endpoint_tell(struct queue *t, enum event_kind kind, const struct outcome *last);
void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why);
