/* Errors as RFC 9457 problem+json. `code` is what programs go by: stable, a section each in
 * docs/errors.md. */
#pragma once
#include "api/core/request.h"

/* Sets status and body; the caller then says request_done, or returns to what does. */
void problem(struct request *r, int status, const char *code, const char *detail);
/* The same for a request that the HTTP server refused. */
void problem_of_refusal(struct http_request *r, const struct http_refusal *why);
/* The same, naming the field at fault. */
void problem_field(struct request *r, const char *field, const char *allowed);
/* What the store, or a look-up, answered. */
void problem_of_err(struct request *r, enum err err);

/* ERR_INVALID, with r->fault saying which field and what is allowed. */
MUST_USE enum err request_refuse(struct request *r, const char *field, const char *why);

/* A queue did not take it: ERR_AGAIN, since this account, or this address, has its share there. */
void problem_not_taken(struct request *r, enum err err);

/* What is wrong with the items of a batch, each with its first fault; `many` false: the body was
 * one object. `field` and `detail` speak of the first, `errors` has those that are given, `faulty`
 * how many there are in all. */
struct item_fault {
    size_t index;
    struct field_error fault;
};
void problem_items(struct request *r, bool many, const struct item_fault *f, size_t n,
                   size_t faulty);

/* Paths of the DID API: its errors are {"status":false,"error":…,"code":…}, and what is no fault of
 * the request's form or credential comes with HTTP status 200, as its clients expect. */
bool is_did_path(const char *path);
