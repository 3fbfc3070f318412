/* broken: a connection broke while a call was up on it. A peer that crashed resets its connections,
 * and so does a NAT that forgot them; one that closes in an orderly way is only idle. So each leg
 * that talked over it is asked at once whether anybody is still there (probe.c).
 *
 * The calls are walked once for all connections that broke together, and not again for a while,
 * however fast a peer breaks them. Edge's thread. */
#include "sip/call/call.h"

enum {
    REST_MS = 100,          /* between two walks */
    LEGS_SPREAD_MAX = 2000, /* of one walk are asked one a millisecond, then again from 0 on */
};

/* A leg's requests leave over the connection that its dialog names, or over the one to the same peer
 * when that is gone. */
static bool leg_is_over(const struct leg *leg, const struct path *lost)
{
    const struct path *own = &leg->dialog.path;
    if (own->transport != lost->transport)
        return false;
    return own->conn == lost->conn ||
           (own->account == lost->account && addr_eq(&own->peer, &lost->peer));
}

static void on_walk(struct timer *timer)
{
    struct calls *calls = timer->arg;
    struct broken *b = &calls->broken;
    handle h;
    struct call *c;
    int64_t asked = 0;
    for (size_t i = 0; (c = pool_next(calls->pool, &i, &h));)
        for (uint8_t k = 0; k < b->n; k++) {
            if (leg_is_over(&c->a, &b->path[k]))
                leg_probe_soon(&c->a, asked++ % LEGS_SPREAD_MAX);
            if (leg_is_over(&c->b, &b->path[k]))
                leg_probe_soon(&c->b, asked++ % LEGS_SPREAD_MAX);
        }
    b->n = 0;
    b->walked_ms = loop_now_ms(calls->core->c.loop);
}

void calls_on_broken(struct calls *calls, const struct path *lost)
{
    struct broken *b = &calls->broken;
    struct loop *l = calls->core->c.loop;
    if (!calls->pool || b->n == BROKEN_MAX)
        return; /* the legs' own silence tells */
    b->path[b->n++] = *lost;
    int64_t rested_ms = loop_now_ms(l) - b->walked_ms;
    if (b->n == 1)
        loop_timer(l, &b->timer, b->walked_ms && rested_ms < REST_MS ? REST_MS - rested_ms : 0,
                   on_walk, calls);
}

void calls_broken_stop(struct calls *calls)
{
    timer_stop(&calls->broken.timer);
}
