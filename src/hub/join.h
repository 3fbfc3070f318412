/* Inside hub/: how parts become messages, all of it inside a writer's job. What was joined is
 * stored as an event with its deliveries in the same transaction that takes its parts away. Used by
 * the door (a part came) and by the chore (its time is over). */
#pragma once
#include "hub/intake.h"
#include "model/sms.h"
#include "store/rows/sms_parts.h"

struct joiner { /* whom it needs; no state of its own */
    struct intake *intake;
    struct books *books;
    int64_t join_ms;
    int64_t max_sets, max_bytes; /* an account's, waiting */
};

/* The events that a job made. A job may run again, after it was rolled back or after a commit whose
 * answer was lost: so they are kept from run to run. */
struct joined {
    struct taking **at;
    size_t n, cap, partial;
};
/* At the start of each run. *ret_done: the last run's commit was done after all; there is nothing
 * left to do but to tell. */
MUST_USE enum err joined_begin(struct joined *j, struct db *db, bool *ret_done);
void joined_tell(const struct joined *j); /* after the commit, on the writer's thread */
void joined_fini(struct joined *j);

struct part_in { /* slices are the job's */
    char set_id[ID_SIZE];
    struct str link, from, to;
    uint64_t account;
    bool simulated;
    struct sms_part part;     /* number in 1…parts, parts in 2…SMS_PARTS_MAX */
    char message_id[ID_SIZE]; /* of the message, when this part is the first of it */
    int64_t at_ms;            /* wall */
};
void part_set_id(struct part_in *in); /* what has the same reference */

struct part_out { /* kept from run to run */
    bool put;     /* a run put it: what a later one finds is this part itself */
    bool duplicate;
    char message_id[ID_SIZE];
};
/* The part is kept, and whatever follows from it is done. */
MUST_USE enum err join_part(const struct joiner *by, struct db *db, const struct part_in *in,
                            struct joined *out, struct part_out *ret);
/* The set goes out with what it has; partial when that is not all. */
MUST_USE enum err join_end(const struct joiner *by, struct db *db, struct sms_set *s,
                           int64_t now_ms, struct joined *out);
