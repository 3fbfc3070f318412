/* Makes and writes an admission, an event on its way in: the event, a delivery for each endpoint
 * that wants it, and the call's row. It is made on any thread, then written in one transaction and
 * told to deliver after its commit: by one of the doors (hub/intake.h), or by a job that writes
 * more besides. */
#pragma once
#include "hub/book.h"
#include "hub/sequences.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"

struct intake;
struct admission; /* one owner */

/* The lane's key: endpoint × call (or number × peer for SMS, or the event alone), stable across
 * restarts. */
uint64_t lane_key(uint64_t endpoint, const struct event *e);

/* Do the endpoint's filters let the event through? It may be switched off. */
bool endpoint_wants(const struct book_endpoint *ep, enum event_kind kind, struct str number);

/* Takes the event (sets *e to NULL). `seq` NULL: the store looks the sequence up (ingest). `row`
 * NULL: no call row; it is copied. It goes to all endpoints that want the event. */
MUST_USE enum err admission_new(struct intake *in, const struct book *book, const struct event **e,
                                struct sequences *seq, const struct call_row *row,
                                struct admission **ret);
/* Does the same for one endpoint alone (a test, the news that it was switched off), whatever it
 * subscribes to. */
MUST_USE enum err admission_new_for(struct intake *in, uint64_t endpoint, const struct event **e,
                                    struct admission **ret);
void admission_free(struct admission *a); /* NULL-safe */
/* Its deliveries, whose rows have no numbers yet. Valid until it goes through a door. */
const struct delivery *admission_deliveries(const struct admission *a, size_t *ret_n);
const struct event *admission_event(const struct admission *a); /* borrowed, until then */
/* Gives back the sequence numbers of an admission that was not stored. NULL-safe. */
void admission_withdraw(const struct admission *a, struct sequences *seq);

/* Writes the event and its deliveries inside a writer's job, in that job's transaction. After the
 * commit admission_tell tells deliver (on the writer's thread). Both may be called again with the
 * job's next run. */
MUST_USE enum err admission_put(struct admission *a, struct db *db);
bool admission_is_new(const struct admission *a); /* after its put: it was not there before */
void admission_tell(const struct admission *a);
/* When such a job runs again: are the rows of its last run there, by a commit whose answer was
 * lost? Then they need not be written again, but deliver must still be told. */
MUST_USE enum err admission_find(const struct admission *a, struct db *db, bool *ret_put);
