/* Keeps the answer given under each Idempotency-Key. It is written in the transaction of the work
 * itself, so that either both are there or neither. Inside a job's run. */
#pragma once
#include "base/buf.h"
#include "store/store.h"

struct kept_answer {
    int64_t n;              /* of the row; lower is older */
    struct str fingerprint; /* of the request */
    int status;
    struct str answer; /* sealed by who asks; text */
};
/* ERR_NOT_FOUND; strings go into `mem`. */
MUST_USE enum err kept_answer_get(struct db *db, uint64_t account, struct str key,
                                  struct kept_answer *ret, struct buf *mem);
/* ERR_EXISTS: look first. */
MUST_USE enum err kept_answer_put(struct db *db, uint64_t account, struct str key,
                                  const struct kept_answer *a, int64_t now_ms, int64_t *ret_n);
/* The greatest n so that it and all below, `limit` rows at most, were written before `ms`; 0: none.
 */
MUST_USE enum err kept_answer_before(struct db *db, int64_t ms, unsigned limit, int64_t *ret_n);
MUST_USE enum err kept_answer_delete(struct db *db, int64_t last_n, int64_t *ret_deleted);
