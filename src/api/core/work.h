/* Inside api/: runs a request's work on the store, and tells which accounts it may look at. */
#pragma once
#include "api/core/problem.h"
#include "api/core/room.h"

/* Begins and ends the API's part of a request: before its handler, and when its answer has left or
 * its client has gone. On the HTTP server's threads. */
void request_begin(struct request *r, struct api *a);
void request_over(struct http_request *r);

/* Runs `work` on the writer or a reader, then answers: OK → r->status and r->out as work
 * left them, else problem_of_err. `work` may run more than once and starts from a clean r->out. */
void request_write(struct request *r, enum err (*work)(struct request *, struct db *),
                   void (*committed)(struct request *));
void request_read(struct request *r, enum err (*work)(struct request *, struct db *));

/* The account that the key may look at; 0 (all) for the operator. */
uint64_t request_scope(const struct request *r);
/* Gives the account of a new setting: `account` of the body for the operator, otherwise the key's.
 * ERR_INVALID with r->fault set. */
MUST_USE enum err request_account(struct request *r, uint64_t *ret);
struct str account_id(const struct request *r, uint64_t n);
