/* The one door in: an event becomes durable, together with one delivery for each endpoint that
 * wants it (and the call's row), before anyone says "accepted". Any thread may come; the answer
 * goes home.
 *
 *     prepare (which endpoints, which sequence numbers) → submit ⇒ writer: insert, commit ◆
 *     ⇒ on_stored (writer's thread; deliver wakes)  ⇒ on_taken (home's thread; the edge goes on) */
#pragma once
#include "hub/book.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"

struct intake;
struct taking; /* an event on its way in; one owner */

/* How many events of this call each endpoint got: a call carries one through its life. It grows
 * with the endpoints that want them, of which the API lets ENDPOINTS_PER_EVENT_MAX be made; a store
 * that has more gets them counted all the same. */
struct sequences {
    uint32_t n, cap;
    struct {
        uint32_t endpoint, count;
    } * at; /* heap */
};
void sequences_fini(struct sequences *s);
/* The next number for that endpoint: 1, 2, 3 … ERR_NOMEM. NULL: the store looks it up (UINT_MAX).
 */
MUST_USE enum err sequence_next(struct sequences *s, uint64_t endpoint, unsigned *ret);

/* endpoint × call (or number × peer for SMS, or the event alone), stable across restarts. */
uint64_t lane_key(uint64_t endpoint, const struct event *e);

/* By its filters, whether it is switched off or not. */
bool endpoint_wants(const struct book_endpoint *ep, enum event_kind kind, struct str number);

struct stored { /* what deliver learns; valid during the call, hold the event to keep it */
    const struct event *event;
    int64_t event_n;
    const struct delivery *deliveries;
    size_t n_deliveries;
};
typedef void intake_on_stored(void *arg, const struct stored *s);

MUST_USE enum err intake_new(struct store *s, intake_on_stored *on_stored, void *arg,
                             struct intake **ret);
void intake_free(struct intake *in);

/* Takes the event (sets *e to NULL). `seq` NULL: the store looks the sequence up (ingest). `row`
 * NULL: no call row; it is copied. All endpoints that want the event get it. */
MUST_USE enum err intake_prepare(struct intake *in, const struct book *book, const struct event **e,
                                 struct sequences *seq, const struct call_row *row,
                                 struct taking **ret);
/* For one endpoint alone (a test, the news that it was switched off), whatever it subscribes to. */
MUST_USE enum err intake_prepare_for(struct intake *in, uint64_t endpoint, const struct event **e,
                                     struct taking **ret);
/* Whom it goes to; rows have no numbers yet. Valid until it is submitted. */
const struct delivery *taking_deliveries(const struct taking *t, size_t *ret_n);
const struct event *taking_event(const struct taking *t); /* borrowed, until it is submitted */
/* It was not stored: the sequence numbers it took are given back. NULL-safe. */
void taking_withdraw(const struct taking *t, struct sequences *seq);
/* err OK: it is durable (`duplicate`: it was before, nothing was added). Otherwise nothing was
 * written, and the callback may keep *t (setting it to NULL) and submit it again later. */
typedef void intake_on_taken(void *arg, uint64_t token, struct taking **t, enum err err,
                             bool duplicate);
/* Takes *t unless it fails (ERR_FULL, ERR_STORE while the store cannot write). */
MUST_USE enum err intake_submit(struct intake *in, struct taking **t, struct mailbox *home,
                                intake_on_taken *on_taken, void *arg, uint64_t token);
/* Many in one transaction: all are stored, or none. on_taken comes for each, with its place in t as
 * the token, one after the other, and may keep none. Takes all unless it fails. */
MUST_USE enum err intake_submit_all(struct intake *in, struct taking **t, size_t n,
                                    struct mailbox *home, intake_on_taken *on_taken, void *arg);
/* The same, with work of the caller's in the same transaction. Both run on the writer's thread, and
 * again when the batch does; the first error ends the job. */
struct intake_companion {
    /* Ahead of the events; *ret_skip: they were taken before, all of them are left as they are and
     * nobody is told (on_taken says duplicate). */
    enum err (*before)(void *arg, struct db *db, bool *ret_skip);
    /* Behind them, unless they were skipped. */
    enum err (*after)(void *arg, struct db *db, const struct taking *const *t, size_t n);
    void *arg;
};
MUST_USE enum err intake_submit_all_with(struct intake *in, struct taking **t, size_t n,
                                         const struct intake_companion *with, struct mailbox *home,
                                         intake_on_taken *on_taken, void *arg);
bool taking_is_new(const struct taking *t); /* in `after`: it was not there before */
void taking_free(struct taking *t);         /* NULL-safe */

/* Inside a writer's job of the caller's own: the event and its deliveries, in that job's
 * transaction. After the commit the caller tells deliver (on the writer's thread). Both may be
 * called again with the job's next run. */
MUST_USE enum err taking_put(struct taking *t, struct db *db);
void taking_tell(const struct taking *t);
/* When such a job runs again: is there what its last run put, by a commit whose answer was lost?
 * Then nothing of it is to be done again, but it is to be told. */
MUST_USE enum err taking_find(const struct taking *t, struct db *db, bool *ret_put);

/* Inside a writer's job: one more delivery of an event that is there, asked for by a person, in a
 * lane of its own. After the commit the caller tells deliver, by intake_tell. */
MUST_USE enum err resend_put(struct db *db, int64_t event_n, const struct event *e,
                             uint64_t endpoint, struct delivery *ret);
void intake_tell(struct intake *in, const struct stored *s); /* on the writer's thread */
