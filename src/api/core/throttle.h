/* How often somebody may guess: attempts to log in are counted by name and by address, from the
 * moment they begin, so that many at once are many. The first ones are free; from then on each must
 * be further from the one before. Any thread. */
#pragma once
#include "base/str.h"

struct throttle;

enum {
    THROTTLE_NAME_FREE = 10,       /* attempts without a wait … */
    THROTTLE_ADDRESS_FREE = 30,    /* … of one address, whatever the names */
    THROTTLE_NAME_WAIT_S = 60,     /* waits grow 1, 2, 4 … s up to this: a name's owner gets in */
    THROTTLE_ADDRESS_WAIT_S = 900, /* an address may be made to wait longer */
    THROTTLE_FORGET_S = 900,       /* without an attempt, and all is as new */
    THROTTLE_ENTRIES = 16384,      /* at the limit the oldest of a few is forgotten */
};

MUST_USE enum err throttle_new(struct throttle **ret);
void throttle_free(struct throttle *t); /* NULL-safe */
/* Counts an attempt, or refuses it uncounted: try again in *ret_wait_s. */
bool throttle_begin(struct throttle *t, struct str name, struct str address, unsigned *ret_wait_s);
/* It was the right password: the name starts anew, the address gets this attempt back. */
void throttle_forgive(struct throttle *t, struct str name, struct str address);
