/* Keeps recoveries: jobs that send a time range of events to an endpoint that missed them, and that
 * outlive a restart. The row says what the job does and how far it came. Inside a job's run. */
#pragma once
#include "base/buf.h"
#include "base/id.h"
#include "store/store.h"

enum recovery_state { /* stored as numbers: append only */
                      RECOVERY_RUNNING,
                      RECOVERY_FINISHED,
                      RECOVERY_CANCELED,
};
const char *recovery_state_name(enum recovery_state s);

struct recovery {
    int64_t n;
    char id[ID_SIZE]; /* "rec_…" */
    uint64_t account, endpoint;
    char endpoint_id[ID_SIZE];  /* shown when the endpoint is gone, too */
    int64_t since_ms, until_ms; /* occurred_at; until exclusive */
    int64_t last_n;             /* the last event to look at */
    int64_t expected;           /* counted before it began */
    int64_t at_n;               /* the last event looked at */
    int64_t done;               /* deliveries made */
    enum recovery_state state;
    int64_t created_at_ms, ended_at_ms; /* wall; ended 0: it runs */
};

/* Inserts as running; r->n and created_at are set. ERR_EXISTS: one runs for that endpoint. */
MUST_USE enum err recovery_put(struct db *db, struct recovery *r);
/* account 0: any. ERR_NOT_FOUND. */
MUST_USE enum err recovery_get(struct db *db, uint64_t account, struct str id,
                               struct recovery *ret);
typedef bool recovery_row(void *arg, const struct recovery *r); /* false: stop */
/* Newest first; before_n 0: from the newest. */
MUST_USE enum err recovery_list(struct db *db, uint64_t account, uint64_t endpoint,
                                int64_t before_n, unsigned limit, recovery_row *row, void *arg);
/* The running one of the next endpoint behind after_endpoint. ERR_NOT_FOUND. */
MUST_USE enum err recovery_next(struct db *db, uint64_t after_endpoint, struct recovery *ret);
MUST_USE enum err recovery_count_running(struct db *db, int64_t *ret);
/* From r->at_n on to at_n, `made` more deliveries. ERR_AGAIN: it was ended or stepped meanwhile. */
MUST_USE enum err recovery_step(struct db *db, const struct recovery *r, int64_t at_n,
                                int64_t made);
/* Ends it, if it still runs. */
MUST_USE enum err recovery_end(struct db *db, int64_t n, enum recovery_state state);
MUST_USE enum err recovery_end_endpoint(struct db *db, uint64_t endpoint); /* as canceled */
/* Forgets those that ended before. */
MUST_USE enum err recovery_forget(struct db *db, int64_t ended_before_ms);
