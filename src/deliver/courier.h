/* Inside deliver/: one courier: a loop with its lanes, its endpoints, its HTTP client. Nothing here
 * is shared with another courier. Thread of its loop.
 *
 *     delivery ── lane (endpoint × call: one at a time, in order) ── queue (endpoint: how many
 * lanes at once, is it healthy) ── tenant (account: takes its turn) ── attempt (one exchange, then
 * its commit)
 *
 * A lane is either here, with all its pending deliveries (or the first of them and `more`), or on
 * its queue's shelf, and then its deliveries are in the store alone. */
#pragma once
#include "base/map.h"
#include "base/share.h"
#include "deliver/deliver.h"
#include "deliver/health.h"
#include "deliver/http/client.h"
#include "deliver/shelf.h"
#include "net/loop.h"

enum {
    EVENTS_HELD_MAX = 50000, /* beyond it, and for retries, an event is read from the store again */
    ITEMS_MAX = 131072,      /* deliveries of one courier in memory; the rest is on shelves */
    QUEUE_ITEMS_MAX = 16384, /* … of one endpoint */
    LANE_ITEMS_MAX = 256,    /* … of one lane */
    IN_FLIGHT_MAX = 4096,    /* exchanges of one courier, shared out by account */
    RETRIES_OF_4 = 3,        /* of an account's share, so many quarters may be retries */
    QUESTIONS_MAX = 2048,    /* ask.c's under way, shared out by account */
    OWN_FIRST = 16,  /* slots or questions that an account may have, whatever the others do */
    CONCURRENCY = 8, /* lanes of an endpoint at once, unless it says otherwise */
    SHELVE_AFTER_MS = 20000, /* a lane that is due later than that leaves the memory */
    LOAD_LANES_MAX = 128,    /* that one read brings back from the store */
    LOADS_MAX = 16,          /* such reads at once */
    READY_LOW = 64,          /* ready lanes of a queue, below which more are brought back */
};

enum lane_state { LANE_WAITING, LANE_READY, LANE_BUSY, LANE_LOADING };

struct item { /* a pending delivery */
    struct item *next;
    int64_t n, event_n;
    const struct event *event; /* NULL: in the store */
    int64_t first_ms;          /* mono: of its first attempt; 0: none yet */
    int64_t next_ms;           /* mono: when it is due; 0: now */
    uint32_t attempts;
    uint32_t sequence;
};

struct lane_key {
    uint64_t lane, endpoint;
};
struct lane {
    struct lane_key key;
    struct queue *queue;
    struct item *head, *tail;
    struct lane *next, **link; /* in its queue's waiting or a ready list; none while busy */
    struct timer due;
    uint16_t n_items;
    uint8_t state; /* enum lane_state */
    bool more;     /* the store has later ones, which are not here */
};

struct lane_list {
    struct lane *first, **last;
    size_t n;
};

struct queue { /* an endpoint that something was ever pending for */
    uint64_t endpoint;
    struct courier *courier;
    struct tenant *tenant;
    struct lane *waiting;
    struct lane_list ready[2]; /* first attempts, and later ones */
    struct shelf shelf;
    size_t n_lanes, n_items; /* in memory */
    size_t pending;          /* deliveries, here and in the store */
    unsigned in_flight, retries_in_flight;
    bool queued;    /* in line for a turn */
    bool stalled;   /* nothing but retries is ready, and its account has its share of those */
    bool loading;   /* a read brings lanes back, or waits to do so */
    bool disabled;  /* as the book said last */
    bool proven;    /* its last exchange brought an answer */
    bool saved;     /* the store knows since when it fails */
    bool was_first; /* the lane sent last was at its first attempt */
    struct health health;
    struct queue *next_turn, *next_stalled, *next_load;
    int64_t tokens_at_ms;
    double tokens;
    struct timer wake; /* the next probe, or the next token */
    struct timer due;  /* the first of the shelf */
};

struct tenant { /* an account, whose endpoints take turns in its turn, and its part of what is
                   shared */
    uint64_t account;
    struct queue *first, **last; /* in line */
    struct queue *stalled, **stalled_last;
    struct queue *load_wait, **load_wait_last;
    struct tenant *next_turn, *next_load;
    bool queued;
    bool parked;     /* has its share of the slots: out of line until one is free */
    bool at_share;   /* … and was told so to the metric */
    bool load_waits; /* in line for a read of the store */
    unsigned in_flight, retries_in_flight, loads, early, questions;
    size_t items;
};
extern const struct share slots_share, questions_share, items_share, loads_share;

