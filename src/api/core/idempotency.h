/* Inside api/: a POST with an Idempotency-Key is done once; repeated, it is answered as it was. The
 * answer is written in the transaction of the work, under the account and the key, and kept a day.
 *
 *     keyed_begin (is there a key?) → keyed_handle (a reader looks first, so that what has changed
 *     since cannot refuse the repeat) → handler → in its job on the writer: keyed_look, work,
 *     keyed_keep. The writer is one: of two at once the second finds what the first kept.
 *
 * Answers may hold secrets that are shown once, so each is sealed under a key that is made from the
 * credential of who asked, which the store does not have. With another credential the repeat is
 * refused. Errors are not kept. */
#pragma once
#include "api/core/request.h"
#include "hub/intake.h"

struct keyed;
void keyed_free(struct keyed *k); /* NULL-safe */

/* Reads the header, when this is a POST that has it, into r->keyed. false: refused, the problem is
 * written. */
bool keyed_begin(struct request *r);
/* Answers what was answered before, or lets the handler do its work. */
void keyed_handle(struct request *r, request_handler *handle);

/* Inside a writer's job. *ret_done: the answer is there (r->replayed), or a run of this same
 * request before kept it, and all it needs is where that run left it. ERR_INVALID: the key is
 * another request's. Without a key: OK. */
MUST_USE enum err keyed_look(struct request *r, struct db *db, bool *ret_done);
/* r->status, r->etag, r->location and r->out, when the status is a 2xx. */
MUST_USE enum err keyed_keep(struct request *r, struct db *db);

/* For work that goes in by intake: `before` of its companion, whose arg is the request. */
enum err keyed_before(void *request, struct db *db, bool *ret_skip);
