/* shard: which endpoints a courier has. A shard is taken in the store first: its epoch is raised,
 * so that what its last owner still writes changes nothing, and in the same commit new deliveries
 * begin to come here. What was stored before is read then; until it is there, nothing of the shard
 * is sent, since it goes first. A shard is left when the attempts under way have ended. Thread of
 * the courier; `committed` on the writer's. */
#include "deliver/shard.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "deliver/early.h"
#include "deliver/knock.h"
#include "deliver/load.h"
#include "deliver/outage.h"

enum { TAKE_AGAIN_MS = 1000, SHARD_PAGE = 20000 };

bool shard_takes(const struct courier *c, uint64_t endpoint)
{
    uint8_t state = c->shard[shard_of(endpoint)].state;
    return state == SHARD_HERE || state == SHARD_TAKING;
}

/* ---- at the start ---- */

struct start_job {
    struct store_job job; /* first */
    bool as_it_is;
    struct shard_hold hold[SHARDS];
};

static enum err take_all_run(struct store_job *job, struct db *db)
{
    struct start_job *s = (struct start_job *)job;
    enum err err = OK;
    for (unsigned i = 0; err == OK && i < SHARDS; i++) {
        s->hold[i].shard = i;
        err = s->as_it_is ? shard_get(db, &s->hold[i]) : shard_take(db, &s->hold[i]);
    }
    return err;
}

/* On a disk that is full the epochs stay: the process before is gone, and writes nothing more. */
enum err shards_take_all(struct deliver *d)
{
    struct start_job s = {.job.run = take_all_run};
    enum err err = store_write_now(d->c.store, &s.job);
    if (err != OK) {
        s.as_it_is = true;
        err = store_read_now(d->c.store, &s.job);
    }
    for (unsigned i = 0; err == OK && i < SHARDS; i++) {
        d->courier[i % d->n].shard[i] = (struct shard){.state = SHARD_HERE, .hold = s.hold[i]};
        d->home[i] = (unsigned char)(i % d->n + 1);
    }
    return err;
}

/* ---- taken at run time ---- */

struct shard_lane {
    uint64_t endpoint, lane;
    int64_t next_at_ms; /* of its oldest delivery */
    int64_t oldest_n;
    size_t n; /* deliveries from before it was taken */
};

struct take_job {
    struct courier_job job; /* first */
    struct shard_hold hold;
    int64_t last_n; /* the last delivery before it was taken: later ones come by mail */
    struct delivery at;
    size_t rows;
    struct shard_lane *lane;
    size_t n_lanes, lanes_cap;
    struct outage *outage;
    size_t n_outages, outages_cap;
    enum err err;
    struct timer again;
};

static void take_free(struct take_job *j)
{
    timer_stop(&j->again);
    free(j->lane);
    free(j->outage);
    free(j);
}

static void *grow(void *list, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    size_t more = *cap ? 2 * *cap : 64;
    void *p = realloc(list, more * size);
    if (p)
        *cap = more;
    return p;
}

static void on_shard_outage(void *arg, const struct outage *o)
{
    struct take_job *j = arg;
    if (shard_of(o->endpoint) != j->hold.shard || j->err != OK)
        return;
    struct outage *p = grow(j->outage, j->n_outages, &j->outages_cap, sizeof *p);
    j->err = p ? OK : ERR_NOMEM;
    if (p) {
        j->outage = p;
        p[j->n_outages++] = *o;
    }
}

/* The rows come by endpoint and lane. Another shard's endpoint is skipped whole. */
static bool on_shard_row(void *arg, const struct delivery *d)
{
    struct take_job *j = arg;
    j->at = *d;
    j->rows++;
    if (shard_of(d->endpoint) != j->hold.shard) {
        j->at.lane = j->at.next_at_ms = j->at.n = INT64_MAX;
        return false;
    }
    if (d->n > j->last_n)
        return true;
    struct shard_lane *l = j->n_lanes ? &j->lane[j->n_lanes - 1] : NULL;
    if (!l || l->endpoint != d->endpoint || l->lane != d->lane) {
        if (!(l = grow(j->lane, j->n_lanes, &j->lanes_cap, sizeof *l))) {
            j->err = ERR_NOMEM;
            return false;
        }
        j->lane = l;
        l += j->n_lanes++;
        *l = (struct shard_lane){.endpoint = d->endpoint, .lane = d->lane, .oldest_n = INT64_MAX};
    }
    if (d->n < l->oldest_n) {
        l->oldest_n = d->n;
        l->next_at_ms = d->next_at_ms;
    }
    l->n++;
    return true;
}

static enum err read_run(struct store_job *job, struct db *db)
{
    struct take_job *j = (struct take_job *)job;
    j->n_lanes = j->n_outages = 0;
    j->at = (struct delivery){0};
    j->err = OK;
    enum err err = outage_list(db, on_shard_outage, j);
    do {
        struct delivery after = j->at;
        j->rows = 0;
        if (err == OK)
            err = delivery_list_waiting(db, &after, SHARD_PAGE, on_shard_row, j);
        if (err == OK)
            err = j->err;
    } while (err == OK && j->rows);
    return err;
}

