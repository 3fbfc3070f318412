/* Prints and parses cursors and the ids of streams: places in a list, as clients hold them. A place
 * is a row's number, which counts over all accounts; it is sealed under the store's key, so that it
 * does not tell how much other accounts do.
 *
 * A cursor has 128 bits, as 26 characters: the number, the account that it was given to, and its
 * list, through a keyed permutation. The same place is the same text, across restarts too; texts of
 * near places are not alike. A cursor that was changed, made up, or given to another account does
 * not open (one in 2^40 of those made up does, and is some place in the asker's own list). Pure. */
#pragma once
#include "base/str.h"

enum { CURSOR_KEY_SIZE = 16, CURSOR_SIZE = 27 /* with NUL */, CURSOR_SALT_MAX = 0xffffff };

enum cursor_of { /* clients hold these: append only */
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
    uint64_t owner; /* the asker's account; 0: the operator */
    int64_t n;
    uint32_t salt; /* 24 bits: gives the same place other texts */
};
void cursor_print(const uint8_t key[CURSOR_KEY_SIZE], const struct cursor *c,
                  char out[CURSOR_SIZE]);
/* Opens a cursor of c->of and c->owner, and fills in n and salt. ERR_INVALID. */
MUST_USE enum err cursor_parse(const uint8_t key[CURSOR_KEY_SIZE], struct str text,
                               struct cursor *c);
