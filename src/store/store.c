/* store: runs the store's threads and batches. The writer takes all jobs that came while it synced,
 * runs them in one transaction, commits, and sends them home. Under load batches grow by
 * themselves; a single job waits for no other. Readers take reads by turns of their owners, so that
 * no account waits for the many reads of another.
 *
 * Invariant: a job goes home with OK only after the commit that holds it returned OK. */
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/turns.h"
#include "store/engine.h"

enum {
    JOBS_MAX = 65536,
    BATCH_MAX = 4096, /* jobs of one transaction: limits how much a lost commit repeats */
    READERS = 2,
    READERS_MAX = 16,
    READS_MAX = 4096, /* shared by the accounts; the daemon's own reads: JOBS_MAX */
    READS_FIRST = 64,
    PROBE_MS = 500,
    UNSURE_TRIES = 5,
};

static const struct share reads_share = {.max = READS_MAX, .first = READS_FIRST};

struct reader {
    struct store *store;
    struct db *db;
    pthread_t thread;
    bool started;
};

struct store {
    const struct engine *engine;
    struct db *db;
    struct mailbox *jobs;
    pthread_t thread;
    bool started, by_hand;
    atomic_bool writable;
    struct turns *reads;
    unsigned n_readers;
    struct reader reader[READERS_MAX];
    void (*on_broken)(void *arg);
    void *arg;
    struct store_job *batch[BATCH_MAX]; /* the writer's, while it runs one */
};

static struct store_job *job_of(struct mail *m)
{
    return (struct store_job *)m; /* mail is the first member */
}

static void job_on_home(struct mail *m)
{
    struct store_job *job = job_of(m);
    job->done(job);
}

static void job_send_home(struct store_job *job)
{
    job->mail.open = job_on_home;
    mailbox_put_answer(job->home, &job->mail);
}

static void store_broken(struct store *s)
{
    atomic_store(&s->writable, false);
    log_error("store", "a sync failed: %s", s->db->detail);
    if (s->on_broken)
        s->on_broken(s->arg);
    abort();
}

static bool is_store_error(enum err err)
{
    return err == ERR_STORE || err == ERR_STORE_FULL || err == ERR_STORE_BROKEN ||
           err == ERR_STORE_UNSURE || err == ERR_NOMEM;
}

/* Runs the jobs that have not failed yet. ERR_AGAIN: one failed alone after it had written; run the
 * rest once more. */
static enum err jobs_run(struct store *s, struct store_job **jobs, size_t n)
{
    s->db->begun++;
    enum err err = s->engine->begin(s->db);
    for (size_t i = 0; err == OK && i < n; i++) {
        if (jobs[i]->err != OK)
            continue;
        unsigned before = s->db->writes;
        enum err own = jobs[i]->run(jobs[i], s->db);
        if (s->db->err != OK || is_store_error(own)) {
            err = s->db->err != OK ? s->db->err : own;
        } else if (own != OK) {
            jobs[i]->err = own;
            if (s->db->writes != before)
                err = ERR_AGAIN;
        }
    }
    if (err == OK)
        return s->engine->commit(s->db);
    s->engine->rollback(s->db);
    return err;
}

static enum err batch_commit(struct store *s, struct store_job **jobs, size_t n)
{
    for (unsigned unsure = 0;;) {
        enum err err = jobs_run(s, jobs, n);
        if (err == ERR_STORE_BROKEN)
            store_broken(s);
        if (err == ERR_STORE_UNSURE && ++unsure < UNSURE_TRIES)
            continue;
        if (err != ERR_AGAIN)
            return err;
    }
}

/* Sends all jobs home; neighbours with the same home travel together. */
static void jobs_send_home(struct store_job **jobs, size_t n)
{
    for (size_t i = 0, from = 0; i < n; i++) {
        jobs[i]->mail.open = job_on_home;
        if (i + 1 < n && jobs[i + 1]->home == jobs[i]->home) {
            jobs[i]->mail.next = &jobs[i + 1]->mail;
            continue;
        }
        mailbox_put_answers(jobs[i]->home, &jobs[from]->mail, &jobs[i]->mail, i + 1 - from);
        from = i + 1;
    }
}

