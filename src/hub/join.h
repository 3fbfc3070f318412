/* Joins the parts of text messages, inside a writer's job. The joined message is stored as an event
 * with its deliveries in the same transaction that takes its parts away. Called by hub/messages
 * when a part comes, and by the chore hub/chores/partial when the time of a set is over. */
#pragma once
#include "hub/intake.h"
#include "model/sms.h"
#include "store/rows/sms_parts.h"

struct joiner { /* has no state of its own */
    struct intake *intake;
    struct books *books;
    int64_t join_ms;
    int64_t max_sets, max_bytes; /* of an account, that may wait */
};

/* The events that a job made. They are kept from run to run, because a job may run again: after it
 * was rolled back, or after a commit whose answer was lost. */
struct joined_events {
    struct admission **at;
    size_t n, cap, partial;
};
/* Begins a run of the job. *ret_done: the last run's commit was done after all, and the job has
 * only to tell. */
MUST_USE enum err joined_begin(struct joined_events *j, struct db *db, bool *ret_done);
void joined_tell(const struct joined_events *j); /* after the commit, on the writer's thread */
void joined_fini(struct joined_events *j);

struct part_in { /* slices are the job's */
    char set_id[ID_SIZE];
    struct str link, from, to;
    uint64_t account;
    bool simulated;
    struct sms_part part;     /* number in 1…parts, parts in 2…SMS_PARTS_MAX */
    char message_id[ID_SIZE]; /* of the message, when this part is the first of it */
    int64_t at_ms;            /* wall */
};
/* Sets in->set_id from what all parts of a message have in common. */
void part_set_id(struct part_in *in);

struct part_out { /* kept from run to run */
    bool put;     /* a run put the part; if a later run finds it, it finds this part itself */
    bool duplicate;
    char message_id[ID_SIZE];
};
/* Keeps the part, and ends its set when it was the last one missing. */
MUST_USE enum err join_part(const struct joiner *by, struct db *db, const struct part_in *in,
                            struct joined_events *out, struct part_out *ret);
/* Sends the set out as a message with the parts it has; the message is partial when that is not
 * all.
 */
MUST_USE enum err join_end(const struct joiner *by, struct db *db, struct sms_set *s,
                           int64_t now_ms, struct joined_events *out);
