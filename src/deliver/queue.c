/* queue: an endpoint with what is pending for it: how it comes to be, its place in line, its slots,
 * and what wakes it: a probe's time, a token, the shelf's first. Once made a queue stays: it holds
 * what was learned of the endpoint's health. Thread of its courier. */
#include "deliver/queue.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "deliver/tenant.h"

enum { CONCURRENCY = 8 /* lanes of an endpoint at once, unless it says otherwise */ };

/* The slots and items that the endpoint holds go with it. */
static void move_to_tenant(struct queue *t, struct tenant *n)
{
    struct tenant *old = t->tenant;
    if (old) {
        old->in_flight -= t->in_flight;
        old->retries_in_flight -= t->retries_in_flight;
        old->items -= t->n_items;
    }
    n->in_flight += t->in_flight;
    n->retries_in_flight += t->retries_in_flight;
    n->items += t->n_items;
    t->tenant = n;
}

bool queue_look_up(struct queue *t)
{
    const struct book *book = courier_book(t->courier);
    const struct book_endpoint *ep = book_endpoint(book, t->endpoint);
    struct tenant *n = tenant_of(t->courier, ep ? ep->account : 0);
    t->disabled = ep && ep->set->disabled;
    if (n && n != t->tenant && !t->queued && !t->stalled &&
        !t->loading) /* in line it keeps its place until its turn is over */
        move_to_tenant(t, n);
    return t->tenant != NULL;
}

struct queue *queue_of(struct courier *c, uint64_t endpoint)
{
    struct queue *t = map_get(c->queues, str_of_u64(&endpoint));
    if (t || !(t = calloc(1, sizeof *t)))
        return t;
    t->endpoint = endpoint;
    t->courier = c;
    t->shard = &c->shard[shard_of(endpoint)];
    t->ready[0].last = &t->ready[0].first;
    t->ready[1].last = &t->ready[1].first;
    if (queue_look_up(t) && map_put(c->queues, str_of_u64(&t->endpoint), t, NULL) == OK)
        return t;
    free(t);
    return NULL;
}

void queue_touch(struct queue *t)
{
    struct courier *c = t->courier;
    if (t->touched)
        return;
    t->touched = true;
    t->next_touched = NULL;
    *c->touched_tail = t;
    c->touched_tail = &t->next_touched;
}

struct queue *queue_touched(struct courier *c)
{
    struct queue *t = c->touched;
    if (!t)
        return NULL;
    c->touched = t->next_touched;
    if (!c->touched)
        c->touched_tail = &c->touched;
    t->touched = false;
    return t;
}

static void on_wake(struct timer *timer)
{
    struct queue *t = timer->arg;
    t->woken = true;
    queue_touch(t);
    queue_turn(t);
}

void queue_wake_at(struct queue *t, int64_t mono_ms)
{
    struct loop *loop = t->courier->loop;
    loop_timer(loop, &t->wake, mono_ms - loop_now_ms(loop), on_wake, t);
}

static void on_shelf_due(struct timer *timer)
{
    queue_touch(timer->arg);
}

void queue_due_at(struct queue *t, int64_t mono_ms)
{
    struct loop *loop = t->courier->loop;
    loop_timer(loop, &t->due, mono_ms - loop_now_ms(loop), on_shelf_due, t);
}

/* ---- its place in line ---- */

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

struct queue *queue_next(struct courier *c)
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

/* A first attempt brings it into line all the same. */
void queue_stall(struct queue *t)
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

/* ---- slots ---- */

void slot_take(struct queue *t, bool is_retry)
{
    t->in_flight++;
    t->retries_in_flight += is_retry;
    t->tenant->in_flight++;
    t->tenant->retries_in_flight += is_retry;
    t->courier->in_flight++;
}

void slot_free(struct queue *t, bool is_retry)
{
    t->in_flight--;
    t->retries_in_flight -= is_retry;
    t->tenant->in_flight--;
    t->tenant->retries_in_flight -= is_retry;
    t->courier->in_flight--;
    if (is_retry)
        unstall(t->tenant);
    tenants_unpark(t->courier);
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
    return t->shard->state == SHARD_HERE && !t->disabled && has_slot(t, limit) &&
           has_token(t, ep ? ep->set->rate_per_sec : 0);
}

/* ---- its end ---- */

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
    c->queues = NULL;
}
