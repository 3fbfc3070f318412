/* Prints errors as RFC 9457 problem+json. Programs go by `code`, which is stable; each has a
 * section in docs/errors.md. */
#pragma once
#include "api/core/request.h"

/* Sets status and body; the caller then calls request_done, or returns to a function that does. */
void problem(struct request *r, int status, const char *code, const char *detail);
/* Does the same for a request that the HTTP server refused. */
void problem_of_refusal(struct http_request *r, const struct http_refusal *why);
/* Does the same and names the field at fault. */
void problem_field(struct request *r, const char *field, const char *allowed);
/* Prints the problem of the store's answer, or of a look-up's. */
void problem_of_err(struct request *r, enum err err);

/* Gives ERR_INVALID, and sets r->fault to the field and its allowed values. */
MUST_USE enum err request_refuse(struct request *r, const char *field, const char *why);

/* Prints that a queue did not take the request. ERR_AGAIN: this account, or this address, has its
 * share there. */
void problem_not_taken(struct request *r, enum err err);

/* Prints the faults of a batch's items, each with its first fault; `many` false: the body was one
 * object. `field` and `detail` are of the first, `errors` has those that are given, `faulty` the
 * number of all. */
struct item_fault {
    size_t index;
    struct field_error fault;
};
void problem_items(struct request *r, bool many, const struct item_fault *f, size_t n,
                   size_t faulty);

/* Is it a path of the DID API? Its errors are {"status":false,"error":…,"code":…}, and those that
 * are no fault of the request's form or credential come with HTTP status 200, as its clients
 * expect. */
bool is_did_path(const char *path);
