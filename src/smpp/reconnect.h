/* Computes the pauses between a link's attempts. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { RECONNECT_DOUBLINGS = 6, RECONNECT_FORGET_MS = 60000, RECONNECT_JITTER_PERCENT = 20 };

/* How an attempt ended. */
enum reconnect_end {
    RECONNECT_FAILED,  /* could not be reached, did not answer, or the session broke */
    RECONNECT_REFUSED, /* the carrier refused us: trying soon may lock us out */
};

struct reconnect {
    unsigned failures; /* in a row; 0 at the start */
};

/* Gives the pause before the next attempt: `first_ms`, doubling with each failure to 64 times as
 * much, or that much at once when refused; ±20 % by `random`, so that links of one carrier do not
 * come back in step. `bound_ms`: how long the session had been bound, 0 when it never was; a minute
 * of that makes the failures before forgotten. */
int64_t reconnect_pause(struct reconnect *r, int64_t first_ms, enum reconnect_end end,
                        int64_t bound_ms, uint64_t random);
