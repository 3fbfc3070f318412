/* intake: opens the two doors in. Each gives the writer one job, which writes the events, and tells
 * deliver after its commit and the sender when the job is home. Any thread. */
#include "hub/intake.h"

#include <stdlib.h>
#include <string.h>

#include "hub/admission_inside.h"

struct intake {
    struct store *store;
    intake_on_stored *on_stored;
    void *arg;
};

enum err intake_new(struct store *s, intake_on_stored *on_stored, void *arg, struct intake **ret)
{
    struct intake *in = calloc(1, sizeof *in);
    if (!in)
        return ERR_NOMEM;
    *in = (struct intake){s, on_stored, arg};
    *ret = in;
    return OK;
}

void intake_free(struct intake *in)
{
    free(in);
}

void intake_tell(struct intake *in, const struct stored *s)
{
    in->on_stored(in->arg, s);
}

/* ---- one ---- */

static enum err one_run(struct store_job *job, struct db *db)
{
    return admission_put((struct admission *)job, db);
}

static void one_committed(struct store_job *job)
{
    admission_tell((struct admission *)job);
}

static void one_done(struct store_job *job)
{
    struct admission *a = (struct admission *)job;
    enum err err = job->err;
    a->on_one(a->arg, a->token, &a, err, err == OK && !a->is_new);
    admission_free(a);
}

enum err intake_one(struct intake *in, struct admission **a, struct mailbox *home,
                    intake_on_one *on_one, void *arg, uint64_t token)
{
    if (!store_is_writable(in->store))
        return ERR_STORE;
    struct admission *one = *a;
    one->on_one = on_one;
    one->arg = arg;
    one->token = token;
    one->job = (struct store_job){
        .run = one_run, .committed = one_committed, .done = one_done, .home = home};
    enum err err = store_write(in->store, &one->job);
    if (err == OK)
        *a = NULL;
    return err;
}

/* ---- a batch ---- */

struct batch {
    struct store_job job; /* first */
    struct intake_companion with;
    intake_on_batch *on_batch;
    void *arg;
    bool skipped;
    size_t n;
    bool *duplicate; /* behind the events */
    struct admission *at[];
};

static enum err batch_run(struct store_job *job, struct db *db)
{
    struct batch *b = (struct batch *)job;
    b->skipped = false;
    enum err err = b->with.before ? b->with.before(b->with.arg, db, &b->skipped) : OK;
    if (err != OK || b->skipped)
        return err;
    for (size_t i = 0; err == OK && i < b->n; i++)
        err = admission_put(b->at[i], db);
    if (err == OK && b->with.after)
        err = b->with.after(b->with.arg, db, (const struct admission *const *)b->at, b->n);
    return err;
}

static void batch_committed(struct store_job *job)
{
    struct batch *b = (struct batch *)job;
    for (size_t i = 0; !b->skipped && i < b->n; i++)
        admission_tell(b->at[i]);
}

static void batch_done(struct store_job *job)
{
    struct batch *b = (struct batch *)job;
    for (size_t i = 0; i < b->n; i++) {
        b->duplicate[i] = job->err == OK && (b->skipped || !b->at[i]->is_new);
        admission_free(b->at[i]);
    }
    b->on_batch(b->arg, job->err, b->duplicate, b->n);
    free(b);
}

enum err intake_batch(struct intake *in, struct admission **a, size_t n,
                      const struct intake_companion *with, struct mailbox *home,
                      intake_on_batch *on_batch, void *arg)
{
    if (!store_is_writable(in->store))
        return ERR_STORE;
    struct batch *b = malloc(sizeof *b + n * (sizeof b->at[0] + sizeof b->duplicate[0]));
    if (!b)
        return ERR_NOMEM;
    *b = (struct batch){.job = {.run = batch_run,
                                .committed = batch_committed,
                                .done = batch_done,
                                .home = home,
                                .weight = (unsigned)n},
                        .with = with ? *with : (struct intake_companion){0},
                        .on_batch = on_batch,
                        .arg = arg,
                        .n = n,
                        .duplicate = (bool *)(b->at + n)};
    memcpy(b->at, a, n * sizeof a[0]);
    enum err err = store_write(in->store, &b->job);
    if (err == OK)
        memset(a, 0, n * sizeof a[0]);
    else
        free(b);
    return err;
}
