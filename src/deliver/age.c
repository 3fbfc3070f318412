/* age: measures how long the oldest pending delivery has waited. This metric alone says whether
 * anything is stuck. Most pending deliveries are in the store alone, so the first courier asks the
 * store now and then, for all couriers. Thread of the courier. */
#include "deliver/age.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { ASK_EVERY_MS = 10000 };

struct age_job {
    struct courier_job job; /* first */
    int64_t oldest_ms;
};

static enum err age_run(struct store_job *job, struct db *db)
{
    return delivery_oldest(db, &((struct age_job *)job)->oldest_ms);
}

static void on_age(struct courier_job *job)
{
    struct age_job *a = (struct age_job *)job;
    /* Wall time: the rows that it looks at may be of earlier processes. */
    int64_t age_ms = a->oldest_ms ? clock_wall_ms() - a->oldest_ms : 0;
    if (job->job.err == OK)
        metric_set(METRIC_OLDEST_PENDING_AGE, age_ms > 0 ? age_ms : 0);
    free(a);
}

static void ask(struct courier *c)
{
    struct age_job *a = calloc(1, sizeof *a);
    if (!a)
        return;
    a->job = (struct courier_job){.job.run = age_run, .done = on_age};
    if (courier_read(c, &a->job) != OK)
        free(a);
}

static void on_time(struct timer *t)
{
    struct courier *c = t->arg;
    if (c->stopping)
        return;
    ask(c);
    age_watch(c);
}

void age_watch(struct courier *c)
{
    if (c == c->deliver->courier)
        loop_timer(c->loop, &c->age, ASK_EVERY_MS, on_time, c);
}
