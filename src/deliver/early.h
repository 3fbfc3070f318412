/* Inside deliver/: incoming_calls that somebody waits for, from before they are stored
 * (deliver_early) until their delivery is on its way. Thread of the courier. */
#pragma once
#include "deliver/courier.h"

/* A delivery was stored, its lane pushed: when its POST left already, the lane goes on with that.
 */
void early_adopt(struct courier *c, const struct delivery *d, const struct event *e);
/* Does somebody wait for the answer to this lane's first attempt? Asked once, at its start. */
bool early_waits(struct courier *c, uint64_t lane, uint64_t endpoint);
void early_free(struct courier *c);
