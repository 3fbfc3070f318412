/* The live feed: gives new events to streams. A reader is a cursor, the number `n` of the last
 * event row it has. Newer events come out of a ring in memory as long as the cursor is inside it,
 * and out of the store otherwise. Both give the same rows in the same order, so nothing is missed
 * or doubled between them, and a slow reader holds nothing but its cursor.
 *
 * The feed rests on one invariant: rows become visible in the order of their numbers. One thread
 * writes (store/store.h): it numbers rows as it inserts them, commits, and tells them in that
 * order. With several writers on one database a row could appear behind a cursor that has passed
 * it; then the cursor has to count commits.
 *
 * feed_told: the writer's thread. Readers: any thread, one at a time for each reader. */
#pragma once
#include "hub/intake.h"
#include "model/number.h"

struct feed;

struct feed_config {
    struct store *store;
    int64_t tick_ms;        /* how late a reader may be woken after its wake_at_mono */
    size_t max, max_of_one; /* readers at once: in all, of one owner */
};
/* Starts the feed's thread, after asking the store for its newest row, which it waits for. */
MUST_USE enum err feed_start(const struct feed_config *c, struct feed **ret);
/* Wakes all readers, which get FEED_ENDED; nobody joins any more. It may be called again. */
void feed_close(struct feed *f);
void feed_stop(struct feed *f); /* joins the thread; all readers must have left; NULL-safe */

/* Takes a stored event, after its commit, in the order of the rows. An old row that is told again
 * is passed over. */
void feed_told(struct feed *f, const struct stored *s);
/* Empties the ring, after an erasure: readers go on from the store. Any thread. */
void feed_forget(struct feed *f);
int64_t feed_last(const struct feed *f); /* the newest row's number; 0: none yet */

struct feed_filter {
    uint64_t account;                                   /* 0: all */
    int kind;                                           /* -1: any */
    char number[NUMBER_SIZE], call_id[CALL_ID_MAX + 1]; /* "": any */
    int64_t since_ms;                                   /* occurred then or later; 0: any */
};
bool feed_filter_fits(const struct feed_filter *filter, const struct event *e);

struct feed_reader { /* embedded in a stream */
    struct feed_filter filter;
    uint64_t owner; /* counted for max_of_one */
    /* Tells the reader that there is news, or that wake_at_mono is over. Any thread, with the
     * feed's lock held: it must be quick and must not call the feed. Between a FEED_WAIT and
     * feed_leave, once for each FEED_WAIT. */
    void (*wake)(struct feed_reader *r);
    /* The feed's own: */
    int64_t cursor, wake_at_mono;
    bool waits, queued, granted; /* queued: for a page of the store; granted: it may read one */
    struct feed_reader *next, *prev, *queue_next;
};

enum feed_entry { FEED_JOINED, FEED_FULL, FEED_OWNER_FULL, FEED_CLOSED };
/* `after` < 0, or beyond the newest row (a store that was restored): from now on. */
enum feed_entry feed_join(struct feed *f, struct feed_reader *r, int64_t after);
void feed_leave(struct feed *f, struct feed_reader *r); /* wake is not called afterwards */

struct feed_item {
    int64_t n;
    const struct event *event; /* the caller's to drop */
};
/* The most events, and bytes of payloads plus one more payload, that feed_take gives at once. */
enum { FEED_TAKE_MAX = 16, FEED_TAKE_BYTES = 64 * 1024 };
enum feed_state {
    FEED_ITEMS,  /* it gave some; the reader takes again */
    FEED_BEHIND, /* the reader reads the store (feed_page), calls feed_went, and takes again */
    FEED_WAIT,   /* there is nothing, or others read the store just now; `wake` will be called */
    FEED_ENDED,
};
/* Gives the events after the reader's cursor. */
enum feed_state feed_take(struct feed *f, struct feed_reader *r, int64_t wake_at_mono,
                          struct feed_item item[FEED_TAKE_MAX], size_t *ret_n);

/* Lists, in a reader's job, the rows after the cursor that the filter lets through, within a
 * bounded range. `row` may stop it. *ret_cursor: how far it came, also past rows that do not fit.
 */
MUST_USE enum err feed_page(const struct feed *f, const struct feed_reader *r, struct db *db,
                            event_row *row, void *arg, int64_t *ret_cursor);
/* Ends the reading of a page; called once after each FEED_BEHIND, whatever its outcome. */
void feed_went(struct feed *f, struct feed_reader *r, int64_t cursor);
void feed_seek(struct feed *f, struct feed_reader *r, int64_t cursor); /* while it does not wait */
int64_t feed_cursor(struct feed *f, const struct feed_reader *r);
