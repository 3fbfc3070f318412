/* Walks through rows from the newest to the oldest, along an index, in chunks. It reads a bounded
 * number of rows, for a bounded time, and says where it stopped. So a filter that fits nothing
 * costs a bounded time too, and the caller can go on from there. Inside a job's run. */
#pragma once
#include "store/engine.h"
#include "store/spans.h"
#include "store/stop.h"

struct walk {
    enum sql next; /* key … , $before, $offset: the number of that row of the index below before */
    const struct value *key;
    size_t n_key;
    struct span_filter spans; /* what blocks can be passed by */
    int64_t before_n;         /* 0: from the newest */
    unsigned rows_max;        /* to look at; 0: all, for however long that takes */
    /* Runs over from_n <= n < before_n along the same key, newest first. When a row is not to be
     * taken any more: *ret_stopped, and stop->at_n is the last that was. */
    enum err (*rows)(void *arg, struct db *db, int64_t from_n, int64_t before_n,
                     struct list_stop *stop, bool *ret_stopped);
    void *arg;
};

enum { WALK_KEY_MAX = 3, WALK_BUDGET_US = 6000 };

MUST_USE enum err walk_run(struct db *db, const struct walk *w, struct list_stop *ret);
