/* One courier: a loop with its lanes, its endpoints and its HTTP client. Two couriers share nothing of
 * this. Inside deliver/. Thread of its loop.
 *
 *     delivery ── lane     one endpoint × one call: one delivery at a time, in order
 *                  └ queue    one endpoint: how many lanes at once, and whether it is healthy
 *                     └ tenant   one account: takes its turn
 *                        └ attempt  one exchange, then its commit
 *
 * An event of the loop only notes that a queue is to be looked at. The end of the turn looks once
 * (deliver.c): plan.c brings lanes back from the store, dispatch.c starts attempts. */
#pragma once
#include <stdatomic.h>

#include "base/map.h"
#include "deliver/config.h"
#include "deliver/http/client.h"
#include "net/loop.h"
#include "store/rows/shards.h"

enum {
    EVENTS_HELD_MAX = 50000, /* beyond it, and for retries, an event is read from the store again */
    ITEMS_MAX = 131072,      /* deliveries of one courier in memory; the rest is on shelves */
    QUEUE_ITEMS_MAX = 16384, /* … of one endpoint */
    LANE_ITEMS_MAX = 256,    /* … of one lane */
    IN_FLIGHT_MAX = 4096,    /* exchanges of one courier, shared out by account */
    QUESTIONS_MAX = 2048,    /* ask.c's under way, shared out by account */
    OWN_FIRST = 16,          /* slots or questions that an account may have, whatever others do */
    LOADS_MAX = 16,          /* reads at once that bring lanes back */
    READY_LOW = 64,          /* ready lanes of a queue, below which more are brought back */
};

struct queue;
struct tenant;

enum shard_state { SHARD_AWAY, SHARD_TAKING, SHARD_HERE, SHARD_LEAVING };
struct shard {     /* of one courier: whether it may send to its endpoints */
    uint8_t state; /* enum shard_state */
    struct shard_hold hold;
    unsigned under_way; /* attempts and reads of its lanes */
    void (*on_left)(void *arg, unsigned shard);
    void *arg;
};

struct courier {
    struct deliver *deliver;
    struct loop *loop;
    struct http_client *http;
    struct map *lanes, *queues, *tenants;
    struct map *early;                /* early.c's */
    struct tenant *turn, **turn_tail; /* accounts with something ready */
    struct tenant *parked, **parked_tail;
    struct tenant *load_wait, **load_wait_tail;
    struct queue *touched, **touched_tail; /* to be planned at the turn's end */
    struct shard shard[SHARDS];
    unsigned in_flight, loads, n_questions, n_leaving;
    const struct book *book, *book_before; /* by courier_book */
    uint64_t book_generation;
    struct question *questions;    /* ask.c's */
    struct attempt_job *attempts;  /* those with an exchange under way */
    struct attempt_job *unwritten; /* those that the store could not take yet */
    size_t events_held, items;
    unsigned forgotten; /* how often data was erased: an event read before that is read again */
    size_t jobs_out;    /* store jobs whose answer is still to come */
    bool stopping, stopped;
    struct queue *knock_line, **knock_tail; /* knock.c's, as the three below */
    unsigned knocks;
    int64_t knock_next_ms;
    struct timer knock_pace;
    struct timer age;     /* age.c's */
    struct timer give_up; /* stopping: how long exchanges may take */
};

struct deliver {
    struct deliver_config c;
    int64_t
        start_ms; /* wall time less mono time at the start, which rows from before are read by */
    unsigned n;
    struct courier *courier;
    atomic_uchar home[SHARDS]; /* the number of the courier that has it, from 1; 0: none here */
};

/* The present book, held by the courier: valid until the loop's next turn. */
const struct book *courier_book(struct courier *c);
struct courier *courier_of(struct deliver *d, uint64_t endpoint); /* NULL: none here has it */
bool courier_has(const struct courier *c, uint64_t endpoint);     /* and may send to it */

/* A job of the store, or an event on its way there. The courier waits for its end before it stops;
 * `done` runs on its thread, exactly once, unless the call was refused. */
struct courier_job {
    struct store_job job; /* first; `run` and `committed` are the caller's */
    struct courier *courier;
    void (*done)(struct courier_job *j);
};
MUST_USE enum err courier_write(struct courier *c, struct courier_job *j);
MUST_USE enum err courier_read(struct courier *c, struct courier_job *j);
/* Submits an event that deliver itself makes; a failure is logged. */
MUST_USE enum err courier_submit(struct courier *c, struct admission **t);
