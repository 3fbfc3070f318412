/* Keeps calls: one row each, written with its events. The row of an open call holds what a restart
 * needs. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/stop.h"
#include "store/store.h"

enum call_phase { CALL_PHASE_TRYING, CALL_PHASE_ANSWERED, CALL_PHASE_ENDED };

struct call_row {
    int64_t n;          /* set by reads */
    struct str call_id; /* "call_…" */
    uint64_t account;
    struct str trunk; /* its id */
    struct str number, peer, destination;
    enum call_phase phase;
    int64_t started_at_ms, answered_at_ms, ended_at_ms;
    int end_reason; /* enum end_reason; -1 while it lasts */
    int sip_status;
    bool simulated;
    struct str facts; /* JSON: the rest of struct call_facts, for events after a restart */
    struct str legs;  /* both legs in the SIP edge's own form, opaque to the store; "" */
};

/* Inserts, or updates the row with that call_id: phase only goes forward (an ended call stays so).
 */
MUST_USE enum err call_put(struct db *db, const struct call_row *c);
/* Changes what the row says about the call's legs, while it is in that phase. */
MUST_USE enum err call_set_legs(struct db *db, struct str call_id, enum call_phase phase,
                                struct str legs);
MUST_USE enum err call_get(struct db *db, uint64_t account /* 0: any */, struct str call_id,
                           struct call_row *ret, struct buf *mem); /* slices point into mem */
/* Tells for each of the n ids (16 bytes each, one behind the other) whether no call has it. It
 * reads and waits, so only threads that may block call it. */
MUST_USE enum err calls_gone(struct store *s, size_t n, const uint8_t *id, bool *ret_gone);
typedef bool call_row_fn(void *arg, const struct call_row *c);
MUST_USE enum err call_list_open(struct db *db, int64_t after_n, unsigned limit, call_row_fn *row,
                                 void *arg);
MUST_USE enum err call_count_open(struct db *db, size_t *ret);
/* Counts the starts of the edge that has the calls; *ret: this one, 1, 2 … */
MUST_USE enum err call_count_start(struct db *db, int64_t *ret);
struct call_filter {
    uint64_t account; /* 0: all */
    struct str number;
    int phase;                  /* -1: any */
    int64_t since_ms, until_ms; /* started_at; until exclusive; 0: open */
    int64_t before_n;           /* rows older than this; 0: from the newest */
    unsigned rows_max;          /* to look at; 0: all */
};
/* Newest first; `row` false: not this one, stop. */
MUST_USE enum err call_list(struct db *db, const struct call_filter *f, call_row_fn *row, void *arg,
                            struct list_stop *ret);
