/* Everything the housekeeper and its chores are told at the start. */
#pragma once
#include "hub/intake.h"
#include "trace/record.h"

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
