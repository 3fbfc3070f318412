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
    /* What a control endpoint answered to the first attempt of an incoming_call (CONTRACT §4).
     * Wired by main, may be NULL. Courier's thread. */
    void (*on_control)(void *arg, struct str call_id, int status, struct str body);
    void *control_arg;
};
/* Starts the couriers and reads what is pending from the store; what comes in meanwhile is not
 * lost. */
MUST_USE enum err deliver_start(const struct deliver_config *c, struct deliver **ret);
/* Lets attempts under way end (at most `wait_ms`), then stops the threads. The rest stays stored.
 */
void deliver_stop(struct deliver *d, int64_t wait_ms);
/* An intake_on_stored; any thread. */
void deliver_on_stored(void *deliver, const struct stored *s);
/* Asks a URL that is no endpoint, with the event as its body; signed as the account's endpoint of
 * that URL when there is one. The answer comes by on_control. Any thread. */
MUST_USE enum err deliver_ask(struct deliver *d, const struct event *e, struct str url,
                              int64_t timeout_ms);
/* A person says: try this endpoint now (enabled again, or its URL changed). Any thread. */
void deliver_nudge(struct deliver *d, uint64_t endpoint);
