/* A tenant: an account, whose endpoints take turns in its turn, and its part of the shared pools.
 * Inside deliver/. */
#pragma once
#include "base/share.h"
#include "deliver/courier.h"

struct tenant {
    uint64_t account;
    struct queue *first, **last; /* in line */
    struct queue *stalled, **stalled_last;
    struct queue *load_wait, **load_wait_last;
    struct tenant *next_turn, *next_load;
    bool queued;
    bool parked;     /* has its share of the slots: out of line until one is free */
    bool at_share;   /* … and the metric has counted that */
    bool load_waits; /* in line for a read of the store */
    unsigned in_flight, retries_in_flight, loads, early, questions;
    size_t items;
};
extern const struct share slots_share, questions_share, items_share, loads_share;

struct tenant *tenant_of(struct courier *c, uint64_t account); /* made when new; NULL: no memory */
void tenant_turn(struct courier *c, struct tenant *n); /* in line, when it has anything there */
struct tenant *tenant_next(struct courier *c);         /* out of line; it may have one slot more */
bool tenant_may_hold(const struct courier *c, const struct tenant *n);
size_t tenant_slots(const struct courier *c, const struct tenant *n); /* that it may have in all */
void tenants_unpark(struct courier *c);                               /* a slot is free */
void tenants_free(struct courier *c);
