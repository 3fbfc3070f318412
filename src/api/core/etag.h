/* Inside api/: versions of settings as entity tags (RFC 9110 §8.8.3). */
#pragma once
#include "api/core/problem.h"

/* If-Match names this version, "*", or is not there. ERR_AGAIN: it names others; ERR_INVALID. */
MUST_USE enum err request_if_match(struct request *r, int64_t version);
/* Makes a 200 a 304 where the client has this version already. Only where the version says all that
 * is shown. */
void request_if_none_match(struct request *r, int64_t version);
void request_put_etag(struct request *r, int64_t version);