static void store_writable_set(struct store *s, bool now, enum err why)
{
    if (atomic_exchange(&s->writable, now) == now)
        return;
    if (now)
        log_sparse(LOG_INFO, 5000, "store", "the store can write again");
    else
        log_sparse(LOG_ERROR, 5000, "store",
                   "cannot write: %s (%s); accepting nothing until it can", err_text(why),
                   s->db->detail);
}

static void batch_run(struct store *s, struct store_job **jobs, size_t n)
{
    int64_t from_us = clock_mono_us();
    enum err err = batch_commit(s, jobs, n);
    metric_observe_us(METRIC_COMMIT_TIME, clock_mono_us() - from_us);
    metric_observe(METRIC_COMMIT_JOBS, (int64_t)n);
    if (err != OK)
        metric_add(METRIC_STORE_FAILURES, 1);
    store_writable_set(s, err == OK, err);
    for (size_t i = 0; i < n; i++) {
        if (jobs[i]->err == OK)
            jobs[i]->err = err;
        if (jobs[i]->err == OK && jobs[i]->committed)
            jobs[i]->committed(jobs[i]);
    }
    jobs_send_home(jobs, n);
    if (err == OK && s->engine->tidy(s->db) == ERR_STORE_BROKEN)
        store_broken(s);
}

static void batches_run(struct store *s, struct mail *list)
{
    while (list) {
        size_t n = 0, weight = 0;
        for (; list && n < BATCH_MAX && weight < BATCH_MAX; n++) {
            s->batch[n] = job_of(list);
            s->batch[n]->err = OK;
            weight += s->batch[n]->weight;
            list = list->next;
        }
        batch_run(s, s->batch, n);
    }
}

/* Tries whether the store can write again. It writes a row of its own, so that the answer comes
 * from the disk. */
static void store_probe(struct store *s)
{
    enum err err = s->engine->begin(s->db);
    if (err == OK)
        err = db_run(s->db, SQL_META_PUT, DB_ARGS(V_TEXT(STR("probed_at")), V_INT(clock_wall_ms())),
                     NULL, NULL, NULL);
    if (err == OK)
        err = s->engine->commit(s->db);
    else
        s->engine->rollback(s->db);
    if (err == ERR_STORE_BROKEN)
        store_broken(s);
    store_writable_set(s, err == OK, err);
}

static void *writer_main(void *arg)
{
    struct store *s = arg;
    pthread_setname_np(pthread_self(), "writer");
    for (;;) {
        bool closed = false;
        bool trouble = !atomic_load(&s->writable);
        struct mail *list =
            trouble ? mailbox_wait_for(s->jobs, PROBE_MS, &closed) : mailbox_wait(s->jobs);
        if (list)
            batches_run(s, list);
        else if (!trouble || closed)
            return NULL;
        else
            store_probe(s);
    }
}

static void read_run(struct reader *r, struct store_job *job)
{
    job->err = r->store->engine->begin(r->db);
    if (job->err == OK)
        job->err = job->run(job, r->db);
    r->store->engine->rollback(r->db); /* nothing to keep: ends the snapshot */
    job_send_home(job);
}

static void *reader_main(void *arg)
{
    struct reader *r = arg;
    struct mail *m;
    pthread_setname_np(pthread_self(), "reader");
    while ((m = turns_wait(r->store->reads)))
        read_run(r, job_of(m));
    return NULL;
}

/* Without threads the one connection is the only reader, too. */
static void store_start_by_hand(struct store *s)
{
    s->n_readers = 1;
    s->reader[0] = (struct reader){.store = s, .db = s->db};
}

void store_turn(struct store *s)
{
    ASSERT(s->by_hand);
    struct mail *reads = NULL, **last = &reads, *m, *writes = mailbox_take(s->jobs);
    while ((m = turns_take(s->reads))) { /* reads that these cause wait for the next turn */
        *last = m;
        last = &m->next;
    }
    while ((m = reads)) {
        reads = m->next;
        read_run(&s->reader[0], job_of(m));
    }
    if (writes)
        batches_run(s, writes);
    else if (!atomic_load(&s->writable))
        store_probe(s);
}

static enum err reader_start(struct store *s, struct reader *r, const char *where, char *why,
                             size_t cap)
{
    r->store = s;
    enum err err = s->engine->open(where, DB_READER, &r->db, why, cap);
    if (err == OK && pthread_create(&r->thread, NULL, reader_main, r) != 0)
        err = ERR_NOMEM;
    r->started = err == OK;
    return err;
}

