/* outage: since when an endpoint fails, kept in the store, so that five days of failure are five
 * days also for a daemon that was started again on the fourth: wall time in its row, mono time
 * here. What cannot be written is written with the next change: nobody waits for it. Thread of the
 * courier. */
#include "deliver/outage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

struct outage_job {
    struct courier_job job; /* first */
    struct outage outage;   /* since_ms 0: it is over */
};

static enum err save_run(struct store_job *job, struct db *db)
{
    const struct outage *o = &((const struct outage_job *)job)->outage;
    return o->since_ms ? outage_put(db, o) : outage_delete(db, o);
}

static void on_saved(struct courier_job *job)
{
    if (job->job.err != OK)
        log_sparse(LOG_WARN, 5000, "deliver", "an endpoint's outage could not be stored: %s",
                   err_text(job->job.err));
    free(job);
}

void outage_save(struct queue *t, const struct outcome *last, int64_t at_ms, int64_t next_ms)
{
    struct health *h = &t->health;
    bool is_failing = h->failing_since_ms != 0;
    bool fails = is_failing || health_is_troubled(h, loop_now_ms(t->courier->loop));
    if (!fails && !t->saved)
        return;
    struct outage_job *o = calloc(1, sizeof *o);
    if (!o)
        return;
    o->job = (struct courier_job){.job.run = save_run, .done = on_saved};
    o->outage.endpoint = t->endpoint;
    o->outage.under = t->shard->hold;
    if (fails) {
        o->outage.is_failing = is_failing;
        o->outage.since_ms = clock_wall_of(is_failing ? h->failing_since_ms : h->trouble_since_ms);
        o->outage.next_at_ms = clock_wall_of(is_failing ? h->probe_at_ms : next_ms);
        o->outage.last_at_ms = at_ms;
        o->outage.status = last->status;
        o->outage.err = last->err;
        snprintf(o->outage.detail, sizeof o->outage.detail, "%s", last->detail);
    }
    if (courier_write(t->courier, &o->job) == OK)
        t->saved = fails;
    else
        free(o);
}

/* ---- start ---- */

void outage_restore(struct courier *c, const struct outage *o)
{
    struct queue *t = queue_of(c, o->endpoint);
    if (!t)
        return; /* it is found out again */
    t->saved = true;
    int64_t since = clock_mono_of(o->since_ms), now = loop_now_ms(c->loop);
    if (since > now)
        since = now; /* written under a clock that was ahead */
    if (o->is_failing)
        health_restore(&t->health, since, now, crypto_random_u64());
    else
        t->health.trouble_since_ms = since;
}

struct load_job {
    struct store_job job; /* first */
    struct deliver *deliver;
};

static void on_failing(void *arg, const struct outage *o)
{
    struct courier *c = courier_of(arg, o->endpoint);
    if (c)
        outage_restore(c, o);
}

static enum err load_run(struct store_job *job, struct db *db)
{
    struct load_job *j = (struct load_job *)job;
    return outage_list(db, on_failing, j->deliver);
}

enum err outages_load(struct deliver *d)
{
    struct load_job j = {.job.run = load_run, .deliver = d};
    return store_read_now(d->c.store, &j.job);
}
