/* dispatch: whose lane goes next. Endpoints with something ready take turns, one lane a turn, so
 * that the busiest cannot crowd out the rest; each is held to its own number of lanes at once, its
 * rate, and what its health allows. Thread of its courier. */
#include "base/clock.h"
#include "base/crypto.h"
#include "deliver/courier.h"

void queue_turn(struct queue *t)
{
    struct courier *c = t->courier;
    if (t->queued)
        return;
    t->queued = true;
    t->next_turn = NULL;
    *c->turn_tail = t;
    c->turn_tail = &t->next_turn;
}

static struct queue *turn_take(struct courier *c)
{
    struct queue *t = c->turn;
    if (!t)
        return NULL;
    c->turn = t->next_turn;
    if (!c->turn)
        c->turn_tail = &c->turn;
    t->queued = false;
    return t;
}

static void on_wake(struct timer *timer)
{
    struct queue *t = timer->arg;
    /* A probe may go ahead of its lane's own time: it stands for all that waits. */
    if (!t->ready && t->waiting && t->health.state == HEALTH_FAILING)
        lane_ready(t->waiting);
    queue_turn(t);
    dispatch(t->courier);
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
        loop_timer(t->courier->loop, &t->wake, (int64_t)((1 - t->tokens) * 1000 / rate) + 1,
                   on_wake, t);
        return false;
    }
    t->tokens -= 1;
    return true;
}

/* One lane of this endpoint, if it may. */
static bool send_one(struct courier *c, struct queue *t, const struct book *book)
{
    struct lane *l = t->ready;
    const struct book_endpoint *ep = book_endpoint(book, t->endpoint);
    unsigned limit = ep && ep->set->concurrency ? ep->set->concurrency : CONCURRENCY;
    int64_t now = loop_now_ms(c->loop);
    if (!l)
        return false;
    if (ep && ep->set->disabled)
        return false; /* parked, until somebody enables it */
    if (!health_may_send(&t->health, t->in_flight, limit, now)) {
        if (t->health.state == HEALTH_FAILING && t->in_flight == 0)
            loop_timer(c->loop, &t->wake, t->health.probe_at_ms - now, on_wake, t);
        return false;
    }
    if (!has_token(t, ep ? ep->set->rate_per_sec : 0))
        return false;
    lane_leave(l);
    l->state = LANE_BUSY;
    t->in_flight++;
    c->in_flight++;
    attempt_start(c, l);
    return true;
}

void dispatch(struct courier *c)
{
    const struct book *book = NULL;
    struct queue *t;
    if (c->stopping)
        return;
    while (c->in_flight < IN_FLIGHT_MAX && (t = turn_take(c))) {
        if (!book)
            book = book_take(c->deliver->c.books);
        if (send_one(c, t, book) && t->ready)
            queue_turn(t);
    }
    book_drop(&book);
}

/* It is back: nobody sits out his timer. The window in its health paces them. */
void queue_recovered(struct queue *t)
{
    while (t->waiting)
        lane_ready(t->waiting);
    timer_stop(&t->wake);
    queue_turn(t);
}

void queue_nudge(struct courier *c, uint64_t endpoint)
{
    struct queue *t = map_get(c->queues, str_of_u64(&endpoint));
    if (!t)
        return;
    health_reset(&t->health);
    queue_recovered(t);
    dispatch(c);
}
