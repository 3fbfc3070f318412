/* lane: when a delivery may leave: when it is the first of its lane and due. A lane exists while it
 * has something to deliver; in memory while that is due soon and there is room, on its queue's
 * shelf otherwise. Invariant: a lane that is neither here nor on the shelf has nothing pending, so
 * that a new delivery may be its first. Thread of its courier. */
#include "deliver/lane.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/tenant.h"

enum { SHELVE_AFTER_MS = 20000 /* a lane that is due later than that leaves the memory */ };

static struct str key_of(const struct lane_key *k)
{
    return str_of_bytes((const char *)k, sizeof *k);
}

/* ---- items ---- */

/* A row that was attempted before this process is read by the clocks as they stood at its start,
 * however late: a step since then does not age it. The shelf knows of those attempted since. */
static int64_t mono_of_row(const struct deliver *d, int64_t wall_ms)
{
    int64_t ms = wall_ms - d->start_ms, now_ms = clock_mono_ms();
    if (!wall_ms)
        return 0;
    return ms < now_ms ? ms : now_ms; /* written under a clock that was ahead */
}

struct item *item_new(const struct deliver *d, const struct delivery *row)
{
    struct item *it = calloc(1, sizeof *it);
    int64_t begun_at_ms = row->begun_at_ms ? row->begun_at_ms : row->first_at_ms;
    if (it)
        *it = (struct item){.n = row->n,
                            .event_n = row->event_n,
                            .attempts = row->attempts,
                            .schedule_from = row->schedule_from,
                            .sequence = row->sequence,
                            .first_ms = mono_of_row(d, row->first_at_ms),
                            .begun_ms = mono_of_row(d, begun_at_ms),
                            .next_ms = clock_mono_of(row->next_at_ms)};
    return it;
}

void item_drop_event(struct courier *c, struct item *it)
{
    if (it->event)
        c->events_held--;
    event_drop(&it->event);
}

static void item_free(struct courier *c, struct item *it)
{
    item_drop_event(c, it);
    free(it);
}

static void append(struct courier *c, struct lane *l, struct item *it)
{
    it->next = NULL;
    if (l->head)
        l->tail->next = it;
    else
        l->head = it;
    l->tail = it;
    l->n_items++;
    l->queue->n_items++;
    l->queue->tenant->items++;
    c->items++;
}

static struct item *take_head(struct courier *c, struct lane *l)
{
    struct item *it = l->head;
    l->head = it->next;
    l->n_items--;
    l->queue->n_items--;
    l->queue->tenant->items--;
    c->items--;
    return it;
}

/* ---- lists ---- */

static struct lane_list *ready_list(struct lane *l)
{
    return &l->queue->ready[l->head->attempts > 0];
}

void lane_leave(struct lane *l)
{
    struct queue *t = l->queue;
    if (!l->link)
        return;
    *l->link = l->next;
    if (l->next)
        l->next->link = l->link;
    for (int i = 0; i < 2 && l->state == LANE_READY; i++)
        if (t->ready[i].last == &l->next)
            t->ready[i].last = l->link;
    if (l->state == LANE_READY)
        ready_list(l)->n--;
    l->next = NULL;
    l->link = NULL;
    timer_stop(&l->due);
}

static void link_first(struct lane **list, struct lane *l)
{
    l->next = *list;
    l->link = list;
    if (l->next)
        l->next->link = &l->next;
    *list = l;
}

void lane_ready(struct lane *l)
{
    struct lane_list *list = ready_list(l);
    lane_leave(l);
    l->state = LANE_READY;
    l->link = list->last;
    *list->last = l;
    list->last = &l->next;
    list->n++;
    queue_turn(l->queue);
}

static void on_due(struct timer *timer)
{
    lane_ready(timer->arg);
}

void lane_wait(struct lane *l, int64_t until_ms)
{
    struct queue *t = l->queue;
    int64_t in_ms = until_ms - loop_now_ms(t->courier->loop);
    if (in_ms > SHELVE_AFTER_MS) {
        lane_shelve(l, until_ms, l->head->begun_ms);
        return;
    }
    lane_leave(l);
    l->state = LANE_WAITING;
    link_first(&t->waiting, l);
    loop_timer(t->courier->loop, &l->due, in_ms > 0 ? in_ms : 0, on_due, l);
}

static void settle(struct lane *l)
{
    if (l->head->next_ms > loop_now_ms(l->queue->courier->loop))
        lane_wait(l, l->head->next_ms);
    else
        lane_ready(l);
}

/* ---- lanes ---- */

struct lane *lane_new(struct courier *c, struct queue *t, uint64_t key)
{
    struct lane *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->key = (struct lane_key){key, t->endpoint};
    l->queue = t;
    l->state = LANE_LOADING; /* in no list yet */
    if (map_put(c->lanes, key_of(&l->key), l, NULL) != OK) {
        free(l);
        return NULL;
    }
    t->n_lanes++;
    metric_add(METRIC_LANES_WAITING, 1);
    return l;
}

