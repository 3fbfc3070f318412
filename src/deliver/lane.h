/* A lane: the deliveries of one endpoint and one call, in order. It is either here, with all its
 * pending deliveries (or the first of them and `more`), or on its queue's shelf, and then its
 * deliveries are in the store alone. Inside deliver/. */
#pragma once
#include "deliver/queue.h"
#include "store/rows/deliveries.h"

enum lane_state { LANE_WAITING, LANE_READY, LANE_BUSY, LANE_LOADING };

struct item { /* a pending delivery */
    struct item *next;
    int64_t n, event_n;
    const struct event *event; /* NULL: in the store */
    int64_t first_ms;          /* mono: of its first attempt; 0: none yet */
    int64_t begun_ms;          /* mono: when its present schedule began; 0: not yet */
    int64_t next_ms;           /* mono: when it is due; 0: now */
    uint32_t attempts;
    uint32_t schedule_from; /* attempts before the present schedule */
    uint32_t sequence;
};

struct lane_key {
    uint64_t lane, endpoint;
};
struct lane {
    struct lane_key key;
    struct queue *queue;
    struct item *head, *tail;
    struct lane *next, **link; /* in its queue's waiting, unread or a ready list; none while busy */
    struct timer due;
    uint16_t n_items;
    uint8_t state; /* enum lane_state */
    bool more;     /* the store has later ones, which are not here */
};

void lane_push(struct courier *c, uint64_t key, uint64_t endpoint, struct item *take);
void lane_wait(struct lane *l, int64_t until_ms); /* mono; long waits are spent on the shelf */
/* Ends the head: the next delivery has its turn, or the lane ends. */
void lane_next(struct courier *c, struct lane *l);
void lanes_all_due(struct queue *t);                 /* no lane waits for its timer any more */
void lanes_drop(struct courier *c, struct queue *t); /* its endpoint is gone */
void lane_leave(struct lane *l);
void lane_ready(struct lane *l); /* to the end of its queue's ready list */
struct lane *lane_find(const struct courier *c, uint64_t key, uint64_t endpoint); /* or NULL */
/* For load.c: an empty lane in LANE_LOADING, and its items when they are there. */
struct lane *lane_new(struct courier *c, struct queue *t, uint64_t key);
/* A delivery as its row is: its times become mono time here, once. NULL: no memory. Any thread. */
struct item *item_new(const struct deliver *d, const struct delivery *row);
void lane_loaded(struct courier *c, struct lane *l, struct item *first, bool more);
void lane_shelve(struct lane *l, int64_t due_ms, int64_t begun_ms);
void item_drop_event(struct courier *c, struct item *it);
void lanes_free(struct courier *c);
