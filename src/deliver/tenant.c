/* tenant: an account at a courier: its place in line, and how much it holds of what all accounts
 * share: slots for exchanges, questions of calls, memory, reads of the store. None may hold more
 * than its share (base/share.h), so that whoever has little always finds some, though others hang
 * in all they may have. One that has its share of slots is parked until any slot is free. Thread of
 * its courier. */
#include "deliver/tenant.h"

#include <stdlib.h>

#include "base/metrics.h"

const struct share slots_share = {.max = IN_FLIGHT_MAX, .first = OWN_FIRST};
const struct share questions_share = {.max = QUESTIONS_MAX, .first = OWN_FIRST};
const struct share items_share = {.max = ITEMS_MAX, .first = LANE_ITEMS_MAX};
const struct share loads_share = {.max = LOADS_MAX, .first = 1};

struct tenant *tenant_of(struct courier *c, uint64_t account)
{
    struct tenant *n = map_get(c->tenants, str_of_u64(&account));
    if (n || !(n = calloc(1, sizeof *n)))
        return n;
    n->account = account;
    n->last = &n->first;
    n->stalled_last = &n->stalled;
    n->load_wait_last = &n->load_wait;
    if (map_put(c->tenants, str_of_u64(&n->account), n, NULL) == OK)
        return n;
    free(n);
    return NULL;
}

void tenant_turn(struct courier *c, struct tenant *n)
{
    if (n->queued || n->parked || !n->first)
        return;
    n->queued = true;
    n->next_turn = NULL;
    *c->turn_tail = n;
    c->turn_tail = &n->next_turn;
}

bool tenant_may_hold(const struct courier *c, const struct tenant *n)
{
    return share_allows(&slots_share, n->in_flight, c->in_flight);
}

static void park(struct courier *c, struct tenant *n)
{
    metric_add(METRIC_SHARE_SLOTS, !n->at_share);
    n->parked = n->at_share = true;
    n->next_turn = NULL;
    *c->parked_tail = n;
    c->parked_tail = &n->next_turn;
}

struct tenant *tenant_next(struct courier *c)
{
    struct tenant *n;
    while ((n = c->turn)) {
        c->turn = n->next_turn;
        if (!c->turn)
            c->turn_tail = &c->turn;
        n->queued = false;
        if (tenant_may_hold(c, n)) {
            n->at_share = false;
            return n;
        }
        park(c, n);
    }
    return NULL;
}

/* Each looks again whether it may. Unless all slots are taken, only those are parked that hold
 * OWN_FIRST of them at least, and so they are few. */
void tenants_unpark(struct courier *c)
{
    struct tenant *n = c->parked;
    c->parked = NULL;
    c->parked_tail = &c->parked;
    while (n) {
        struct tenant *next = n->next_turn;
        n->parked = false;
        tenant_turn(c, n);
        n = next;
    }
}

size_t tenant_slots(const struct courier *c, const struct tenant *n)
{
    return share_of(&slots_share, c->in_flight - n->in_flight);
}

void tenants_free(struct courier *c)
{
    struct tenant *n;
    for (size_t i = 0; c->tenants && (n = map_next(c->tenants, &i));)
        free(n);
    map_free(c->tenants);
}
