/* courier: holds what all parts of a courier use: the book of this turn, and the courier's jobs at
 * the store, whose end it waits for before it stops. Thread of its loop. */
#include "deliver/courier.h"

#include "base/log.h"

struct courier *courier_of(struct deliver *d, uint64_t endpoint)
{
    unsigned char home = d->home[shard_of(endpoint)];
    return home ? &d->courier[home - 1] : NULL;
}

bool courier_has(const struct courier *c, uint64_t endpoint)
{
    return c->shard[shard_of(endpoint)].state == SHARD_HERE;
}

/* Looks at the generation to see whether there is a newer book: taking the book each time would
 * cost a lock and two shared counts for each step of an attempt. The book before is kept until the
 * turn's end, because a caller may still use it. */
const struct book *courier_book(struct courier *c)
{
    uint64_t now = books_generation(c->deliver->c.books);
    if (c->book && c->book_generation == now)
        return c->book;
    if (c->book_before)
        return c->book; /* once a turn */
    c->book_before = c->book;
    c->book_generation = now;
    c->book = book_take(c->deliver->c.books);
    return c->book;
}

static void on_job_done(struct store_job *job)
{
    struct courier_job *j = (struct courier_job *)job;
    j->courier->jobs_out--;
    j->done(j);
}

static void job_init(struct courier *c, struct courier_job *j)
{
    j->courier = c;
    j->job.done = on_job_done;
    j->job.home = loop_mailbox(c->loop);
}

enum err courier_write(struct courier *c, struct courier_job *j)
{
    job_init(c, j);
    enum err err = store_write(c->deliver->c.store, &j->job);
    c->jobs_out += err == OK;
    return err;
}

enum err courier_read(struct courier *c, struct courier_job *j)
{
    job_init(c, j);
    enum err err = store_read(c->deliver->c.store, &j->job);
    c->jobs_out += err == OK;
    return err;
}

static void on_event_stored(void *arg, uint64_t token, struct admission **t, enum err err,
                            bool duplicate)
{
    struct courier *c = arg;
    c->jobs_out--;
    if (err != OK)
        log_error("deliver", "an event of an endpoint could not be stored: %s", err_text(err));
}

enum err courier_submit(struct courier *c, struct admission **t)
{
    enum err err =
        intake_one(c->deliver->c.intake, t, loop_mailbox(c->loop), on_event_stored, c, 0);
    c->jobs_out += err == OK;
    return err;
}
