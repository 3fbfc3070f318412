/* load: lanes that come back from the store: at the start all that is pending, onto the shelves;
 * later those whose time has come, some at a time, with their deliveries and the first one's event.
 * Reads run on the store's readers; the rest on the courier's thread. */
#include "deliver/load.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/tenant.h"

enum { AGAIN_MS = 1000, PAGE = 20000 };

struct load_lane {
    struct lane *lane;
    uint64_t key;
    int64_t begun_ms; /* as the shelf knew it: of the head */
    const struct deliver *deliver;
    struct item *first, **last;
    size_t n;
    bool more;
    enum err err;
};

struct load_job {
    struct courier_job job; /* first */
    struct queue *queue;
    struct tenant *tenant; /* that it is counted for */
    uint64_t endpoint;
    bool from_shelf, with_events;
    unsigned forgotten; /* the courier's, when it was read */
    size_t n;
    struct load_lane at[];
};

static bool on_delivery(void *arg, const struct delivery *d)
{
    struct load_lane *l = arg;
    if (l->n == LANE_ITEMS_MAX) {
        l->more = true;
        return false;
    }
    struct item *it = item_new(l->deliver, d);
    if (!it) {
        l->err = ERR_NOMEM;
        return false;
    }
    if (l->n == 0 && l->begun_ms)
        it->begun_ms = l->begun_ms;
    *l->last = it;
    l->last = &it->next;
    l->n++;
    return true;
}

static enum err load_run(struct store_job *job, struct db *db)
{
    struct load_job *j = (struct load_job *)job;
    enum err err = OK;
    for (size_t i = 0; err == OK && i < j->n; i++) {
        struct load_lane *l = &j->at[i];
        struct event *e = NULL;
        err = delivery_list_lane(db, j->endpoint, l->key, LANE_ITEMS_MAX + 1, on_delivery, l);
        if (err == OK)
            err = l->err;
        /* An event that cannot be read is the attempt's to judge. */
        if (err == OK && l->first && j->with_events && event_get(db, l->first->event_n, &e) == OK)
            l->first->event = e;
    }
    return err;
}

static void drop_rows(struct load_lane *l)
{
    while (l->first) {
        struct item *it = l->first;
        l->first = it->next;
        event_drop(&it->event);
        free(it);
    }
}

/* ---- whose turn it is to read ---- */

static void wait_for_load(struct queue *t)
{
    struct courier *c = t->courier;
    struct tenant *n = t->tenant;
    t->loading = true;
    t->next_load = NULL;
    *n->load_wait_last = t;
    n->load_wait_last = &t->next_load;
    if (n->load_waits)
        return;
    n->load_waits = true;
    n->next_load = NULL;
    *c->load_wait_tail = n;
    c->load_wait_tail = &n->next_load;
}

static bool may_load(const struct courier *c, const struct tenant *n)
{
    return share_allows(&loads_share, n->loads, c->loads);
}

/* The first account in line that may read, and of its endpoints the first. */
struct queue *load_next(struct courier *c)
{
    struct tenant **at = &c->load_wait, *n;
    if (c->stopping)
        return NULL;
    while (*at && !may_load(c, *at))
        at = &(*at)->next_load;
    if (!(n = *at))
        return NULL;
    *at = n->next_load;
    if (c->load_wait_tail == &n->next_load)
        c->load_wait_tail = at;
    struct queue *t = n->load_wait;
    n->load_wait = t->next_load;
    n->load_waits = n->load_wait != NULL;
    if (n->load_waits) {
        n->next_load = NULL;
        *c->load_wait_tail = n;
        c->load_wait_tail = &n->next_load;
    } else {
        n->load_wait_last = &n->load_wait;
    }
    t->loading = false;
    return t;
}

static void on_loaded(struct courier_job *job)
{
    struct load_job *j = (struct load_job *)job;
    struct courier *c = job->courier;
    struct queue *t = j->queue;
    c->loads--;
    j->tenant->loads--;
    t->shard->under_way--;
    if (j->from_shelf)
        t->loading = false;
    if (job->job.err != OK)
        log_sparse(LOG_WARN, 5000, "deliver", "what is due could not be read: %s",
                   err_text(job->job.err));
    for (size_t i = 0; i < j->n; i++) {
        struct load_lane *l = &j->at[i];
        if (l->first && j->forgotten != c->forgotten)
            event_drop(&l->first->event);
        if (job->job.err == OK) {
            lane_loaded(c, l->lane, l->first, l->more);
        } else {
            drop_rows(l);
            lane_shelve(l->lane, loop_now_ms(c->loop) + AGAIN_MS, l->begun_ms);
        }
    }
    free(j);
    queue_idle(t);
    queue_touch(t);
}

static struct load_job *load_new(struct queue *t, size_t max)
{
    struct courier *c = t->courier;
    struct load_job *j = calloc(1, sizeof *j + max * sizeof j->at[0]);
    if (!j)
        return NULL;
    j->job = (struct courier_job){.job.run = load_run, .done = on_loaded};
    j->queue = t;
    j->tenant = t->tenant;
    j->endpoint = t->endpoint;
    j->with_events = c->events_held < EVENTS_HELD_MAX;
    j->forgotten = c->forgotten;
    return j;
}

