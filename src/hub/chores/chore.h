/* A chore: one kind of the housekeeper's work. It finds its next piece on a reader, does it on the
 * writer in one small transaction, and rests in proportion, so that the writer is free for others
 * most of the time. One piece at a time; all but `work` and `committed` runs on the housekeeper's
 * thread. */
#pragma once
#include "hub/chores/config.h"

struct chore {
    struct store_job job; /* first */
    const struct housekeeper_config *config;
    struct mailbox *home;           /* the housekeeper's */
    void (*begin)(struct chore *c); /* due: start a piece by chore_read, or rest */
    int64_t due_ms;                 /* mono */
    bool busy;                      /* a job of it is under way */
    bool woken;                     /* what it looked at may be old; begin sets it back */
    enum err (*work)(struct chore *c, struct db *db);
    void (*committed)(struct chore *c); /* on the writer's thread; may be NULL */
    void (*after)(struct chore *c, enum err err);
    int64_t began_us, ran_us; /* mono; how long work took, with its commit */
};

enum { CHORE_RETRY_MS = 1000, CHORE_REST_MIN_MS = 5, CHORE_REST_TIMES = 4 };

/* Runs `work` on a reader or the writer, then `after` here. `committed` may be NULL. */
void chore_read(struct chore *c, enum err (*work)(struct chore *, struct db *),
                void (*after)(struct chore *, enum err));
void chore_write(struct chore *c, enum err (*work)(struct chore *, struct db *),
                 void (*committed)(struct chore *), void (*after)(struct chore *, enum err));
void chore_rest(struct chore *c, int64_t ms); /* begins again then */
void chore_rest_in_proportion(struct chore *c);
void chore_sleep(struct chore *c); /* until housekeeper_wake */