static void lane_free(struct courier *c, struct lane *l)
{
    struct queue *t = l->queue;
    lane_leave(l);
    while (l->head)
        item_free(c, take_head(c, l));
    map_remove(c->lanes, key_of(&l->key));
    free(l);
    t->n_lanes--;
    metric_add(METRIC_LANES_WAITING, -1);
}

struct lane *lane_find(const struct courier *c, uint64_t key, uint64_t endpoint)
{
    struct lane_key k = {key, endpoint};
    return map_get(c->lanes, key_of(&k));
}

static void shelve(struct queue *t, const struct shelf_entry *one)
{
    if (shelf_put(&t->shelf, one) == OK)
        metric_add(METRIC_LANES_WAITING, 1);
    else
        memory_gone("deliver"); /* nobody would know of the lane */
    queue_touch(t);
}

void lane_shelve(struct lane *l, int64_t due_ms, int64_t begun_ms)
{
    struct queue *t = l->queue;
    struct shelf_entry one = {.due_ms = due_ms, .begun_ms = begun_ms, .lane = l->key.lane};
    lane_free(t->courier, l);
    shelve(t, &one);
}

/* What nobody takes for now need not be in memory, but for what a probe needs. */
static bool has_room(const struct courier *c, const struct queue *t)
{
    bool closed = t->disabled || t->health.state == HEALTH_FAILING;
    if (t->shard->state != SHARD_HERE)
        return false; /* what it had before is still being read */
    return share_allows(&items_share, t->tenant->items, c->items) &&
           t->n_items < (closed ? READY_LOW : QUEUE_ITEMS_MAX);
}

static void push_here(struct courier *c, struct lane *l, struct item *it)
{
    if (l->more || l->n_items >= LANE_ITEMS_MAX) {
        l->more = true; /* the store has it */
        item_free(c, it);
    } else {
        append(c, l, it);
    }
}

void lane_push(struct courier *c, uint64_t key, uint64_t endpoint, struct item *it)
{
    struct queue *t = queue_of(c, endpoint);
    struct lane *l = lane_find(c, key, endpoint);
    struct shelf_entry one = {.due_ms = it->next_ms, .begun_ms = it->begun_ms, .lane = key};
    if (it->event)
        c->events_held++;
    if (t) {
        t->pending++;
        metric_add(METRIC_DELIVERIES_PENDING, 1);
    }
    if (l) {
        push_here(c, l, it);
    } else if (t && shelf_has(&t->shelf, key)) {
        item_free(c, it);
    } else if (t && has_room(c, t) && (l = lane_new(c, t, key))) {
        append(c, l, it);
        settle(l);
    } else {
        item_free(c, it);
        if (t)
            shelve(t, &one);
        else
            memory_gone("deliver");
    }
}

/* What came while the store was read is younger than all it gave, or was in it already. */
void lane_loaded(struct courier *c, struct lane *l, struct item *first, bool more)
{
    struct item *since = l->head;
    int64_t last_n = 0;
    l->head = l->tail = NULL;
    for (struct item *it = since; it; it = it->next) {
        l->n_items--;
        l->queue->n_items--;
        l->queue->tenant->items--;
        c->items--;
    }
    while (first) {
        struct item *it = first;
        first = it->next;
        last_n = it->n;
        if (it->event)
            c->events_held++;
        append(c, l, it);
    }
    l->more |= more;
    while (since) {
        struct item *it = since;
        since = it->next;
        if (more || it->n <= last_n)
            item_free(c, it);
        else
            append(c, l, it);
    }
    if (l->head)
        lane_ready(l);
    else
        lane_free(c, l); /* ended meanwhile: its endpoint was deleted, its number's data erased */
}

static void read_on(struct lane *l)
{
    l->state = LANE_LOADING;
    link_first(&l->queue->unread, l);
    queue_touch(l->queue);
}

void lane_next(struct courier *c, struct lane *l)
{
    struct queue *t = l->queue;
    item_free(c, take_head(c, l));
    t->pending--;
    metric_add(METRIC_DELIVERIES_PENDING, -1);
    if (l->head)
        settle(l);
    else if (l->more)
        read_on(l);
    else
        lane_free(c, l);
    queue_idle(t);
}

void lanes_all_due(struct queue *t)
{
    while (t->waiting)
        lane_ready(t->waiting);
    shelf_all_due(&t->shelf);
    timer_stop(&t->wake);
    queue_turn(t);
    queue_touch(t);
}

void lanes_drop(struct courier *c, struct queue *t)
{
    while (t->waiting)
        lane_free(c, t->waiting);
    while (t->unread)
        lane_free(c, t->unread);
    for (int i = 0; i < 2; i++)
        while (t->ready[i].first)
            lane_free(c, t->ready[i].first);
    metric_add(METRIC_LANES_WAITING, -(int64_t)t->shelf.n);
    shelf_fini(&t->shelf);
    queue_idle(t);
}

void lanes_free(struct courier *c)
{
    struct lane *l;
    for (size_t i = 0; c->lanes && (l = map_next(c->lanes, &i));)
        lane_free(c, l);
    map_free(c->lanes);
}
