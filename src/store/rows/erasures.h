/* Keeps erasures: jobs that delete a number's events, deliveries, attempts and ended calls, and
 * that outlive a restart. The row says how far the job came. Inside a job's run. */
#pragma once
#include "base/buf.h"
#include "base/id.h"
#include "model/number.h"
#include "store/store.h"

struct erasure {
    int64_t n;
    char id[ID_SIZE]; /* "era_…" */
    uint64_t account;
    char number[NUMBER_SIZE];
    int64_t last_n, last_call, last_set; /* later rows stay */
    int64_t at_n, at_call;               /* the last event and call looked at */
    int64_t events, calls;               /* deleted */
    bool finished;
    int64_t created_at_ms, ended_at_ms; /* wall; ended 0: it runs */
};

/* Inserts an erasure of all that is there now, or gives the one that already runs for that number.
 */
MUST_USE enum err erasure_put(struct db *db, struct erasure *e);
/* account 0: any. ERR_NOT_FOUND. */
MUST_USE enum err erasure_get(struct db *db, uint64_t account, struct str id, struct erasure *ret);
MUST_USE enum err erasure_next(struct db *db, struct erasure *ret); /* the oldest that runs */
/* Writes at_n, at_call, and so many more deleted. */
MUST_USE enum err erasure_step(struct db *db, const struct erasure *e, int64_t events,
                               int64_t calls);
MUST_USE enum err erasure_end(struct db *db, int64_t n);
/* Forgets those that ended before. */
MUST_USE enum err erasure_forget(struct db *db, int64_t ended_before_ms);
