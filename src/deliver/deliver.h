/* Delivery as main sees it: couriers (loops) that take what is stored to its endpoints. */
#pragma once
#include "deliver/config.h"

struct deliver;

/* Starts the couriers and reads what is pending from the store; what comes in meanwhile is not
 * lost. */
MUST_USE enum err deliver_start(const struct deliver_config *c, struct deliver **ret);
/* Lets attempts under way end (at most `wait_ms`), then stops the threads. The rest stays stored.
 */
void deliver_stop(struct deliver *d, int64_t wait_ms);
/* An intake_on_stored; any thread. */
void deliver_on_stored(void *deliver, const struct stored *s);
/* An incoming_call that is on its way to the store, and will be delivery number `sequence` of its
 * call to this endpoint: its POST may leave now, and its first answer comes by on_control, once.
 * Before intake_one. ERR_FULL, ERR_NOMEM. Any thread. */
MUST_USE enum err deliver_early(struct deliver *d, const struct event *e, uint64_t endpoint,
                                unsigned sequence);
/* Asks a URL that gets no delivery, with the event as its body; signed as the account's endpoint of
 * that URL when there is one, whose fallback counts, too. The answer comes by on_control, with
 * `asked`. Any thread. */
MUST_USE enum err deliver_ask(struct deliver *d, const struct event *e, struct str url,
                              int64_t timeout_ms, uint64_t asked);
/* A person says: try this endpoint now (enabled again, or its URL changed). Any thread. */
void deliver_nudge(struct deliver *d, uint64_t endpoint);
/* A number's data is being erased: events of it that are held in memory for their first attempt are
 * let go; the attempt then asks the store whether there still is something to send. Any thread. */
void deliver_forget(struct deliver *d, uint64_t account, struct str number);
/* The endpoints are in 64 shards (store/rows/shards.h), all of which belong to the couriers from
 * the start. A shard is left when its attempts under way have ended: then `on_left` comes, on the
 * courier's thread, and another courier or process may take it. ERR_NOT_FOUND: no courier has it.
 * Any thread. */
MUST_USE enum err deliver_leave_shard(struct deliver *d, unsigned shard,
                                      void (*on_left)(void *arg, unsigned shard), void *arg);
/* One that nobody has: its epoch is raised, its deliveries are read from the store. Any thread. */
MUST_USE enum err deliver_take_shard(struct deliver *d, unsigned shard, unsigned courier);
