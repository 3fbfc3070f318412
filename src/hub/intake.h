/* The way in: makes an event durable, together with one delivery for each endpoint that wants it
 * (and the call's row), before its sender is told "accepted". It has two doors: for one event,
 * whose sender may bring it again; and for a batch, of which all events are taken, or none. Any
 * thread may call; the answer goes to its mailbox.
 *
 *     admission_new (which endpoints, which sequence numbers) → a door ⇒ writer: insert, commit ◆
 *     ⇒ on_stored (writer's thread; deliver wakes)  ⇒ the answer (home's thread; the edge goes on)
 */
#pragma once
#include "hub/admission.h"

struct stored { /* news for deliver; valid during the call, hold the event to keep it */
    const struct event *event;
    int64_t event_n;
    const struct delivery *deliveries;
    size_t n_deliveries;
};
typedef void intake_on_stored(void *arg, const struct stored *s);

MUST_USE enum err intake_new(struct store *s, intake_on_stored *on_stored, void *arg,
                             struct intake **ret);
void intake_free(struct intake *in);
/* Tells deliver of deliveries that another job stored. On the writer's thread. */
void intake_tell(struct intake *in, const struct stored *s);

/* ---- the door for one event: a call's, a message's, the daemon's own ---- */

/* err OK: it is durable (`duplicate`: it was before, nothing was added). Otherwise nothing was
 * written, or, with ERR_STORE_UNSURE, nobody knows; the callback may keep *a (setting it to NULL)
 * and bring it again later: what is there already is then told, once. */
typedef void intake_on_one(void *arg, uint64_t token, struct admission **a, enum err err,
                           bool duplicate);
/* Takes *a unless it fails (ERR_FULL, ERR_STORE while the store cannot write). */
MUST_USE enum err intake_one(struct intake *in, struct admission **a, struct mailbox *home,
                             intake_on_one *on_one, void *arg, uint64_t token);

/* ---- the door for a batch: what the API takes in one request ---- */

/* The caller's own work in the transaction of the batch. Both run on the writer's thread, and again
 * when the job does; the first error ends the job. */
struct intake_companion {
    /* Runs before the events; *ret_skip: they were taken before, all are left as they are and not
     * told (all are duplicates). */
    enum err (*before)(void *arg, struct db *db, bool *ret_skip);
    /* Runs after them, unless they were skipped. */
    enum err (*after)(void *arg, struct db *db, const struct admission *const *a, size_t n);
    void *arg;
};
/* Called once for the batch. err OK: all are durable; duplicate[i]: that one was before. Otherwise
 * nothing was written, or nobody knows. */
typedef void intake_on_batch(void *arg, enum err err, const bool *duplicate, size_t n);
/* Takes all unless it fails, as above. `with` NULL: nothing besides. */
MUST_USE enum err intake_batch(struct intake *in, struct admission **a, size_t n,
                               const struct intake_companion *with, struct mailbox *home,
                               intake_on_batch *on_batch, void *arg);
