/* Inside api/: declares the functions that the files of the DID API share. Its requests are POSTs
 * whose body, JSON or form, holds the token too; its answers hold `status`, and `error` when that
 * is false. */
#pragma once
#include "api/core/number_kind.h"

enum { DID_PAGE_MAX = 1000 };

/* Reads the body into r->json, an object. False: it is none, and the request is answered. */
MUST_USE bool did_read(struct request *r);
/* Does the same, then finds the asker and checks its rights. False: the request is answered. */
MUST_USE bool did_begin(struct request *r, bool writes);
/* A member as text: a string, or a whole number. ERR_NOT_FOUND (absent, null or ""), ERR_INVALID
 * (of another type, or `cap` bytes and more). */
MUST_USE enum err did_arg(const struct request *r, const char *name, char *out, size_t cap);
/* did_id: a row's number, or the number itself: E.164, or ten digits of it and more without the +,
 * which no row has. Neither (0, ""): absent, or nothing that could be one. */
void did_id_arg(const struct request *r, uint64_t *ret_n, char ret_e164[NUMBER_SIZE]);
void did_fail(struct request *r, enum err err); /* answers by problem_of_err */

/* The endpoint that names this number and no other, the oldest of them; or NULL. */
const struct book_endpoint *did_endpoint(const struct book *b, uint64_t account, struct str e164);
/* One number. `webhook`: the URL of the endpoint that is bound to it alone; "". */
void did_put(struct json_writer *w, const char *key, uint64_t n, const struct did *d, bool is_mine,
             struct str webhook);
/* {"status":true,"did_id":…,"did_number":…,"did":{…}; the object stays open. */
void did_answer(struct request *r, struct json_writer *w, uint64_t n, const struct did *d,
                bool is_mine, struct str webhook);

/* The handlers, for the table of routes. */
void did_login(struct request *r);
void did_logout(struct request *r);
void did_balance(struct request *r);
void did_types(struct request *r);
void did_available(struct request *r);
void did_assign(struct request *r);
void did_list(struct request *r);
void did_forward(struct request *r);
void did_release(struct request *r);
