/* An event that is stored, to an endpoint once more. */
#pragma once
#include "store/rows/deliveries.h"
#include "store/rows/events.h"

/* Inside a writer's job: one more delivery of an event that is there, asked for by a person, in a
 * lane of its own. After the commit the caller tells deliver, by intake_tell. */
MUST_USE enum err resend_put(struct db *db, int64_t event_n, const struct event *e,
                             uint64_t endpoint, struct delivery *ret);
