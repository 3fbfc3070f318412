/* How many endpoints may want one event of one number: ENDPOINTS_PER_EVENT_MAX, asked when an
 * endpoint is made, changed or moved to another account, on the writer's thread, within that
 * change's transaction, so that no two slip in together. A store that has more from before keeps
 * them: all get their events. */
#pragma once
#include "hub/book.h"

enum { ENDPOINTS_PER_EVENT_MAX = 64 };

/* Would there be too many with `e`, stored as `id` in that account? ERR_FULL, and *ret_why says of
 * which event (and number) there are enough; it is `cap` bytes. Endpoints that are switched off
 * count. */
MUST_USE enum err endpoint_room(struct db *db, const struct book *book, uint64_t account,
                                struct str id, const struct endpoint *e, char *ret_why, size_t cap);
