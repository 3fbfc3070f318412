/* Inside api/: sums up the deliveries of an event in one word. */
#pragma once
#include "store/rows/deliveries.h"

/* Gives "pending", "given_up", "delivered", "canceled" or "none": the first of these that a
 * delivery has. */
MUST_USE enum err event_state(struct db *db, int64_t n, const char **ret);
