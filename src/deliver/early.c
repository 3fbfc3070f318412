/* early: the POST of an incoming_call whose answer may route the call leaves while the event is
 * still on its way to the disk, and is its delivery's first attempt all the same: when the delivery
 * comes (on_stored), its lane adopts the post, under way or answered. The receiver sees one POST.
 *
 * An announced event waits here by lane, at most EARLY_MAX of a courier, of which an account has
 * its share, and EARLY_WAIT_MS each. When no delivery comes in that time (the call was refused,
 * since the store could not take it), the post is dropped. An endpoint that fails or is switched
 * off gets no early post, and the call is told so at once; one that is at its limit gets the
 * delivery in its turn, and the call is told then. Thread of the courier, but early_announce: any.
 */
#include "deliver/early.h"

#include <stdlib.h>

#include "base/metrics.h"
#include "deliver/tenant.h"

enum { EARLY_MAX = 4096, EARLY_WAIT_MS = 10000 };
static const struct share early_share = {.max = EARLY_MAX, .first = OWN_FIRST};

struct early {
    uint64_t lane;
    struct courier *courier;
    struct queue *queue;   /* its in_flight counts the post, and so keeps it here */
    struct tenant *tenant; /* that this one is counted for */
    struct post *post;     /* NULL: the delivery's own attempt will tell */
    struct timer expire;
};

/* Takes it out; the post, and its place in flight, stay with the caller. */
static struct post *take(struct early *y)
{
    struct post *p = y->post;
    y->tenant->early--;
    map_remove(y->courier->early, str_of_u64(&y->lane));
    timer_stop(&y->expire);
    free(y);
    return p;
}

static void drop(struct early *y)
{
    struct queue *t = y->queue;
    struct post *p = take(y);
    if (!p)
        return;
    post_free(p);
    slot_free(t, false);
    queue_turn(t);
}

static void on_expire(struct timer *timer)
{
    drop(timer->arg);
}

static void on_post_done(void *arg)
{
    /* It waits for its delivery. */
}

/* False: it leaves with its delivery. */
static bool post_now(struct early *y, const struct event *e, unsigned sequence)
{
    struct post *p = post_new(y->courier, y->queue->endpoint, sequence, 1);
    if (!p)
        return false;
    p->event = event_hold(e);
    p->tell = true;
    p->on_done = on_post_done;
    if (post_start(p) != OK) {
        post_free(p);
        return false;
    }
    y->post = p;
    slot_take(y->queue, false);
    return true;
}

/* False: nobody will answer. */
static bool announce(struct courier *c, uint64_t endpoint, const struct event *e, unsigned sequence)
{
    const struct book *book = courier_book(c);
    const struct book_endpoint *ep = book_endpoint(book, endpoint);
    struct queue *t = ep && !ep->set->disabled && !c->stopping && courier_has(c, endpoint)
                          ? queue_of(c, endpoint)
                          : NULL;
    struct early *y = NULL, *old;
    uint64_t lane = lane_key(endpoint, e);
    if (t && t->health.state == HEALTH_HEALTHY) {
        if ((old = map_get(c->early, str_of_u64(&lane))))
            drop(old); /* refused before, and called again */
        if (share_allows(&early_share, t->tenant->early, map_count(c->early)))
            y = calloc(1, sizeof *y);
        else
            metric_add(METRIC_SHARE_EARLY, 1);
    }
    if (y) {
        *y = (struct early){.lane = lane, .courier = c, .queue = t, .tenant = t->tenant};
        if (map_put(c->early, str_of_u64(&y->lane), y, NULL) != OK) {
            free(y);
            y = NULL;
        }
    }
    if (y) {
        y->tenant->early++;
        loop_timer(c->loop, &y->expire, EARLY_WAIT_MS, on_expire, y);
        if (tenant_may_hold(c, t->tenant) && queue_may_send(t, ep))
            (void)!post_now(y, e, sequence);
    }
    return y != NULL;
}

struct early_mail {
    struct mail mail;
    struct courier *courier;
    const struct event *event;
    uint64_t endpoint;
    unsigned sequence;
};

static void on_early(struct mail *m)
{
    struct early_mail *a = (struct early_mail *)m;
    const struct deliver_config *dc = &a->courier->deliver->c;
    if (!announce(a->courier, a->endpoint, a->event, a->sequence) && dc->on_control)
        dc->on_control(dc->control_arg, a->event->call_id, a->endpoint, 0, (struct str){0});
    event_drop(&a->event);
    free(a);
}

enum err early_announce(struct deliver *d, const struct event *e, uint64_t endpoint,
                        unsigned sequence)
{
    struct courier *c = courier_of(d, endpoint);
    struct early_mail *a = c ? malloc(sizeof *a) : NULL;
    if (!a)
        return c ? ERR_NOMEM : ERR_FULL;
    *a = (struct early_mail){
        .mail.open = on_early,
        .courier = c,
        .event = event_hold(e),
        .endpoint = endpoint,
        .sequence = sequence,
    };
    enum err err = loop_post(a->courier->loop, &a->mail);
    if (err != OK) {
        event_drop(&a->event);
        free(a);
    }
    return err;
}

static struct early *find(struct courier *c, uint64_t lane, uint64_t endpoint)
{
    struct early *y = map_count(c->early) ? map_get(c->early, str_of_u64(&lane)) : NULL;
    return y && y->queue->endpoint == endpoint ? y : NULL;
}

struct post *early_claim(struct courier *c, const struct delivery *d, const struct event *e,
                         struct lane **ret_lane)
{
    struct early *y = find(c, d->lane, d->endpoint);
    struct lane *l = y && y->post ? lane_find(c, d->lane, d->endpoint) : NULL;
    if (!l || !str_eq(y->post->event->id, e->id))
        return NULL;
    if (l->state == LANE_BUSY || l->state == LANE_LOADING || l->head->n != d->n) {
        drop(y); /* something else of this lane is under way: in its turn, then */
        return NULL;
    }
    lane_leave(l);
    l->state = LANE_BUSY;
    *ret_lane = l;
    return take(y);
}

bool early_waits(struct courier *c, uint64_t lane, uint64_t endpoint)
{
    struct early *y = find(c, lane, endpoint);
    if (y)
        drop(y);
    return y != NULL;
}

void early_leave(struct courier *c, const struct shard *s)
{
    struct early *y;
    for (size_t i = 0; (y = map_next(c->early, &i));)
        if (y->queue->shard == s)
            drop(y);
}

void early_free(struct courier *c)
{
    struct early *y;
    for (size_t i = 0; c->early && (y = map_next(c->early, &i));)
        drop(y);
    map_free(c->early);
    c->early = NULL;
}