struct courier {
    struct deliver *deliver;
    struct loop *loop;
    struct http_client *http;
    struct map *lanes, *queues, *tenants;
    struct map *early; /* early.c's */
    struct tenant *turn, **turn_tail;
    struct tenant *parked, **parked_tail;
    struct tenant *load_wait, **load_wait_tail;
    unsigned in_flight, loads, n_questions;
    const struct book *book, *book_before; /* by courier_book */
    uint64_t book_generation;
    struct question *questions;   /* ask.c's */
    struct attempt_job *attempts; /* those with an exchange under way */
    size_t events_held, items;
    unsigned forgotten; /* how often data was erased: what was read before is read again */
    size_t jobs_out;    /* store jobs whose answer is still to come */
    bool stopping, stopped;
    struct timer age;     /* age.c's */
    struct timer give_up; /* stopping: how long exchanges may take */
};

/* lane.c: when */
void lane_push(struct courier *c, uint64_t key, uint64_t endpoint, struct item *take);
void lane_wait(struct lane *l, int64_t until_ms); /* mono; long waits are spent on the shelf */
/* The head is done with: the next one's turn, or the lane's end. */
void lane_next(struct courier *c, struct lane *l);
void lane_drop_all(struct courier *c, struct queue *t); /* its endpoint is gone */
void lane_leave(struct lane *l);
void lane_ready(struct lane *l); /* to the end of its queue's ready list */
struct lane *lane_find(const struct courier *c, uint64_t key, uint64_t endpoint); /* or NULL */
/* For load.c: an empty lane in LANE_LOADING, and its items when they are there. */
struct lane *lane_new(struct courier *c, struct queue *t, uint64_t key);
/* A delivery as its row is: its times become mono time here, once. NULL: no memory. Any thread. */
struct item *item_new(const struct deliver *d, const struct delivery *row);
void lane_loaded(struct courier *c, struct lane *l, struct item *first, bool more);
void lane_shelve(struct lane *l, int64_t due_ms, int64_t first_ms);
void item_free(struct courier *c, struct item *it);
void lanes_free(struct courier *c);

/* queue.c: an endpoint: how it comes to be, and what wakes it */
struct queue *queue_of(struct courier *c, uint64_t endpoint); /* made when new; NULL: no memory */
void queue_plan(struct queue *t); /* brings back what is due, or waits until something is */
void queue_wake_at(struct queue *t, int64_t mono_ms);
void queue_recovered(struct queue *t);
void queue_nudge(struct courier *c, uint64_t endpoint);
void queue_idle(struct queue *t); /* nothing is pending for it */
void queues_free(struct courier *c);

/* tenant.c: accounts, and their shares */
struct tenant *tenant_of(struct courier *c, uint64_t account); /* made when new; NULL: no memory */
void tenant_take_queue(struct tenant *n, struct queue *t);
void tenant_turn(struct courier *c, struct tenant *n); /* in line, when it has anything there */
struct tenant *tenant_next(struct courier *c);         /* out of line; it may have one slot more */
bool tenant_may_hold(const struct courier *c, const struct tenant *n);
size_t tenant_slots(const struct courier *c, const struct tenant *n); /* that it may have in all */
void tenants_unpark(struct courier *c);                               /* a slot is free */
void tenants_free(struct courier *c);

/* load.c: lanes that come back from the store */
void load_start(struct queue *t, size_t lanes_max, int64_t due_ms);
void load_more(struct lane *l);
/* At the start, before the loop runs: all that is pending goes to the shelves. */
MUST_USE enum err load_all(struct deliver *d);

/* dispatch.c: next */
void dispatch(struct courier *c);
void queue_turn(struct queue *t); /* something of it may be ready to go */
void slot_take(struct courier *c, struct queue *t, bool is_retry);
void slot_free(struct courier *c, struct queue *t, bool is_retry);
/* One more exchange now: limits, health, rate (of which it takes one). */
bool queue_may_send(struct queue *t, const struct book_endpoint *ep);

/* attempt.c: how */
void attempt_start(struct courier *c, struct lane *l);
/* The lane's head has a post under way or done already: it becomes its attempt. Takes it, and the
 * place in `in_flight` that it has; false when there is no memory. */
struct post;
bool attempt_adopt(struct courier *c, struct lane *l, struct post **post);
void attempts_cancel(struct courier *c);

/* outage.c: since when an endpoint fails, kept in the store */
void outage_save(struct queue *t);
MUST_USE enum err outages_load(struct deliver *d);

/* age.c: how old the oldest pending delivery is, for the metric */
void age_watch(struct courier *c);

/* disable.c: an endpoint that is gone (410), or failing for five days */
void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why);

/* ask.c */
void questions_free(struct courier *c);

/* deliver.c */
/* The present book, held by the courier: valid until the loop's next turn. */
const struct book *courier_book(struct courier *c);
struct courier *courier_of(struct deliver *d, uint64_t endpoint);
void courier_job_done(struct courier *c); /* a store job came back */
void courier_may_stop(struct courier *c); /* ends a stop that waited for the last one */
struct deliver {
    struct deliver_config c;
    int64_t
        start_ms; /* wall time less mono time at the start, which rows from before are read by */
    unsigned n;
    struct courier *courier;
};
