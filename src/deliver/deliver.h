/* Delivery as the daemon sees it: couriers (loops) that bring stored events to their endpoints. */
#pragma once
#include "deliver/config.h"

struct deliver;

/* Starts the couriers and reads the pending deliveries from the store. An event that is stored
 * meanwhile is not lost. */
MUST_USE enum err deliver_start(const struct deliver_config *c, struct deliver **ret);
/* Lets attempts under way end (at most `wait_ms`), then stops the threads. The rest stays stored.
 */
void deliver_stop(struct deliver *d, int64_t wait_ms);
/* An intake_on_stored; any thread. */
void deliver_on_stored(void *deliver, const struct stored *s);
/* Announces an incoming_call that is on its way to the store, and will be delivery number
 * `sequence` of its call to this endpoint: its POST may leave now, and its first answer comes by
 * on_control, once. Called before intake_one. ERR_FULL, ERR_NOMEM. Any thread. */
MUST_USE enum err deliver_early(struct deliver *d, const struct event *e, uint64_t endpoint,
                                unsigned sequence);
/* Asks a URL that gets no delivery, with the event as its body. When the account has an endpoint of
 * that URL, the request is signed as that endpoint's, and its fallback counts too. The answer comes
 * by on_control, with `asked`. Any thread. */
MUST_USE enum err deliver_ask(struct deliver *d, const struct event *e, struct str url,
                              int64_t timeout_ms, uint64_t asked);
/* Tries this endpoint now, because a person enabled it again or changed its URL. Any thread. */
void deliver_nudge(struct deliver *d, uint64_t endpoint);
/* Lets go of a number's events that are held in memory for their first attempt, since its data is
 * being erased. The attempt then asks the store whether there still is something to send. Any
 * thread. */
void deliver_forget(struct deliver *d, uint64_t account, struct str number);
/* Leaves a shard. The endpoints are in 64 shards (store/rows/shards.h), and the couriers have all
 * of them from the start. When the attempts under way have ended, `on_left` is called on the
 * courier's thread, and another courier or process may take the shard. ERR_NOT_FOUND: no courier
 * has it. Any thread. */
MUST_USE enum err deliver_leave_shard(struct deliver *d, unsigned shard,
                                      void (*on_left)(void *arg, unsigned shard), void *arg);
/* Takes a shard that nobody has: raises its epoch, then reads its deliveries from the store. Any
 * thread. / */
MUST_USE enum err deliver_take_shard(struct deliver *d, unsigned shard, unsigned courier);
