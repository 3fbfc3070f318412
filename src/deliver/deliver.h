/* Delivery as main sees it: couriers (loops) that take what is stored to its endpoints. */
#pragma once
#include "hub/intake.h"
#include "net/guard.h"

struct deliver;

struct deliver_config {
    struct store *store;
    struct books *books;
    struct intake *intake; /* for endpoint_disabled */
    const struct guard *guard;
    unsigned couriers;       /* threads; endpoints go to them by number */
    uint32_t timeout_ms;     /* of one exchange */
    const char *ca_file;     /* NULL: the system's certificates only */
    const char *dns_servers; /* NULL: the system's */
};
/* Starts the couriers and reads what is pending from the store; what comes in meanwhile is not
 * lost. */
MUST_USE enum err deliver_start(const struct deliver_config *c, struct deliver **ret);
/* Lets attempts under way end (at most `wait_ms`), then stops the threads. The rest stays stored.
 */
void deliver_stop(struct deliver *d, int64_t wait_ms);
/* An intake_on_stored; any thread. */
void deliver_on_stored(void *deliver, const struct stored *s);
/* A person says: try this endpoint now (enabled again, or its URL changed). Any thread. */
void deliver_nudge(struct deliver *d, uint64_t endpoint);