static void load_put(struct load_job *j, struct lane *l, int64_t begun_ms)
{
    struct load_lane *k = &j->at[j->n++];
    *k = (struct load_lane){
        .lane = l, .key = l->key.lane, .begun_ms = begun_ms, .deliver = l->queue->courier->deliver};
    k->last = &k->first;
}

static void submit(struct courier *c, struct load_job *j)
{
    c->loads++;
    j->tenant->loads++;
    j->queue->shard->under_way++;
    enum err err = courier_read(c, &j->job); /* from here on it is the reader's */
    if (err == OK)
        return;
    j->job.job.err = err;
    on_loaded(&j->job);
}

void load_start(struct queue *t, size_t lanes_max, int64_t due_ms)
{
    struct courier *c = t->courier;
    size_t max = t->shelf.n < lanes_max ? t->shelf.n : lanes_max;
    struct shelf_entry one;
    struct lane *l;
    if (max == 0 || t->loading || c->stopping)
        return;
    if (!may_load(c, t->tenant)) {
        wait_for_load(t);
        return;
    }
    struct load_job *j = load_new(t, max);
    if (!j)
        return; /* tried again with the next attempt's end */
    while (j->n < max && shelf_take(&t->shelf, due_ms, &one)) {
        metric_add(METRIC_LANES_WAITING, -1);
        if (!(l = lane_new(c, t, one.lane)))
            memory_gone("deliver"); /* it is off the shelf */
        load_put(j, l, one.begun_ms);
    }
    j->from_shelf = t->loading = true;
    submit(c, j);
}

/* Its first 256 are done; the store has more of it. */
void load_more(struct lane *l)
{
    struct courier *c = l->queue->courier;
    struct load_job *j = load_new(l->queue, 1);
    lane_leave(l);
    l->more = false;
    if (!j) {
        lane_shelve(l, loop_now_ms(c->loop) + AGAIN_MS, 0);
        return;
    }
    load_put(j, l, 0);
    submit(c, j);
}

/* ---- start ---- */

struct start_job {
    struct store_job job; /* first */
    struct deliver *deliver;
    struct delivery at;     /* the last row seen */
    struct delivery oldest; /* of the lane that is being read: it decides when the lane is due */
    size_t n, rows;
    enum err err;
};

/* No schedule waits longer than RETRY_WAIT_MAX_MS: a row that says so was written under a clock
 * that was ahead. */
static int64_t due_of(int64_t next_at_ms)
{
    int64_t due_ms = clock_mono_of(next_at_ms);
    int64_t last_ms = clock_mono_ms() + RETRY_WAIT_MAX_MS;
    return due_ms < last_ms ? due_ms : last_ms;
}

void load_put_lane(struct queue *t, uint64_t lane, int64_t next_at_ms)
{
    struct shelf_entry one = {.due_ms = due_of(next_at_ms), .lane = lane};
    if (shelf_has(&t->shelf, lane))
        return; /* a delivery of it came meanwhile */
    if (shelf_put(&t->shelf, &one) != OK)
        memory_gone("deliver"); /* nobody would know of the lane */
    metric_add(METRIC_LANES_WAITING, 1);
    queue_touch(t);
}

static struct queue *queue_at_start(struct start_job *s, const struct delivery *d)
{
    struct courier *c = courier_of(s->deliver, d->endpoint);
    struct queue *t = c ? queue_of(c, d->endpoint) : NULL;
    if (c && !t)
        s->err = ERR_NOMEM;
    return t;
}

static void put_lane(struct start_job *s)
{
    const struct delivery *d = &s->oldest;
    struct queue *t = d->n ? queue_at_start(s, d) : NULL;
    if (t)
        load_put_lane(t, d->lane, d->next_at_ms);
}

static bool on_waiting(void *arg, const struct delivery *d)
{
    struct start_job *s = arg;
    bool same = d->endpoint == s->oldest.endpoint && d->lane == s->oldest.lane;
    if (!same)
        put_lane(s);
    if (!same || d->n < s->oldest.n)
        s->oldest = *d;
    struct queue *t = queue_at_start(s, d);
    if (t)
        t->pending++;
    s->at = *d;
    s->rows++;
    return s->err == OK;
}

static enum err start_run(struct store_job *job, struct db *db)
{
    struct start_job *s = (struct start_job *)job;
    struct delivery at = s->at;
    s->rows = 0;
    enum err err = delivery_list_waiting(db, &at, PAGE, on_waiting, s);
    return err == OK ? s->err : err;
}

enum err load_all(struct deliver *d)
{
    struct start_job s = {.job.run = start_run, .deliver = d, .rows = PAGE};
    enum err err = OK;
    while (err == OK && s.rows == PAGE) {
        err = store_read_now(d->c.store, &s.job);
        s.n += s.rows;
    }
    put_lane(&s);
    metric_add(METRIC_DELIVERIES_PENDING, (int64_t)s.n);
    if (s.n)
        log_info("deliver", "%zu deliveries from before the start are pending", s.n);
    return err == OK ? s.err : err;
}
