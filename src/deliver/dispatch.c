/* dispatch: whose lane goes next. Accounts with something ready take turns, and in an account's
 * turn its endpoints do, one lane a turn, so that the busiest cannot crowd out the rest. Each
 * account is held to its share of the slots (tenant.c), and each endpoint to its part of that, to
 * its own number of lanes at once, its rate, and what its health allows. Retries have three
 * quarters of an account's share and no more; when an account has half of its share under way, an
 * endpoint that did not answer last gets one slot. So an endpoint that hangs takes nothing from the
 * account's others, and an account all of whose endpoints hang takes nothing from other accounts.
 * Thread of its courier. */
#include "deliver/courier.h"

void queue_turn(struct queue *t)
{
    struct tenant *n = t->tenant;
    if (t->queued)
        return;
    t->queued = true;
    t->next_turn = NULL;
    *n->last = t;
    n->last = &t->next_turn;
    tenant_turn(t->courier, n);
}

static struct queue *turn_take(struct courier *c)
{
    struct tenant *n = tenant_next(c);
    if (!n)
        return NULL;
    struct queue *t = n->first;
    n->first = t->next_turn;
    if (!n->first)
        n->last = &n->first;
    tenant_turn(c, n); /* to the end of the line, with the rest of its endpoints */
    t->queued = false;
    return t;
}

/* Waits until one of its account's retries is over. A first attempt brings it into line all the
 * same. */
static void stall(struct queue *t)
{
    struct tenant *n = t->tenant;
    if (t->stalled)
        return;
    t->stalled = true;
    t->next_stalled = NULL;
    *n->stalled_last = t;
    n->stalled_last = &t->next_stalled;
}

static void unstall(struct tenant *n)
{
    struct queue *t = n->stalled;
    if (!t)
        return;
    n->stalled = t->next_stalled;
    if (!n->stalled)
        n->stalled_last = &n->stalled;
    t->stalled = false;
    queue_turn(t);
}

void slot_take(struct courier *c, struct queue *t, bool is_retry)
{
    t->in_flight++;
    t->retries_in_flight += is_retry;
    t->tenant->in_flight++;
    t->tenant->retries_in_flight += is_retry;
    c->in_flight++;
}

void slot_free(struct courier *c, struct queue *t, bool is_retry)
{
    t->in_flight--;
    t->retries_in_flight -= is_retry;
    t->tenant->in_flight--;
    t->tenant->retries_in_flight -= is_retry;
    c->in_flight--;
    if (is_retry)
        unstall(t->tenant);
    tenants_unpark(c);
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
    const struct tenant *n = t->tenant;
    bool again = t->ready[1].first &&
                 n->retries_in_flight < tenant_slots(c, n) * RETRIES_OF_4 / 4 &&
                 (t->was_first || !t->ready[0].first);
    t->was_first = !again;
    return t->ready[again].first;
}

/* Of its account's slots an endpoint has a share, as the account has of all. Its first one it may
 * always have: nothing else would bring it into line again. */
static bool has_part(const struct courier *c, const struct queue *t)
{
    const struct tenant *n = t->tenant;
    const struct share own = {.max = tenant_slots(c, n), .first = 1};
    if (t->in_flight == 0)
        return true;
    return (t->proven || n->in_flight < own.max / 2) &&
           share_allows(&own, t->in_flight, n->in_flight);
}

static bool has_slot(struct queue *t, unsigned limit)
{
    struct courier *c = t->courier;
    if (!has_part(c, t))
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
        stall(t);
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
    while ((t = turn_take(c))) {
        if (send_one(c, t, courier_book(c)))
            queue_turn(t);
    }
}
