/* Keeps spans: the range of times and the kinds of the rows in a block of a table, so that a walk
 * skips blocks without any row that it looks for. A block is SPAN_ROWS row numbers; it gets its
 * span once it is full (hub/chores/spans), and afterwards rows can only leave it. A block without a
 * span may hold anything. Inside a job's run. */
#pragma once
#include "store/store.h"

enum { SPAN_ROWS = 1024 };
enum span_of { SPAN_EVENTS, SPAN_CALLS, SPAN_AUDIT, SPAN_OF_COUNT }; /* stored: append only */

struct span {
    enum span_of of;
    int64_t block;          /* rows n with n / SPAN_ROWS == block */
    uint64_t kinds;         /* bit per kind: an event's, a setting's; calls have 1 */
    int64_t from_ms, to_ms; /* the first and the last of their times; from > to: no row is left */
};

/* Lists full blocks that have no span yet, oldest first, at most `max`; *ret_first: the first block
 * that has rows. */
MUST_USE enum err spans_find(struct db *db, enum span_of of, struct span *ret, size_t max,
                             size_t *ret_n, int64_t *ret_first);
MUST_USE enum err span_put(struct db *db, const struct span *s);
MUST_USE enum err spans_forget(struct db *db, enum span_of of, int64_t before_block);

struct span_filter { /* absent: 0 */
    enum span_of of;
    uint64_t kinds;
    int64_t since_ms, until_ms; /* until exclusive */
};
/* Gives the next rows at n or below that may fit: *ret_from <= n' <= *ret_last; *ret_last 0: none.
 * *looked grows by the number of spans that it read. */
MUST_USE enum err spans_next(struct db *db, const struct span_filter *f, int64_t n,
                             int64_t *ret_from, int64_t *ret_last, unsigned *looked);
