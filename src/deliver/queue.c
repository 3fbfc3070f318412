/* queue: an endpoint with what is pending for it: how it comes to be, when it brings lanes back
 * from its shelf, and what wakes it: a probe's time, a token, the shelf's first, a person. Once
 * made a queue stays: it holds what was learned of the endpoint's health. Thread of its courier. */
#include <stdlib.h>

#include "base/metrics.h"
#include "deliver/courier.h"

/* What the book says now of whose it is, and whether it is switched off. */
static bool look_up(struct queue *t)
{
    const struct book *book = courier_book(t->courier);
    const struct book_endpoint *ep = book_endpoint(book, t->endpoint);
    struct tenant *n = tenant_of(t->courier, ep ? ep->account : 0);
    t->disabled = ep && ep->set->disabled;
    if (n && n != t->tenant && !t->queued && !t->stalled &&
        !t->loading) /* in line it keeps its place until its turn is over */
        tenant_take_queue(n, t);
    return t->tenant != NULL;
}

struct queue *queue_of(struct courier *c, uint64_t endpoint)
{
    struct queue *t = map_get(c->queues, str_of_u64(&endpoint));
    if (t || !(t = calloc(1, sizeof *t)))
        return t;
    t->endpoint = endpoint;
    t->courier = c;
    t->ready[0].last = &t->ready[0].first;
    t->ready[1].last = &t->ready[1].first;
    if (look_up(t) && map_put(c->queues, str_of_u64(&t->endpoint), t, NULL) == OK)
        return t;
    free(t);
    return NULL;
}

/* A probe may go ahead of its lane's own time: it stands for all that waits. */
static void prepare_probe(struct queue *t)
{
    if (t->ready[0].first || t->ready[1].first || t->in_flight)
        return;
    if (t->waiting)
        lane_ready(t->waiting);
    else
        load_start(t, 1, INT64_MAX);
}

static void on_wake(struct timer *timer)
{
    struct queue *t = timer->arg;
    if (t->health.state == HEALTH_FAILING)
        prepare_probe(t);
    queue_turn(t);
    dispatch(t->courier);
}

void queue_wake_at(struct queue *t, int64_t mono_ms)
{
    struct loop *loop = t->courier->loop;
    loop_timer(loop, &t->wake, mono_ms - loop_now_ms(loop), on_wake, t);
}

static void on_shelf_due(struct timer *timer)
{
    queue_plan(timer->arg);
}

void queue_plan(struct queue *t)
{
    struct courier *c = t->courier;
    int64_t now = loop_now_ms(c->loop), due = shelf_due_ms(&t->shelf);
    if (due == INT64_MAX || t->loading || t->disabled || c->stopping)
        return;
    if (t->health.state == HEALTH_FAILING) {
        if (t->in_flight == 0 && !timer_is_set(&t->wake))
            queue_wake_at(t, t->health.probe_at_ms);
    } else if (due > now) {
        loop_timer(c->loop, &t->due, due - now, on_shelf_due, t);
    } else if (t->n_lanes == 0 ||
               (t->ready[0].n + t->ready[1].n < READY_LOW && t->n_items < QUEUE_ITEMS_MAX &&
                share_allows(&items_share, t->tenant->items, c->items))) {
        load_start(t, LOAD_LANES_MAX, now);
    }
}

/* It is back: nobody sits out his timer. The window in its health paces them. */
void queue_recovered(struct queue *t)
{
    while (t->waiting)
        lane_ready(t->waiting);
    shelf_all_due(&t->shelf);
    timer_stop(&t->wake);
    queue_turn(t);
    queue_plan(t);
}

void queue_nudge(struct courier *c, uint64_t endpoint)
{
    struct queue *t = map_get(c->queues, str_of_u64(&endpoint));
    if (!t || !look_up(t))
        return;
    health_reset(&t->health);
    outage_save(t);
    queue_recovered(t);
    dispatch(c);
}

/* Deliveries that ended without us (erased, canceled) were counted until now. */
void queue_idle(struct queue *t)
{
    if (t->n_lanes || t->shelf.n || !t->pending)
        return;
    metric_add(METRIC_DELIVERIES_PENDING, -(int64_t)t->pending);
    t->pending = 0;
}

void queues_free(struct courier *c)
{
    struct queue *t;
    for (size_t i = 0; c->queues && (t = map_next(c->queues, &i));) {
        timer_stop(&t->wake);
        timer_stop(&t->due);
        shelf_fini(&t->shelf);
        free(t);
    }
    map_free(c->queues);
    tenants_free(c);
}
