/* dispatch: whose lane goes next. Accounts with something ready take turns, and in an account's
 * turn its endpoints do, one lane a turn, so that the busiest cannot crowd out the rest. Each
 * endpoint is held to its own number of lanes at once, its rate, and what its health allows.
 * Retries have their share of the slots and no more; when it gets crowded, an endpoint that did not
 * answer well last gets one slot, so that those who hang cannot take what the others need. Thread
 * of its courier. */
#include "base/clock.h"
#include "deliver/courier.h"

void queue_turn(struct queue *t)
{
    struct courier *c = t->courier;
    struct tenant *n = t->tenant;
    if (t->queued)
        return;
    t->queued = true;
    t->next_turn = NULL;
    *n->last = t;
    n->last = &t->next_turn;
    if (n->queued)
        return;
    n->queued = true;
    n->next_turn = NULL;
    *c->turn_tail = n;
    c->turn_tail = &n->next_turn;
}

static struct queue *turn_take(struct courier *c)
{
    struct tenant *n = c->turn;
    if (!n)
        return NULL;
    c->turn = n->next_turn;
    if (!c->turn)
        c->turn_tail = &c->turn;
    struct queue *t = n->first;
    n->first = t->next_turn;
    if (n->first) { /* to the end of the line, with the rest of its endpoints */
        n->next_turn = NULL;
        *c->turn_tail = n;
        c->turn_tail = &n->next_turn;
    } else {
        n->last = &n->first;
        n->queued = false;
    }
    t->queued = false;
    return t;
}

/* Out of line until a retry's slot is free. */
static void stall(struct courier *c, struct queue *t)
{
    t->queued = true;
    t->next_turn = NULL;
    *c->stalled_tail = t;
    c->stalled_tail = &t->next_turn;
}

static void unstall(struct courier *c)
{
    struct queue *t = c->stalled;
    if (!t)
        return;
    c->stalled = t->next_turn;
    if (!c->stalled)
        c->stalled_tail = &c->stalled;
    t->queued = false;
    queue_turn(t);
}

void slot_take(struct courier *c, struct queue *t, bool is_retry)
{
    t->in_flight++;
    c->in_flight++;
    c->retries_in_flight += is_retry;
}

void slot_free(struct courier *c, struct queue *t, bool is_retry)
{
    t->in_flight--;
    c->in_flight--;
    c->retries_in_flight -= is_retry;
    if (is_retry)
        unstall(c);
}

static bool has_token(struct queue *t, uint32_t rate)
{
    int64_t now = loop_now_ms(t->courier->loop);
    if (!rate)
        return true;
    t->tokens += (double)(now - t->tokens_at_ms) * rate / 1000;
    t->tokens_at_ms = now;
    if (t->tokens > rate)
        t->tokens = rate;
    if (t->tokens < 1) {
        queue_wake_at(t, now + (int64_t)((1 - t->tokens) * 1000 / rate) + 1);
        return false;
    }
    t->tokens -= 1;
    return true;
}

/* First attempts and retries alternate where both wait. */
static struct lane *choose(struct courier *c, struct queue *t)
{
    bool again = t->ready[1].first && c->retries_in_flight < RETRIES_MAX &&
                 (t->was_first || !t->ready[0].first);
    t->was_first = !again;
    return t->ready[again].first;
}

static bool has_slot(struct queue *t, unsigned limit)
{
    struct courier *c = t->courier;
    if (c->in_flight >= CROWDED && !t->proven && t->in_flight > 0)
        return false;
    if (health_may_send(&t->health, t->in_flight, limit, loop_now_ms(c->loop)))
        return true;
    if (t->health.state == HEALTH_FAILING && t->in_flight == 0)
        queue_wake_at(t, t->health.probe_at_ms);
    return false;
}

bool queue_may_send(struct queue *t, const struct book_endpoint *ep)
{
    unsigned limit = ep && ep->set->concurrency ? ep->set->concurrency : CONCURRENCY;
    t->disabled = ep && ep->set->disabled; /* parked, until somebody enables it */
    return !t->disabled && has_slot(t, limit) && has_token(t, ep ? ep->set->rate_per_sec : 0);
}

/* One lane of this endpoint, if it may; whether it may be asked for another. */
static bool send_one(struct courier *c, struct queue *t, const struct book *book)
{
    if (!t->ready[0].first && !t->ready[1].first)
        return false;
    struct lane *l = choose(c, t);
    if (!l) {
        stall(c, t);
        return false;
    }
    if (!queue_may_send(t, book_endpoint(book, t->endpoint)))
        return false;
    lane_leave(l);
    l->state = LANE_BUSY;
    slot_take(c, t, l->head->attempts > 0);
    attempt_start(c, l);
    return true;
}

void dispatch(struct courier *c)
{
    struct queue *t;
    if (c->stopping)
        return;
    while (c->in_flight < IN_FLIGHT_MAX && (t = turn_take(c))) {
        if (send_one(c, t, courier_book(c)))
            queue_turn(t);
    }
}
