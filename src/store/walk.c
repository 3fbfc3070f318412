/* walk: reads an index in chunks. It finds the two ends of each chunk by the index alone, then one
 * statement filters the chunk's rows; so the chunk bounds the time of a statement, however few rows
 * fit. Between chunks it checks whether there are enough rows, and it skips blocks whose span shows
 * that nothing fits.
 *
 * The bound: a row that does not fit costs 0.6 (kind) to 1.5 µs (deliveries) of a processor when
 * its page is in memory, so 5,000 are some 5 ms. When pages must come from a disk, or others need
 * the processor, time is the limit, after SURE_ROWS rows. */
#include "store/walk.h"

#include <string.h>

#include "base/clock.h"

enum {
    CHUNK_MIN = 128, /* most pages are full after it */
    CHUNK_MAX = 512,
    SURE_ROWS = 2000, /* however long they take: a short list is whole on a busy machine too */
    STEP_ROWS = 8,    /* what a chunk costs besides its rows, in rows */
};

/* Finds the key's next row; *ret 0: there is none. */
static enum err walk_next_row(struct db *db, const struct walk *w, int64_t before_n,
                              unsigned offset, int64_t *ret)
{
    struct value args[WALK_KEY_MAX + 2];
    ASSERT(w->n_key <= WALK_KEY_MAX);
    memcpy(args, w->key, w->n_key * sizeof *args);
    args[w->n_key] = V_INT(before_n);
    args[w->n_key + 1] = V_INT(offset);
    *ret = 0;
    return db_run_int(db, w->next, args, w->n_key + 2, ret, NULL);
}

struct walk_progress {
    unsigned looked, chunk;
    int64_t before_n;
};

/* Reads one chunk, or skips rows that cannot fit. */
static enum err walk_step(struct db *db, const struct walk *w, struct walk_progress *p,
                          struct list_stop *ret, bool *ret_stopped)
{
    int64_t n = 0, from = 0, last = 0, low = 0;
    enum err err = walk_next_row(db, w, p->before_n, 0, &n);
    if (err == OK && n)
        err = spans_next(db, &w->spans, n, &from, &last, &p->looked);
    p->looked += STEP_ROWS;
    if (err != OK || last == 0) {
        ret->at_end = err == OK;
        return err;
    }
    if (last < n) { /* is there a row of the key in what may fit? */
        ret->at_n = p->before_n = last + 1;
        return OK;
    }
    err = walk_next_row(db, w, n + 1, p->chunk - 1, &low);
    if (low < from)
        low = from;
    if (err == OK)
        err = w->rows(w->arg, db, low, n + 1, ret, ret_stopped);
    if (err != OK || *ret_stopped)
        return err;
    ret->at_n = p->before_n = low;
    ret->at_end = low <= 1;
    p->looked += p->chunk;
    p->chunk = p->chunk * 2 < CHUNK_MAX ? p->chunk * 2 : CHUNK_MAX;
    return OK;
}

enum err walk_run(struct db *db, const struct walk *w, struct list_stop *ret)
{
    struct walk_progress p = {.chunk = CHUNK_MIN,
                              .before_n = w->before_n ? w->before_n : INT64_MAX};
    int64_t until_us = clock_mono_us() + WALK_BUDGET_US;
    bool stopped = false;
    enum err err = OK;
    *ret = (struct list_stop){.at_n = p.before_n};
    do
        err = walk_step(db, w, &p, ret, &stopped);
    while (err == OK && !stopped && !ret->at_end &&
           (!w->rows_max ||
            (p.looked < w->rows_max && (p.looked < SURE_ROWS || clock_mono_us() < until_us))));
    return err;
}
