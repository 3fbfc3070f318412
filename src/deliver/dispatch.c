/* dispatch: chooses the lanes that go next. Accounts with something ready take turns, and in an
 * account's turn its endpoints do, one lane a turn, so that the busiest cannot crowd out the rest.
 * Each account is held to its share of the slots (tenant.c), and each endpoint to its part of that,
 * to its own number of lanes at once, its rate, and what its health allows. Retries have three
 * quarters of an account's share and no more; when an account has half of its share under way, an
 * endpoint that did not answer last gets one slot. So an endpoint that hangs takes nothing from the
 * account's others, and an account all of whose endpoints hang takes nothing from other accounts.
 * Thread of its courier. */
#include "deliver/dispatch.h"

#include "deliver/attempt.h"
#include "deliver/tenant.h"

enum { RETRIES_OF_4 = 3 /* of an account's share, so many quarters may be retries */ };

/* First attempts and retries alternate where both wait. */
static struct lane *choose(struct courier *c, struct queue *t)
{
    const struct tenant *n = t->tenant;
    bool again = t->ready[1].first &&
                 n->retries_in_flight < tenant_slots(c, n) * RETRIES_OF_4 / 4 &&
                 (t->was_first || !t->ready[0].first);
    t->was_first = !again;
    return t->ready[again].first;
}

/* One lane of this endpoint, if it may; whether it may be asked for another. */
static bool send_one(struct courier *c, struct queue *t, const struct book *book)
{
    if (!t->ready[0].first && !t->ready[1].first)
        return false;
    struct lane *l = choose(c, t);
    if (!l) {
        queue_stall(t);
        return false;
    }
    if (!queue_may_send(t, book_endpoint(book, t->endpoint)))
        return false;
    lane_leave(l);
    l->state = LANE_BUSY;
    slot_take(t, l->head->attempts > 0);
    attempt_start(l);
    return true;
}

void dispatch(struct courier *c)
{
    struct queue *t;
    if (c->stopping)
        return;
    while ((t = queue_next(c))) {
        if (send_one(c, t, courier_book(c)))
            queue_turn(t);
    }
}
