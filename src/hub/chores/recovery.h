/* Recovery: which events of a time range an endpoint missed. The housekeeper sends them, the API
 * counts them before. Inside a job's run. */
#pragma once
#include "hub/book.h"
#include "store/rows/recoveries.h"

/* Sets r->at_n and r->last_n so that what occurred in [since, until) lies between, with a day to
 * spare before: an event may have waited for a full disk before it became a row. */
MUST_USE enum err recover_place(struct db *db, struct recovery *r);

typedef enum err recover_found(void *arg, struct db *db, int64_t event_n);
struct recover_scan {
    const struct book_endpoint *endpoint;
    const struct recovery *range; /* account, since, until, last_n */
    int64_t at_n;                 /* from behind here; the last one looked at, afterwards */
    unsigned rows_max, found_max; /* looks at so many rows, stops after so many found */
    unsigned found;
    bool at_end;             /* nothing is left behind at_n */
    recover_found *on_found; /* may be NULL */
    void *arg;
};
/* Finds what the endpoint's filters want and that has no delivery to it, pending or delivered. */
MUST_USE enum err recover_scan(struct db *db, struct recover_scan *s);
