/* plan: at the turn's end, for each endpoint of which something changed: brings lanes back from its
 * shelf when they are due and there is room, brings one back for a probe, or sets the timer for the
 * next look. Then those that waited for a read of the store. Thread of the courier. */
#include "deliver/plan.h"

#include "deliver/load.h"
#include "deliver/tenant.h"

enum { LOAD_LANES_MAX = 128 /* that one read brings back */ };

/* A probe may go ahead of its lane's own time, as the attempt behind a knock: it stands for all that
 * waits. */
static void prepare_probe(struct queue *t)
{
    if (t->ready[0].first || t->ready[1].first || t->in_flight)
        return;
    if (t->waiting)
        lane_ready(t->waiting);
    else
        load_start(t, 1, INT64_MAX);
}

static bool has_room(const struct courier *c, const struct queue *t)
{
    return t->ready[0].n + t->ready[1].n < READY_LOW && t->n_items < QUEUE_ITEMS_MAX &&
           share_allows(&items_share, t->tenant->items, c->items);
}

static void plan_queue(struct queue *t)
{
    struct courier *c = t->courier;
    int64_t now = loop_now_ms(c->loop), due = shelf_due_ms(&t->shelf);
    bool failing = t->health.state == HEALTH_FAILING, woken = t->woken;
    t->woken = false;
    if (t->shard->state != SHARD_HERE)
        return; /* all its lanes go when it is left, and are planned when it is taken */
    while (t->unread)
        load_more(t->unread);
    if (woken && (failing || t->knock.opened))
        prepare_probe(t);
    if (due == INT64_MAX || t->loading || t->disabled || c->stopping)
        return;
    if (failing) {
        if (t->in_flight == 0 && !timer_is_set(&t->wake))
            queue_wake_at(t, t->health.probe_at_ms);
    } else if (due > now) {
        queue_due_at(t, due);
    } else if (t->n_lanes == 0 || has_room(c, t)) {
        load_start(t, LOAD_LANES_MAX, now);
    }
}

void plan(struct courier *c)
{
    struct queue *t;
    while ((t = queue_touched(c)) || (t = load_next(c)))
        plan_queue(t);
}
