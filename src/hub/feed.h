/* The live feed: what happens now, for those who read along (streams). A reader is a cursor, the
 * number `n` of the last event row it has: what is newer comes out of a ring in memory as long as
 * the cursor is inside, and out of the store otherwise. Both give the same rows in the same order,
 * so nothing is missed or doubled between them, and a slow reader holds nothing but its cursor.
 *
 * The invariant behind: rows become visible in the order of their numbers. One thread writes
 * (store.h): it numbers rows as it inserts them, commits, and tells them in that order. With
 * several writers on one database a row could appear behind a cursor that has passed it; whoever
 * brings them has to bring a cursor of commits.
 *
 * feed_told: the writer's thread. Readers: any thread, one at a time for each reader. */
#pragma once
#include "hub/intake.h"
#include "model/number.h"

struct feed;

struct feed_config {
    struct store *store;
    int64_t tick_ms;        /* how exact wake_at is */
    size_t max, max_of_one; /* readers at once: in all, of one owner */
};
/* Asks the store for its newest row; waits on it. Starts a thread. */
MUST_USE enum err feed_start(const struct feed_config *c, struct feed **ret);
/* All readers are woken and told FEED_ENDED, nobody joins any more. Idempotent. */
void feed_close(struct feed *f);
void feed_stop(struct feed *f); /* joins the thread; all readers must have left; NULL-safe */

/* After the commit, in the order of the rows. News of old rows (sent again) are passed over. */
void feed_told(struct feed *f, const struct stored *s);
/* What was erased must not come out of memory: readers go on from the store. Any thread. */
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
    uint64_t owner; /* who counts for max_of_one */
    /* There is news, or wake_at is over. Any thread, with the feed's lock held: it must be quick
     * and must not call the feed. Between a FEED_WAIT and feed_leave, once for each FEED_WAIT. */
    void (*wake)(struct feed_reader *r);
    /* The feed's own: */
    int64_t cursor, wake_at_mono;
    bool waits, queued, granted; /* queued: for a page of the store; granted: it may read one */
    struct feed_reader *next, *prev, *queue_next;
};

enum feed_joined { FEED_JOINED, FEED_FULL, FEED_OWNER_FULL, FEED_CLOSED };
/* `after` < 0, or beyond the newest row (a store that was restored): from now on. */
enum feed_joined feed_join(struct feed *f, struct feed_reader *r, int64_t after);
void feed_leave(struct feed *f, struct feed_reader *r); /* wake is not called afterwards */

struct feed_item {
    int64_t n;
    const struct event *event; /* the caller's to drop */
};
/* Of payloads, and one more: what a reader prints has a maximum. */
enum { FEED_TAKE_MAX = 16, FEED_TAKE_BYTES = 64 * 1024 };
enum feed_state {
    FEED_ITEMS,  /* here are some; take again */
    FEED_BEHIND, /* read the store from the cursor (feed_page), say feed_went, take again */
    FEED_WAIT,   /* there is nothing, or others read the store just now; wake comes */
    FEED_ENDED,
};
enum feed_state feed_take(struct feed *f, struct feed_reader *r, int64_t wake_at_mono,
                          struct feed_item item[FEED_TAKE_MAX], size_t *ret_n);

/* In a reader's job: the rows after the cursor that fit, a bounded range of them. `row` may stop.
 * *ret_cursor: how far it came, also past what does not fit. */
MUST_USE enum err feed_page(const struct feed *f, const struct feed_reader *r, struct db *db,
                            event_row *row, void *arg, int64_t *ret_cursor);
/* Once after each FEED_BEHIND, however the reading went. */
void feed_went(struct feed *f, struct feed_reader *r, int64_t cursor);
void feed_seek(struct feed *f, struct feed_reader *r, int64_t cursor); /* while it does not wait */
int64_t feed_cursor(struct feed *f, const struct feed_reader *r);
