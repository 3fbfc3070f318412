/* The housekeeper: one thread for the work that nobody waits for: recoveries, erasures, retention,
 * messages that will not get whole.
 * Each is a chore that finds its next piece on a reader, does it on the writer in one small
 * transaction, and rests in proportion, so that the writer is others' most of the time. How far a
 * chore came is in the store, so that a restart goes on there. */
#pragma once
#include "hub/intake.h"
#include "trace/record.h"

struct housekeeper;

struct housekeeper_config {
    struct store *store;
    struct books *books;
    struct intake *intake;   /* told of deliveries that a recovery made */
    unsigned retention_days; /* of accounts without their own */
    int64_t join_ms; /* how long a message that went out is remembered, for parts that come again */
    /* Wired by main, may be NULL: events of that number are being erased; what is held in memory of
     * them must be let go. The housekeeper's thread. */
    void (*on_erase)(void *arg, uint64_t account, struct str number);
    /* These calls were deleted; the same for what is kept of them elsewhere. May be NULL. */
    void (*on_calls_gone)(void *arg, const struct trace_id *call, size_t n);
    void *arg;
};
MUST_USE enum err housekeeper_start(const struct housekeeper_config *c, struct housekeeper **ret);
/* Ends the piece of work under way; before deliver and the store stop. NULL-safe. */
void housekeeper_stop(struct housekeeper *hk);
/* There is something new to do (after its commit). NULL-safe; any thread. */
void housekeeper_wake(struct housekeeper *hk);
