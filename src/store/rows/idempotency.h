/* What was answered under which Idempotency-Key: written in the transaction of the work itself, so
 * that either both are there or neither. Inside a job's run. */
#pragma once
#include "base/buf.h"
#include "store/store.h"

struct answered {
    int64_t n;              /* of the row; lower is older */
    struct str fingerprint; /* of the request */
    int status;
    struct str answer; /* sealed by who asks; text */
};
/* ERR_NOT_FOUND; strings go into `mem`. */
MUST_USE enum err answered_get(struct db *db, uint64_t account, struct str key,
                               struct answered *ret, struct buf *mem);
/* ERR_EXISTS: look first. */
MUST_USE enum err answered_put(struct db *db, uint64_t account, struct str key,
                               const struct answered *a, int64_t now_ms, int64_t *ret_n);
/* The greatest n so that it and all below, `limit` rows at most, were written before `ms`; 0: none.
 */
MUST_USE enum err answered_before(struct db *db, int64_t ms, unsigned limit, int64_t *ret_n);
MUST_USE enum err answered_delete(struct db *db, int64_t last_n, int64_t *ret_deleted);
