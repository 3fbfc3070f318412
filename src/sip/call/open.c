/* open: the requests within a call's dialogs that are not over yet, of each leg apart. Their
 * number is bounded, so that a peer that asks faster than the other side answers takes nothing from
 * anybody else; and when the call ends each of them gets its final answer (RFC 3261 §15.1.2). The
 * transactions go by their own timers; a handle that is stale is a free place. A leg that never
 * passed a request has no list. What the callee asks while its 200 waits for the store is held, and
 * goes on behind that in the order in which it came. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/call.h"

struct open_requests {
    handle at[OPEN_MAX];
    handle held[OPEN_MAX]; /* of them, in order; each is in `at`, too */
    uint8_t n_held;
};

/* Unanswered, or an INVITE that was refused and waits for its ACK. */
static struct txn *open_at(const struct call *c, handle h)
{
    struct txn *t = txn_at(c->core->txns, h);
    bool waits = t && (t->state < TXN_COMPLETED || (t->invite && t->state == TXN_COMPLETED));
    return waits ? t : NULL;
}

static handle *free_place(const struct leg *leg)
{
    for (size_t i = 0; leg->open && i < OPEN_MAX; i++)
        if (!open_at(leg->call, leg->open->at[i]))
            return &leg->open->at[i];
    return NULL;
}

bool open_has_room(struct leg *leg)
{
    if (!leg->open)
        leg->open = calloc(1, sizeof *leg->open);
    return free_place(leg) != NULL;
}

void open_add(struct leg *leg, const struct txn *t)
{
    handle *place = free_place(leg);
    ASSERT(place);
    *place = t->self;
}

/* One that is over has left its place, and may stand here still. */
static void held_compact(struct leg *leg)
{
    struct open_requests *o = leg->open;
    uint8_t n = 0;
    for (uint8_t i = 0; i < o->n_held; i++)
        if (open_at(leg->call, o->held[i]))
            o->held[n++] = o->held[i];
    o->n_held = n;
}

void open_hold(struct leg *leg, const struct txn *t)
{
    held_compact(leg);
    ASSERT(leg->open->n_held < OPEN_MAX);
    leg->open->held[leg->open->n_held++] = t->self;
}

struct txn *open_held_next(struct leg *leg)
{
    struct open_requests *o = leg->open;
    if (!o)
        return NULL;
    held_compact(leg);
    if (!o->n_held)
        return NULL;
    struct txn *t = open_at(leg->call, o->held[0]);
    memmove(o->held, o->held + 1, --o->n_held * sizeof *o->held);
    return t;
}

void open_refuse(struct leg *leg)
{
    struct sip_core *core = leg->call->core;
    for (size_t i = 0; leg->open && i < OPEN_MAX; i++) {
        struct txn *t = open_at(leg->call, leg->open->at[i]);
        if (t && t->state < TXN_COMPLETED && txn_request(t, &core->again) == OK)
            core_reply_kept(core, t, &core->again, 487, NULL, NULL);
    }
}
