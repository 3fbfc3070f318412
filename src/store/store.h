/* Keeps all durable data. One writer thread has the one connection that writes; a few threads read.
 *
 * Work arrives as jobs. The writer runs all jobs that queued up during the last sync in one
 * transaction (no timer: batches form by themselves), commits, and only then sends each job home. A
 * job that fails alone is taken out of the batch and the rest runs again, so `run` may run more
 * than once and must give the same result each time. A commit whose answer never came runs again
 * too: rows carry our own ids, so that rows which are there already are found and not doubled. */
#pragma once
#include "base/mailbox.h"
#include "base/str.h"

struct store;
struct engine;
struct db; /* a connection, inside its transaction; valid during run */

struct store_job { /* embedded in the caller's own struct */
    struct mail mail;
    /* On the writer's or a reader's thread. Reads and writes through store/<subject>.h. */
    MUST_USE enum err (*run)(struct store_job *job, struct db *db);
    /* On the writer's thread, right after the commit that holds it; may be NULL. Not for readers.
     */
    void (*committed)(struct store_job *job);
    /* On the thread that empties `home`, exactly once, last; job->err tells how it went. */
    void (*done)(struct store_job *job);
    struct mailbox *home;
    unsigned weight; /* how many jobs it counts as in a batch; 0: 1 */
    uint64_t owner;  /* of a read: the account that asks; 0: the daemon. Owners take turns */
    /* OK; run's own error; ERR_STORE, ERR_STORE_FULL, ERR_NOMEM: nothing of it was written;
     * ERR_STORE_UNSURE: the outcome is unknown, even after the repeats. */
    enum err err;
};

struct store_config {
    const char *url; /* "sqlite:/path/to/file" */
    /* NULL: the engine that the url's scheme names. Tests of faults put their own in front of it,
     * since a real database does not give all outcomes of a commit on demand. */
    const struct engine *engine;
    size_t max_jobs;  /* waiting for the writer at most; 0: 65,536 */
    unsigned readers; /* threads; 0: 2 */
    bool by_hand;     /* no threads, for tests that decide when the store works: store_turn */
    /* Called on the writer's thread after a failed sync: nothing was acknowledged since, and the
     * process must end within a second. NULL: abort. */
    void (*on_broken)(void *arg);
    void *arg;
};

/* Opens (creating the file 0600 and its folder 0700), migrates, starts the threads. ret_why for
 * people when it fails: "…/x.db was written by a newer version (schema 7, this one knows 3)". */
MUST_USE enum err store_open(const struct store_config *c, struct store **ret, char *ret_why,
                             size_t why_cap);
/* Runs what was submitted, commits, joins the threads. NULL-safe. */
void store_close(struct store *s);

/* By hand: does the work of all threads on the caller's thread: the jobs that wait, or, when none
 * waits, the try whether it can write again. */
void store_turn(struct store *s);

/* Inside a writer's job: gives a number that differs for each transaction, and for each time that
 * one runs again. */
uint64_t db_transaction(const struct db *db);

/* Any thread. ERR_FULL: try later, the job was not taken. ERR_AGAIN, of a read: its owner has its
 * share of reads waiting. */
MUST_USE enum err store_write(struct store *s, struct store_job *job);
MUST_USE enum err store_read(struct store *s, struct store_job *job);
/* Waits on the caller's thread: for start-up, commands and tests. Returns job->err. `done` and
 * `home` are not used. */
MUST_USE enum err store_write_now(struct store *s, struct store_job *job);
MUST_USE enum err store_read_now(struct store *s, struct store_job *job);

/* The same of `n` jobs, which the readers share among them. The first error of any. */
MUST_USE enum err store_read_all_now(struct store *s, struct store_job *const *jobs, size_t n);

/* True while the last batch committed; /readyz and the edges' 503 depend on it. While false, the
 * writer tries by itself each 500 ms whether it can write again. Any thread. */
bool store_is_writable(const struct store *s);