static void take_read(struct take_job *j);
static void take_write(struct take_job *j);

static void on_take_again(struct timer *t)
{
    struct take_job *j = t->arg;
    if (j->job.courier->shard[j->hold.shard].hold.epoch == j->hold.epoch)
        take_read(j);
    else
        take_write(j);
}

static void take_later(struct take_job *j, enum err err)
{
    struct courier *c = j->job.courier;
    log_sparse(LOG_WARN, 5000, "deliver", "shard %u waits to be taken: %s", j->hold.shard,
               err_text(err));
    loop_timer(c->loop, &j->again, TAKE_AGAIN_MS, on_take_again, j);
}

static void on_read(struct courier_job *job)
{
    struct take_job *j = (struct take_job *)job;
    struct courier *c = job->courier;
    struct queue *t;
    if (job->job.err != OK && !c->stopping) {
        take_later(j, job->job.err);
        return;
    }
    c->shard[j->hold.shard].state = SHARD_HERE;
    for (size_t i = 0; i < j->n_outages; i++)
        outage_restore(c, &j->outage[i]);
    for (size_t i = 0; i < j->n_lanes; i++) {
        const struct shard_lane *l = &j->lane[i];
        if (!(t = queue_of(c, l->endpoint)))
            memory_gone("deliver"); /* nobody would know of the lane */
        load_put_lane(t, l->lane, l->next_at_ms);
        t->pending += l->n;
        metric_add(METRIC_DELIVERIES_PENDING, (int64_t)l->n);
    }
    for (size_t i = 0; (t = map_next(c->queues, &i));)
        if (t->shard == &c->shard[j->hold.shard])
            queue_touch(t); /* what came meanwhile is on its shelf */
    log_info("deliver", "shard %u is taken: %zu lanes wait", j->hold.shard, j->n_lanes);
    take_free(j);
}

static void take_read(struct take_job *j)
{
    struct courier *c = j->job.courier;
    j->job = (struct courier_job){.job.run = read_run, .done = on_read};
    enum err err = courier_read(c, &j->job);
    if (err != OK)
        take_later(j, err);
}

static enum err take_run(struct store_job *job, struct db *db)
{
    struct take_job *j = (struct take_job *)job;
    enum err err = shard_take(db, &j->hold);
    return err == OK ? delivery_last(db, &j->last_n) : err;
}

/* On the writer's thread, which tells of new deliveries: those of later commits come here. */
static void take_committed(struct store_job *job)
{
    struct take_job *j = (struct take_job *)job;
    struct deliver *d = j->job.courier->deliver;
    d->home[j->hold.shard] = (unsigned char)(j->job.courier - d->courier + 1);
}

static void on_taken(struct courier_job *job)
{
    struct take_job *j = (struct take_job *)job;
    struct shard *s = &job->courier->shard[j->hold.shard];
    if (job->courier->stopping) {
        s->state = SHARD_AWAY;
        take_free(j);
    } else if (job->job.err != OK) {
        take_later(j, job->job.err);
    } else {
        s->hold = j->hold;
        take_read(j);
    }
}

static void take_write(struct take_job *j)
{
    struct courier *c = j->job.courier;
    j->job = (struct courier_job){.job = {.run = take_run, .committed = take_committed},
                                  .done = on_taken};
    enum err err = courier_write(c, &j->job);
    if (err != OK)
        take_later(j, err);
}

void shard_begin_take(struct courier *c, unsigned shard)
{
    struct shard *s = &c->shard[shard];
    struct take_job *j = s->state == SHARD_AWAY && !c->stopping ? calloc(1, sizeof *j) : NULL;
    if (!j)
        return;
    s->state = SHARD_TAKING;
    s->hold = (struct shard_hold){shard, -1};
    j->hold.shard = shard;
    j->job.courier = c;
    take_write(j);
}

/* ---- left ---- */

void shard_begin_leave(struct courier *c, unsigned shard,
                       void (*on_left)(void *arg, unsigned shard), void *arg)
{
    struct shard *s = &c->shard[shard];
    if (s->state != SHARD_HERE)
        return;
    s->state = SHARD_LEAVING;
    s->on_left = on_left;
    s->arg = arg;
    c->n_leaving++;
    c->deliver->home[shard] = 0;
    early_leave(c, s);
}

/* What was learned of the endpoint's health is in the store, where it outlasts a minute. */
static void queue_leave(struct courier *c, struct queue *t)
{
    lanes_drop(c, t);
    knock_stop(t);
    t->health = (struct health){0};
    t->saved = false;
    t->back_ms = 0;
    timer_stop(&t->wake);
    timer_stop(&t->due);
}

void shards_leave(struct courier *c)
{
    for (unsigned i = 0; c->n_leaving && i < SHARDS; i++) {
        struct shard *s = &c->shard[i];
        struct queue *t;
        if (s->state != SHARD_LEAVING || s->under_way)
            continue;
        for (size_t k = 0; (t = map_next(c->queues, &k));)
            if (t->shard == s)
                queue_leave(c, t);
        s->state = SHARD_AWAY;
        c->n_leaving--;
        s->on_left(s->arg, i);
    }
}
