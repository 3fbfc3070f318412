/* Lists text messages as people read them: newest first, and by thread, which is a number and a
 * peer. They are read from the events, along indexes that hold messages alone. A walk reads a
 * bounded number of rows and says where it stopped, so that a filter that fits nothing costs a
 * bounded time too. Inside a job's run. */
#pragma once
#include "model/event.h"
#include "store/stop.h"
#include "store/store.h"

struct inbox_filter { /* absent: empty, 0 */
    uint64_t account; /* 0: all (operator) */
    struct str number, peer;
    struct str q;               /* in the text or an address, ASCII letters of either case */
    int64_t since_ms, until_ms; /* when it was taken; until exclusive */
    int64_t before_n;           /* rows older than this; 0: from the newest */
    unsigned rows_max;          /* to look at */
};
typedef bool inbox_row(void *arg, int64_t n, const struct event *e); /* false: not this one, stop */
MUST_USE enum err inbox_walk(struct db *db, const struct inbox_filter *f, inbox_row *row, void *arg,
                             struct list_stop *ret);

/* Threads by their last message, as they were when the message top_n was the newest: of `f`,
 * account, number, before_n and rows_max count. */
MUST_USE enum err inbox_threads(struct db *db, const struct inbox_filter *f, int64_t top_n,
                                inbox_row *row, void *arg, struct list_stop *ret);
/* Messages of that thread up to top_n, counted up to `max`. */
MUST_USE enum err inbox_count(struct db *db, const struct event *of, int64_t top_n, int64_t max,
                              int64_t *ret);
