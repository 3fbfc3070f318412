/* reconnect: computes the pause before a carrier is dialled again. link.c calls it when a session
 * or an attempt at one has ended. */
#include "smpp/reconnect.h"

int64_t reconnect_pause(struct reconnect *r, int64_t first_ms, enum reconnect_end end,
                        int64_t bound_ms, uint64_t random)
{
    if (bound_ms >= RECONNECT_FORGET_MS)
        r->failures = 0;
    if (end == RECONNECT_REFUSED)
        r->failures = RECONNECT_DOUBLINGS;
    int64_t pause = first_ms << r->failures;
    if (r->failures < RECONNECT_DOUBLINGS)
        r->failures++;
    int64_t spread = pause * RECONNECT_JITTER_PERCENT / 100;
    return pause - spread + (int64_t)(random % (uint64_t)(2 * spread + 1));
}
