/* Inside api/: reads the parameters that lists share, and refuses input that is not allowed. */
#pragma once
#include "api/core/work.h"
#include "base/clock.h"

/* Checks a webhook's URL, which the model takes for text: the daemon must be able and allowed to
 * send to it. */
MUST_USE enum err request_check_url(struct request *r, const char *field, struct str text);
/* Checks that the body is one object with no members but `names` ("since, until"). ERR_INVALID. */
MUST_USE enum err request_members(struct request *r, const char *names);
/* Reads ?limit (1 … 500, 50 by default) and ?cursor. ERR_INVALID with r->fault set. */
MUST_USE enum err request_page(struct request *r, enum cursor_of of, unsigned *ret_limit,
                               int64_t *ret_cursor);
/* Reads ?limit alone. */
MUST_USE enum err request_limit(struct request *r, unsigned *ret);
/* The rows that a request looks at, some 5 ms: a page may be short or empty and yet not the last.
 */
enum { LIST_ROWS_MAX = 5000 };
void list_begin(struct request *r, struct json_writer *w);
/* `next` 0: this page was the last. */
void list_end(struct request *r, struct json_writer *w, enum cursor_of of, int64_t next);
/* Reads a number of the query; its `+` may have come as a blank. */
struct str request_number(struct request *r, const char *name, char out[NUMBER_SIZE]);
/* Reads ?number, one of the daemon's own: its `+` may be missing, too. */
struct str request_did(struct request *r, char out[NUMBER_SIZE]);
/* Gives the account that is listed: all that the key may look at (0), or ?account, which the
 * operator alone may give. ERR_INVALID with r->fault set, ERR_NOT_FOUND. */
MUST_USE enum err request_list_scope(struct request *r, uint64_t *ret);
/* Reads a time, RFC 3339 in UTC or milliseconds; ERR_INVALID with r->fault set. */
MUST_USE enum err request_time(struct request *r, const char *name, int64_t *ret_ms);
/* Does the same with a member of the body; 0 when it is not there. */
MUST_USE enum err request_body_time(struct request *r, const char *name, int64_t *ret_ms);
void put_time(struct json_writer *w, const char *key, int64_t ms); /* 0: null */
