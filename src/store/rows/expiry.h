/* Finds and deletes events and calls for jobs: they are walked in the order of their rows, which is
 * about the order of time, and deleted with all rows that belong to them. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/store.h"

struct walk_item { /* of an event or a call, without its large columns */
    int64_t n;
    uint64_t account;
    enum event_kind kind; /* events */
    bool ended;           /* calls */
    struct str number;    /* valid during the callback */
    struct str call_id;   /* calls; the same */
    int64_t at_ms;        /* occurred, started */
};
typedef bool walk_item_fn(void *arg, const struct walk_item *w); /* false: stop */
/* after_n < n <= last_n, oldest first. */
MUST_USE enum err event_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                             walk_item_fn *row, void *arg);
MUST_USE enum err event_walk_number(struct db *db, struct str number, int64_t after_n,
                                    int64_t last_n, unsigned limit, walk_item_fn *row, void *arg);
MUST_USE enum err call_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                            walk_item_fn *row, void *arg);
MUST_USE enum err event_last(struct db *db, int64_t *ret_n); /* 0: there is none */
/* Gives the greatest n so that all rows up to it occurred before `ms`, by bisection; 0: none.
 * Events stand in the order of time, except for those that waited long for a full disk, so the
 * caller keeps a distance. */
MUST_USE enum err event_before(struct db *db, int64_t ms, int64_t *ret_n);

/* Deletes the event, its deliveries and their attempts. The row with the highest number of a table
 * is emptied (and then belongs to account 0) instead of deleted, since SQLite would give its number
 * again while somebody may still hold it. It is no error when the event is gone already. */
MUST_USE enum err event_delete(struct db *db, int64_t n);
MUST_USE enum err call_delete(struct db *db, int64_t n); /* when it has ended */

/* Tells whether the event has a delivery to that endpoint that is delivered or pending. */
MUST_USE enum err delivery_wanted(struct db *db, int64_t event_n, uint64_t endpoint, bool *ret);
/* Counts the endpoint's pending deliveries, up to `max`. */
MUST_USE enum err delivery_count_pending(struct db *db, uint64_t endpoint, int64_t max,
                                         int64_t *ret);
