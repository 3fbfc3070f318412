/* chore: gives the store a chore's next piece of work, and says when the chore goes on. Called by
 * each chore, on the housekeeper's thread. */
#include "hub/chores/chore.h"

#include "base/clock.h"

static enum err chore_on_run(struct store_job *job, struct db *db)
{
    struct chore *c = (struct chore *)job;
    c->began_us = clock_mono_us();
    enum err err = c->work(c, db);
    c->ran_us = clock_mono_us() - c->began_us;
    return err;
}

static void chore_on_committed(struct store_job *job)
{
    struct chore *c = (struct chore *)job;
    c->ran_us = clock_mono_us() - c->began_us;
    if (c->committed)
        c->committed(c);
}

static void chore_on_done(struct store_job *job)
{
    struct chore *c = (struct chore *)job;
    c->busy = false;
    c->after(c, job->err);
}

static void chore_submit(struct chore *c, enum err (*work)(struct chore *, struct db *),
                         void (*committed)(struct chore *), void (*after)(struct chore *, enum err),
                         enum err (*put)(struct store *, struct store_job *))
{
    c->work = work;
    c->committed = committed;
    c->after = after;
    c->job = (struct store_job){.run = chore_on_run,
                                .committed = chore_on_committed,
                                .done = chore_on_done,
                                .home = c->home};
    c->busy = true;
    enum err err = put(c->config->store, &c->job);
    if (err == OK)
        return;
    c->busy = false;
    after(c, err);
}

void chore_read(struct chore *c, enum err (*work)(struct chore *, struct db *),
                void (*after)(struct chore *, enum err))
{
    chore_submit(c, work, NULL, after, store_read);
}

void chore_write(struct chore *c, enum err (*work)(struct chore *, struct db *),
                 void (*committed)(struct chore *), void (*after)(struct chore *, enum err))
{
    if (store_is_writable(c->config->store))
        chore_submit(c, work, committed, after, store_write);
    else
        after(c, ERR_STORE);
}

void chore_rest(struct chore *c, int64_t ms)
{
    c->due_ms = clock_mono_ms() + ms;
}

void chore_rest_in_proportion(struct chore *c)
{
    int64_t ms = CHORE_REST_TIMES * c->ran_us / 1000;
    chore_rest(c, ms > CHORE_REST_MIN_MS ? ms : CHORE_REST_MIN_MS);
}

void chore_sleep(struct chore *c)
{
    c->due_ms = c->woken ? 0 : INT64_MAX;
}
