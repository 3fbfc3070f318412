/* Inside api/: does a POST with an Idempotency-Key once, and answers its repeat as it was answered
 * before. The answer is written in the transaction of the work, under the account and the key, and
 * kept a day.
 *
 *     idempotency_begin (is there a key?) → idempotency_handle (a reader looks first, so that a
 *     change since cannot refuse the repeat) → handler → in its job on the writer:
 *     idempotency_look, work, idempotency_keep. There is one writer: of two requests at once the
 *     second finds the answer that the first kept.
 *
 * Answers may hold secrets that are shown once, so each is sealed under a key that is made from the
 * asker's credential, which the store does not have. With another credential the repeat is refused.
 * Errors are not kept. */
#pragma once
#include "api/core/request.h"
#include "hub/intake.h"

struct idempotency;
void idempotency_free(struct idempotency *k); /* NULL-safe */

/* Reads the header, when this is a POST that has it, into r->idempotency. False: it is refused, and
 * the problem is written. */
bool idempotency_begin(struct request *r);
/* Answers as before, or calls the handler. */
void idempotency_handle(struct request *r, request_handler *handle);

/* Looks for the kept answer, inside a writer's job. *ret_done: it is there and now in r
 * (r->replayed), or an earlier run of this same request kept it, and r still holds it. ERR_INVALID:
 * the key is another request's. Without a key: OK. */
MUST_USE enum err idempotency_look(struct request *r, struct db *db, bool *ret_done);
/* Keeps r's status, etag, location and out, when the status is a 2xx. */
MUST_USE enum err idempotency_keep(struct request *r, struct db *db);

/* The `before` of an intake companion, whose arg is the request. */
enum err idempotency_before(void *request, struct db *db, bool *ret_skip);