enum err store_open(const struct store_config *c, struct store **ret, char *why, size_t cap)
{
    struct str where, scheme;
    struct store *s = calloc(1, sizeof *s);
    enum err err = ERR_NOMEM;
    snprintf(why, cap, "%s", err_text(err));
    if (!s)
        return err;
    s->engine = c->engine ? c->engine : &engine_sqlite;
    s->on_broken = c->on_broken;
    s->arg = c->arg;
    atomic_init(&s->writable, true);
    s->by_hand = c->by_hand;
    s->n_readers = c->readers ? c->readers : READERS;
    ASSERT(s->n_readers <= READERS_MAX);
    if (!str_cut(str_of(c->url), ':', &scheme, &where) ||
        !str_eq(scheme, str_of(s->engine->scheme)) || where.n == 0) {
        snprintf(why, cap, "store.url: sqlite:PATH is needed, not \"%s\"", c->url);
        err = ERR_INVALID;
        goto out;
    }
    if ((err = s->engine->open(where.p, DB_WRITER, &s->db, why, cap)) != OK ||
        (err = schema_migrate(s->db, why, cap)) != OK ||
        (err = turns_new(&s->reads, &reads_share, JOBS_MAX)) != OK ||
        (err = mailbox_new(&s->jobs, c->max_jobs ? c->max_jobs : JOBS_MAX, NULL, NULL)) != OK)
        goto out;
    if (s->by_hand)
        store_start_by_hand(s);
    for (unsigned i = 0; !s->by_hand && err == OK && i < s->n_readers; i++)
        err = reader_start(s, &s->reader[i], where.p, why, cap);
    if (!s->by_hand && err == OK && pthread_create(&s->thread, NULL, writer_main, s) != 0)
        err = ERR_NOMEM;
    s->started = err == OK && !s->by_hand;
    if (err != OK)
        goto out;
    *ret = s;
    return OK;
out:
    store_close(s);
    return err;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->by_hand && s->reads && s->jobs)
        store_turn(s);
    if (s->reads)
        turns_close(s->reads);
    for (unsigned i = 0; i < s->n_readers; i++) {
        struct reader *r = &s->reader[i];
        if (r->started)
            pthread_join(r->thread, NULL);
        if (r->db != s->db)
            s->engine->close(r->db);
    }
    turns_free(s->reads);
    if (s->started) {
        mailbox_close(s->jobs);
        pthread_join(s->thread, NULL);
    }
    if (s->jobs)
        mailbox_free(s->jobs);
    if (s->db)
        s->engine->close(s->db);
    free(s);
}

enum err store_write(struct store *s, struct store_job *job)
{
    return mailbox_put(s->jobs, &job->mail);
}

enum err store_read(struct store *s, struct store_job *job)
{
    enum err err = turns_put(s->reads, job->owner, &job->mail);
    metric_add(METRIC_SHARE_READS, err == ERR_AGAIN);
    return err;
}

static void job_on_done_now(struct store_job *job)
{
}

static enum err run_all_now(struct store *s, struct store_job *const *jobs, size_t n,
                            enum err (*submit)(struct store *, struct store_job *))
{
    struct mailbox *home;
    size_t submitted = 0, opened = 0;
    enum err err = mailbox_new(&home, n, NULL, NULL);
    if (err != OK)
        return err;
    for (; err == OK && submitted < n; submitted += err == OK) {
        jobs[submitted]->home = home;
        jobs[submitted]->done = job_on_done_now;
        err = submit(s, jobs[submitted]);
    }
    if (s->by_hand)
        store_turn(s);
    while (opened < submitted)
        for (struct mail *m = mailbox_wait(home), *next; m; m = next, opened++) {
            next = m->next;
            m->open(m);
        }
    for (size_t i = 0; err == OK && i < n; i++)
        err = jobs[i]->err;
    mailbox_free(home);
    return err;
}

enum err store_write_now(struct store *s, struct store_job *job)
{
    return run_all_now(s, &job, 1, store_write);
}

enum err store_read_now(struct store *s, struct store_job *job)
{
    return run_all_now(s, &job, 1, store_read);
}

enum err store_read_all_now(struct store *s, struct store_job *const *jobs, size_t n)
{
    return run_all_now(s, jobs, n, store_read);
}

bool store_is_writable(const struct store *s)
{
    return atomic_load_explicit(&s->writable, memory_order_relaxed);
}
