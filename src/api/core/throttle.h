/* Limits how often passwords can be guessed: counts attempts to log in by name and by address, from
 * the moment they begin, so that attempts at the same time all count. The first ones are free; each
 * later one must wait longer after the one before. Any thread. */
#pragma once
#include "base/str.h"

struct throttle;

enum {
    THROTTLE_NAME_FREE = 10,       /* attempts on one name without a wait */
    THROTTLE_ADDRESS_FREE = 30,    /* attempts from one address without a wait, whatever the
                                      names */
    THROTTLE_NAME_WAIT_S = 60,     /* waits grow 1, 2, 4 … s up to this: short enough for the
                                      name's owner */
    THROTTLE_ADDRESS_WAIT_S = 900, /* an address may be made to wait longer */
    THROTTLE_FORGET_S = 900,       /* without an attempt, after which the count starts at 0 */
    THROTTLE_ENTRIES = 16384,      /* at the limit the least recent of a few is forgotten */
};

MUST_USE enum err throttle_new(struct throttle **ret);
void throttle_free(struct throttle *t); /* NULL-safe */
/* Counts an attempt. False: it is refused and not counted, and may come again in *ret_wait_s. */
bool throttle_begin(struct throttle *t, struct str name, struct str address, unsigned *ret_wait_s);
/* Forgives an attempt with the right password: the name starts anew, and the address gets this
 * attempt back. */
void throttle_forgive(struct throttle *t, struct str name, struct str address);
