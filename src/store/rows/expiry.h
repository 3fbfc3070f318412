/* What leaves the store, and how jobs find it: events and calls walked in the order of their rows,
 * which is about the order of time, and deleted with all that hangs on them. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/store.h"

struct walked { /* of an event or a call, without its large columns */
    int64_t n;
    uint64_t account;
    enum event_kind kind; /* events */
    bool ended;           /* calls */
    struct str number;    /* valid during the callback */
    struct str call_id;   /* calls; the same */
    int64_t at_ms;        /* occurred, started */
};
typedef bool walked_row(void *arg, const struct walked *w); /* false: stop */
/* after_n < n <= last_n, oldest first. */
MUST_USE enum err event_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                             walked_row *row, void *arg);
MUST_USE enum err event_walk_number(struct db *db, struct str number, int64_t after_n,
                                    int64_t last_n, unsigned limit, walked_row *row, void *arg);
MUST_USE enum err call_walk(struct db *db, int64_t after_n, int64_t last_n, unsigned limit,
                            walked_row *row, void *arg);
MUST_USE enum err event_last(struct db *db, int64_t *ret_n); /* 0: there is none */
/* The greatest n so that all rows up to it occurred before `ms`, by bisection. Events
 * stand in the order of time except for those that waited long for a full disk: keep a distance. 0:
 * none. */
MUST_USE enum err event_before(struct db *db, int64_t ms, int64_t *ret_n);

/* The event, its deliveries, their attempts. The rows with the highest numbers of the tables are
 * emptied (and belong to nobody, account 0) instead of deleted: SQLite would give their numbers
 * again, and somebody may still hold them. What is gone already is no error. */
MUST_USE enum err event_delete(struct db *db, int64_t n);
MUST_USE enum err call_delete(struct db *db, int64_t n); /* when it has ended */

/* Is there a delivery of it to that endpoint, delivered or still to be? */
MUST_USE enum err delivery_wanted(struct db *db, int64_t event_n, uint64_t endpoint, bool *ret);
/* Pending ones of the endpoint, counted up to `max`. */
MUST_USE enum err delivery_count_pending(struct db *db, uint64_t endpoint, int64_t max,
                                         int64_t *ret);
