/* Inside deliver/: incoming_calls that somebody waits for, from before they are stored
 * (deliver_early) until their delivery is on its way. Thread of the courier. */
#pragma once
#include "deliver/lane.h"
#include "deliver/post.h"

/* deliver_early. */
MUST_USE enum err early_announce(struct deliver *d, const struct event *e, uint64_t endpoint,
                                 unsigned sequence);
/* A delivery was stored, its lane pushed: when its POST left already, *ret_lane goes on with that,
 * busy, and has the post's slot. NULL: the delivery goes in its turn. */
struct post *early_claim(struct courier *c, const struct delivery *d, const struct event *e,
                         struct lane **ret_lane);
/* Does somebody wait for the answer to this lane's first attempt? Asked once, at its start. */
bool early_waits(struct courier *c, uint64_t lane, uint64_t endpoint);
void early_leave(struct courier *c, const struct shard *s); /* all of that shard end */
void early_free(struct courier *c);
