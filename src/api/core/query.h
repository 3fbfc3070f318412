/* Inside api/: what lists share, and how input that cannot be is refused. */
#pragma once
#include "api/core/work.h"
#include "base/clock.h"

/* What the model takes for text: a webhook's URL must be one that the daemon can and may send to.
 */
MUST_USE enum err request_check_url(struct request *r, const char *field, struct str text);
/* The body must be one object of no other members than `names` ("since, until"). ERR_INVALID. */
MUST_USE enum err request_members(struct request *r, const char *names);
/* ?limit (1 … 500, 50) and ?cursor. ERR_INVALID with r->fault set. */
MUST_USE enum err request_page(struct request *r, enum cursor_of of, unsigned *ret_limit,
                               int64_t *ret_cursor);
/* ?limit alone. */
MUST_USE enum err request_limit(struct request *r, unsigned *ret);
/* So many rows a request looks at, some 5 ms: a page may be short or empty and yet not the last.
 */
enum { LIST_ROWS_MAX = 5000 };
void list_begin(struct request *r, struct json_writer *w);
/* `next` 0: that was all. */
void list_end(struct request *r, struct json_writer *w, enum cursor_of of, int64_t next);
/* A number of the query; its `+` may have come as a blank. */
struct str request_number(struct request *r, const char *name, char out[NUMBER_SIZE]);
/* ?number, which is one of ours: its `+` may be missing too. */
struct str request_did(struct request *r, char out[NUMBER_SIZE]);
/* What a list is of: all that the key may look at, or ?account of it, which the operator alone may
 * say. ERR_INVALID with r->fault set, ERR_NOT_FOUND. */
MUST_USE enum err request_list_scope(struct request *r, uint64_t *ret);
/* RFC 3339 in UTC, or milliseconds; ERR_INVALID with r->fault set. */
MUST_USE enum err request_time(struct request *r, const char *name, int64_t *ret_ms);
/* The same of a member of the body; 0 when it is not there. */
MUST_USE enum err request_body_time(struct request *r, const char *name, int64_t *ret_ms);
void put_time(struct json_writer *w, const char *key, int64_t ms); /* 0: null */
