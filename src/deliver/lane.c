/* lane: when a delivery may leave: when it is the first of its lane and due. A lane exists while it
 * has something to deliver. Thread of its courier. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/courier.h"

void item_free(struct courier *c, struct item *it)
{
    if (it->event)
        c->events_held--;
    event_drop(&it->event);
    free(it);
    c->pending--;
    metric_add(METRIC_DELIVERIES_PENDING, -1);
}

void lane_leave(struct lane *l)
{
    struct queue *t = l->queue;
    if (!l->link)
        return;
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    else if (t->ready_tail == &l->next)
        t->ready_tail = l->link;
    l->next = NULL;
    l->link = NULL;
    timer_stop(&l->due);
}

void lane_ready(struct lane *l)
{
    struct queue *t = l->queue;
    lane_leave(l);
    l->state = LANE_READY;
    l->link = t->ready_tail;
    *t->ready_tail = l;
    t->ready_tail = &l->next;
    queue_turn(t);
}

static void on_due(struct timer *timer)
{
    struct lane *l = timer->arg;
    struct courier *c = l->queue->courier;
    lane_ready(l);
    dispatch(c);
}

void lane_wait(struct lane *l, int64_t until_ms)
{
    struct queue *t = l->queue;
    int64_t in_ms = until_ms - clock_wall_ms();
    lane_leave(l);
    l->state = LANE_WAITING;
    l->next = t->waiting;
    l->link = &t->waiting;
    if (l->next)
        l->next->link = &l->next;
    t->waiting = l;
    loop_timer(t->courier->loop, &l->due, in_ms > 0 ? in_ms : 0, on_due, l);
}

static struct queue *queue_of(struct courier *c, uint64_t endpoint)
{
    struct queue *t = map_get(c->queues, str_of_u64(&endpoint));
    if (t)
        return t;
    if (!(t = calloc(1, sizeof *t)))
        return NULL;
    t->endpoint = endpoint;
    t->courier = c;
    t->ready_tail = &t->ready;
    if (map_put(c->queues, str_of_u64(&t->endpoint), t, NULL) != OK) {
        free(t);
        return NULL;
    }
    return t;
}

static struct lane *lane_new(struct courier *c, uint64_t key, uint64_t endpoint)
{
    struct queue *t = queue_of(c, endpoint);
    struct lane *l = t ? calloc(1, sizeof *l) : NULL;
    if (!l)
        return NULL;
    l->key = key;
    l->queue = t;
    l->state = LANE_BUSY; /* in no list yet */
    if (map_put(c->lanes, str_of_u64(&l->key), l, NULL) != OK) {
        free(l);
        return NULL;
    }
    t->n_lanes++;
    metric_add(METRIC_LANES_WAITING, 1);
    return l;
}

static void lane_free(struct courier *c, struct lane *l)
{
    lane_leave(l);
    map_remove(c->lanes, str_of_u64(&l->key));
    l->queue->n_lanes--;
    metric_add(METRIC_LANES_WAITING, -1);
    free(l);
}

static void settle(struct lane *l)
{
    if (l->head->next_at_ms > clock_wall_ms())
        lane_wait(l, l->head->next_at_ms);
    else
        lane_ready(l);
}

void lane_push(struct courier *c, uint64_t key, uint64_t endpoint, struct item *it)
{
    struct lane *l = map_get(c->lanes, str_of_u64(&key));
    bool is_new = !l;
    c->pending++;
    metric_add(METRIC_DELIVERIES_PENDING, 1);
    if (it->event)
        c->events_held++;
    if (!l && !(l = lane_new(c, key, endpoint))) {
        log_error("deliver", "out of memory: delivery %lld waits for the next start",
                  (long long)it->n);
        item_free(c, it);
        return;
    }
    it->next = NULL;
    if (l->head)
        l->tail->next = it;
    else
        l->head = it;
    l->tail = it;
    if (is_new)
        settle(l);
}

void lane_next(struct courier *c, struct lane *l)
{
    struct item *done = l->head;
    l->head = done->next;
    item_free(c, done);
    if (l->head)
        settle(l);
    else
        lane_free(c, l);
}

static void lane_clear(struct courier *c, struct lane *l)
{
    while (l->head) {
        struct item *it = l->head;
        l->head = it->next;
        item_free(c, it);
    }
    lane_free(c, l);
}

void lane_drop_all(struct courier *c, struct queue *t)
{
    while (t->waiting)
        lane_clear(c, t->waiting);
    while (t->ready)
        lane_clear(c, t->ready);
}

void lanes_free(struct courier *c)
{
    struct lane *l;
    struct queue *t;
    for (size_t i = 0; c->lanes && (l = map_next(c->lanes, &i));)
        lane_clear(c, l);
    for (size_t i = 0; c->queues && (t = map_next(c->queues, &i));) {
        timer_stop(&t->wake);
        free(t);
    }
    map_free(c->lanes);
    map_free(c->queues);
}
