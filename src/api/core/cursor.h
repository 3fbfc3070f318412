/* Cursors and the ids of streams: places in a list, as clients hold them. A place is a row's
 * number, which counts over all accounts; sealed under the store's key it tells nobody how much
 * others do.
 *
 * 128 bits, as 26 characters: the number, who it was given to, and the list that it is of, through
 * a keyed permutation. The same place is the same text, across restarts too; two texts have nothing
 * to do with each other. One that was changed, made up, or given to somebody else does not open
 * (one in 2^40 that is made up does, and is some place in the list of who asks). Pure. */
#pragma once
#include "base/str.h"

enum { CURSOR_KEY_SIZE = 16, CURSOR_SIZE = 27 /* with NUL */, CURSOR_SALT_MAX = 0xffffff };

enum cursor_of { /* in what clients hold: append only */
                 CURSOR_STREAM,
                 CURSOR_EVENTS,
                 CURSOR_CALLS,
                 CURSOR_MESSAGES,
                 CURSOR_THREADS,
                 CURSOR_THREADS_TOP,
                 CURSOR_AUDIT,
                 CURSOR_RECOVERIES,
                 CURSOR_SETTINGS = 32 /* and the kind */
};

struct cursor {
    enum cursor_of of;
    uint64_t owner; /* the account whose key asked; 0: the operator's */
    int64_t n;
    uint32_t salt; /* 24 bits: other texts for the same place */
};
void cursor_print(const uint8_t key[CURSOR_KEY_SIZE], const struct cursor *c,
                  char out[CURSOR_SIZE]);
/* `c` says of and owner, and gets n and salt. ERR_INVALID. */
MUST_USE enum err cursor_parse(const uint8_t key[CURSOR_KEY_SIZE], struct str text,
                               struct cursor *c);
