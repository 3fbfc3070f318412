/* outage: since when an endpoint fails, kept in the store, so that five days of failure are five
 * days also for a daemon that was started again on the fourth: wall time in its row, mono time
 * here. What cannot be written is written with the next change: nobody waits for it. Thread of the
 * courier. */
#include "deliver/outage.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"

struct outage_job {
    struct courier_job job; /* first */
    uint64_t endpoint;
    int64_t since_ms;
};

static enum err save_run(struct store_job *job, struct db *db)
{
    const struct outage_job *o = (const struct outage_job *)job;
    return endpoint_failing_put(db, o->endpoint, o->since_ms);
}

static void on_saved(struct courier_job *job)
{
    if (job->job.err != OK)
        log_sparse(LOG_WARN, 5000, "deliver", "an endpoint's outage could not be stored: %s",
                   err_text(job->job.err));
    free(job);
}

void outage_save(struct queue *t)
{
    int64_t since_ms = clock_wall_of(t->health.failing_since_ms);
    if (!since_ms && !t->saved)
        return;
    struct outage_job *o = calloc(1, sizeof *o);
    if (!o)
        return;
    *o = (struct outage_job){.job = {.job.run = save_run, .done = on_saved},
                             .endpoint = t->endpoint,
                             .since_ms = since_ms};
    if (courier_write(t->courier, &o->job) == OK)
        t->saved = since_ms != 0;
    else
        free(o);
}

/* ---- start ---- */

struct load_job {
    struct store_job job; /* first */
    struct deliver *deliver;
};

static void on_failing(void *arg, uint64_t endpoint, int64_t since_ms)
{
    struct deliver *d = arg;
    struct courier *c = courier_of(d, endpoint);
    struct queue *t = queue_of(c, endpoint);
    if (!t)
        return; /* it is found out again */
    t->saved = true;
    int64_t since = clock_mono_of(since_ms), now = loop_now_ms(c->loop);
    if (since > now)
        since = now; /* written under a clock that was ahead */
    health_restore(&t->health, since, now, crypto_random_u64());
}

static enum err load_run(struct store_job *job, struct db *db)
{
    struct load_job *j = (struct load_job *)job;
    return endpoint_failing_list(db, on_failing, j->deliver);
}

enum err outages_load(struct deliver *d)
{
    struct load_job j = {.job.run = load_run, .deliver = d};
    return store_read_now(d->c.store, &j.job);
}
