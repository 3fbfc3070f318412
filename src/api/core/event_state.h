/* Inside api/: what the deliveries of an event amount to. */
#pragma once
#include "store/rows/deliveries.h"

/* "pending", "given_up", "delivered", "canceled" or "none"; the first of these that a delivery is.
 */
MUST_USE enum err event_state(struct db *db, int64_t n, const char **ret);
