/* What the tests of rows share: a store in memory, without threads, and work done inside a job of
 * it, on the test's own thread. Each test file has one store for all its tests. */
#pragma once
#include "check.h"
#include "store/store.h"

static struct store *rows_store;

struct rows_job {
    struct store_job job; /* first */
    void (*work)(struct db *db);
};

static enum err rows_job_run(struct store_job *job, struct db *db)
{
    ((struct rows_job *)job)->work(db);
    return OK;
}

/* Runs it in one transaction, which is committed. */
static void in_job(void (*work)(struct db *db))
{
    struct rows_job j = {.job.run = rows_job_run, .work = work};
    assert_ok(store_write_now(rows_store, &j.job));
}

static int rows_begin(void **state)
{
    char why[256];
    const struct store_config c = {.url = "sqlite::memory:", .by_hand = true};
    return store_open(&c, &rows_store, why, sizeof why) == OK ? 0 : -1;
}

static int rows_end(void **state)
{
    store_close(rows_store);
    return 0;
}
