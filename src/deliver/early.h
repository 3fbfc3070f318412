/* Posts an incoming_call that a caller waits for before it is stored (deliver_early), until its
 * delivery takes the post over. Inside deliver/. Thread of the courier. */
#pragma once
#include "deliver/lane.h"
#include "deliver/post.h"

/* deliver_early. */
MUST_USE enum err early_announce(struct deliver *d, const struct event *e, uint64_t endpoint,
                                 unsigned sequence);
/* Gives the post of a delivery that was stored, and whose lane was pushed, when it left already:
 * *ret_lane is busy with it and has its slot. NULL: the delivery goes in its turn. */
struct post *early_claim(struct courier *c, const struct delivery *d, const struct event *e,
                         struct lane **ret_lane);
/* Does a caller wait for the answer to this lane's first attempt? Called once, at its start. */
bool early_waits(struct courier *c, uint64_t lane, uint64_t endpoint);
void early_leave(struct courier *c, const struct shard *s); /* ends all of that shard */
void early_free(struct courier *c);
