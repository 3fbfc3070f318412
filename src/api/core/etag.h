/* Inside api/: compares and prints versions of settings as entity tags (RFC 9110 §8.8.3). */
#pragma once
#include "api/core/problem.h"

/* OK: If-Match names this version, "*", or is not there. ERR_AGAIN: it names others; ERR_INVALID.
 */
MUST_USE enum err request_if_match(struct request *r, int64_t version);
/* Makes a 200 a 304 when the client has this version already. It is for answers that change with
 * the version alone. */
void request_if_none_match(struct request *r, int64_t version);
void request_put_etag(struct request *r, int64_t version);
