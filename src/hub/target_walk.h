/* Walks for one call through its number's targets, and through those of the numbers that they lead
 * to. It looks at TARGETS_LOOKED_AT_MAX targets in all, however they are nested and whoever named
 * them. Pure but for the book, which is borrowed for the walk's life. */
#pragma once
#include "hub/book.h"

enum {
    TARGETS_LOOKED_AT_MAX = 64, /* of one call, also those that are passed over */
    NUMBERS_DEPTH_MAX = 8,      /* of access_numbers within each other */
};

struct target_walk {
    const struct book *book;
    uint64_t account;
    unsigned looked_at;
    size_t depth;
    struct {
        const struct forward *forward;    /* of the book, or an answer's */
        const struct book_number *number; /* NULL: an answer's */
        size_t next;                      /* target to look at next */
    } level[NUMBERS_DEPTH_MAX];
};

enum walk_step {
    WALK_TARGET,        /* to be tried: any type but access_number */
    WALK_NUMBER_FAILED, /* an access_number that cannot be entered: no number of the account, a
                           loop, too deep; it failed like a target, with 500 */
    WALK_EXHAUSTED,     /* there are no more */
    WALK_LIMIT,         /* there are more, which this call does not look at */
};

/* Starts over with the targets of `number`, which the book has. */
void target_walk_start(struct target_walk *w, const struct book *book,
                       const struct book_number *number);
/* Goes on with a webhook's answer instead of all the number's own targets. The count goes on. `f`
 * is borrowed for the walk's life. */
void target_walk_answer(struct target_walk *w, const struct book *book, uint64_t account,
                        const struct forward *f);
/* Gives the next target that applies after `last_status`, the outcome of the one before (0: none
 * yet). */
enum walk_step target_walk_next(struct target_walk *w, int last_status, const struct target **ret);
