/* Limits how many endpoints may want one event of one number to ENDPOINTS_PER_EVENT_MAX, checked
 * when an endpoint is made, changed or moved to another account, in the transaction that does it. A
 * store that has more from before keeps them: all get their events. On the writer's thread. */
#pragma once
#include "hub/book.h"

enum { ENDPOINTS_PER_EVENT_MAX = 64 };

struct endpoint_room; /* remembers the changes of the transaction under way */

MUST_USE enum err endpoint_room_new(struct endpoint_room **ret);
void endpoint_room_free(struct endpoint_room *r); /* NULL-safe */

/* Would there be too many with *e, stored as `id` in that account? ERR_FULL: *ret_why, of `cap`
 * bytes, names the event (and number) that enough want. Otherwise it is remembered until the
 * transaction ends. `book` is the one after the last commit. Takes *e in any case. Endpoints that
 * are switched off count. */
MUST_USE enum err endpoint_room_take(struct endpoint_room *r, struct db *db,
                                     const struct book *book, uint64_t account, struct str id,
                                     struct endpoint **e, char *ret_why, size_t cap);
