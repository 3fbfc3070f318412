/* A queue: an endpoint that ever had a pending delivery, with its lanes by their state, its health
 * and its slots. Inside deliver/. */
#pragma once
#include "deliver/courier.h"
#include "deliver/health.h"
#include "deliver/shelf.h"

struct lane;
struct lane_list {
    struct lane *first, **last;
    size_t n;
};

struct knock {    /* knock.c's; all zero unless the endpoint's connections fail */
    bool on;      /* they do */
    bool in_line; /* for a knock */
    bool second;  /* the knock is at the fallback URL */
    bool shut;    /* a knock found it so */
    bool opened;  /* the last knock did; the attempt behind it is not over */
    uint8_t vain; /* how often that attempt could not connect all the same */
    int64_t since_ms;
    struct http_exchange *exchange;
    struct queue *next;
    struct timer timer;
};

struct queue {
    uint64_t endpoint;
    struct courier *courier;
    struct shard *shard;
    struct tenant *tenant;
    struct lane *waiting;
    struct lane_list ready[2]; /* first attempts, and later ones */
    struct lane *unread;       /* their next deliveries are in the store alone */
    struct shelf shelf;
    size_t n_lanes, n_items; /* in memory */
    size_t pending;          /* deliveries, here and in the store */
    unsigned in_flight, retries_in_flight;
    bool queued;    /* in line for a turn */
    bool stalled;   /* nothing but retries is ready, and its account has its share of those */
    bool touched;   /* in line to be planned */
    bool woken;     /* its time to probe has come */
    bool loading;   /* a read brings lanes back, or waits to do so */
    bool disabled;  /* as the book said last */
    bool proven;    /* its last exchange brought an answer */
    bool saved;     /* the store knows since when it fails */
    bool was_first; /* the lane sent last was at its first attempt */
    struct health health;
    int64_t back_ms; /* mono: since when it is back from its last outage; 0: there was none */
    struct queue *next_turn, *next_stalled, *next_load, *next_touched;
    int64_t tokens_at_ms;
    double tokens;
    struct timer wake; /* the next probe, or the next token */
    struct timer due;  /* the first of the shelf */
    struct knock knock;
};

struct queue *queue_of(struct courier *c, uint64_t endpoint); /* made when new; NULL: no memory */
/* Looks up in the book which account it belongs to, and whether it is switched off. False: no
 * memory. */
bool queue_look_up(struct queue *t);
void queue_touch(struct queue *t); /* the turn's end brings back what is due, or sets a timer */
struct queue *queue_touched(struct courier *c); /* out of that line; NULL: there is none */
void queue_wake_at(struct queue *t, int64_t mono_ms);
void queue_due_at(struct queue *t, int64_t mono_ms);
void queue_turn(struct queue *t); /* something of it may be ready to go: in line at its account */
struct queue *queue_next(struct courier *c); /* out of line: whose turn it is; NULL: nobody's */
/* Takes it out of line until a retry of its account is over. */
void queue_stall(struct queue *t);
void queue_idle(struct queue *t); /* ends it when nothing is pending */
void queues_free(struct courier *c);

/* Take and give back a place in flight. */
void slot_take(struct queue *t, bool is_retry);
void slot_free(struct queue *t, bool is_retry);
/* May one more exchange start now, by limits, health and rate? It takes one of the rate. */
bool queue_may_send(struct queue *t, const struct book_endpoint *ep);
