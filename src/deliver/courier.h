/* Inside deliver/: one courier: a loop with its lanes, its endpoints, its HTTP client. Nothing here
 * is shared with another courier. Thread of its loop.
 *
 *     delivery ── lane (endpoint × call: one at a time, in order) ── queue (endpoint: how many
 * lanes at once, is it healthy) ── attempt (one exchange, then its commit) */
#pragma once
#include "base/map.h"
#include "deliver/deliver.h"
#include "deliver/health.h"
#include "deliver/http_client.h"
#include "net/loop.h"

enum {
    EVENTS_HELD_MAX = 50000, /* beyond it, and for retries, an event is read from the store again */
    IN_FLIGHT_MAX = 2048,    /* exchanges of one courier */
    CONCURRENCY = 8,         /* lanes of an endpoint at once, unless it says otherwise */
};

enum lane_state { LANE_WAITING, LANE_READY, LANE_BUSY };

struct item { /* a pending delivery */
    struct item *next;
    int64_t n, event_n;
    const struct event *event;       /* NULL: in the store */
    int64_t first_at_ms, next_at_ms; /* wall */
    uint32_t attempts;
    uint32_t sequence;
};

struct lane {
    uint64_t key;
    struct queue *queue;
    struct item *head, *tail;
    struct lane *next, **link; /* in its queue's waiting or ready list; none while busy */
    struct timer due;
    uint8_t state; /* enum lane_state */
};

struct queue { /* an endpoint, while something is pending for it */
    uint64_t endpoint;
    struct courier *courier;
    struct lane *waiting, *ready, **ready_tail;
    size_t n_lanes;
    unsigned in_flight;
    struct health health;
    struct queue *next_turn; /* in the courier's queue of those with something ready */
    bool queued;
    int64_t tokens_at_ms;
    double tokens;
    struct timer wake; /* the next probe, or the next token */
};

struct courier {
    struct deliver *deliver;
    struct loop *loop;
    struct http_client *http;
    struct map *lanes, *queues;
    struct queue *turn, **turn_tail;
    unsigned in_flight;
    struct question *questions;   /* ask.c's */
    struct attempt_job *attempts; /* those with an exchange under way */
    size_t events_held, pending;
    size_t jobs_out; /* store jobs whose answer is still to come */
    bool stopping, stopped;
    struct timer give_up; /* stopping: how long exchanges may take */
};

/* lane.c: when */
void lane_push(struct courier *c, uint64_t key, uint64_t endpoint, struct item *take);
void lane_ready(struct lane *l);                  /* to the end of its queue's ready list */
void lane_wait(struct lane *l, int64_t until_ms); /* wall */
/* The head is done with: the next one's turn, or the lane's end. */
void lane_next(struct courier *c, struct lane *l);
void lane_drop_all(struct courier *c, struct queue *t); /* its endpoint is gone */
void lane_leave(struct lane *l);
void item_free(struct courier *c, struct item *it);
void lanes_free(struct courier *c);

/* dispatch.c: next */
void dispatch(struct courier *c);
void queue_turn(struct queue *t); /* something of it may be ready to go */
void queue_recovered(struct queue *t);
void queue_nudge(struct courier *c, uint64_t endpoint);

/* attempt.c: how */
void attempt_start(struct courier *c, struct lane *l);
void attempts_cancel(struct courier *c);
/* The lines of a signed request, without Host and Content-Length. */
void request_put_headers(struct buf *b, const struct book_endpoint *ep, const struct event *e,
                         unsigned attempt, int64_t now_ms, struct str body);

/* disable.c: an endpoint that is gone (410), or failing for five days */
void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why);

/* ask.c */
void questions_free(struct courier *c);

/* deliver.c */
void courier_job_done(struct courier *c); /* a store job came back */
void courier_may_stop(struct courier *c); /* ends a stop that waited for the last one */
struct deliver {
    struct deliver_config c;
    unsigned n;
    struct courier *courier;
};
