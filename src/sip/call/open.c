/* open: the requests within a call's dialogs that are not over yet, of each leg apart. Their
 * number is bounded, so that a peer that asks faster than the other side answers takes nothing from
 * anybody else; and when the call ends each of them gets its final answer (RFC 3261 §15.1.2). The
 * transactions go by their own timers; a handle that is stale is a free place. A leg that never
 * passed a request has no list. Edge's thread. */
#include <stdlib.h>

#include "sip/call/call.h"

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
        if (!open_at(leg->call, leg->open[i]))
            return &leg->open[i];
    return NULL;
}

bool open_has_room(struct leg *leg)
{
    if (!leg->open)
        leg->open = calloc(OPEN_MAX, sizeof *leg->open);
    return free_place(leg) != NULL;
}

void open_add(struct leg *leg, const struct txn *t)
{
    handle *place = free_place(leg);
    ASSERT(place);
    *place = t->self;
}

void open_refuse(struct leg *leg)
{
    struct sip_core *core = leg->call->core;
    for (size_t i = 0; leg->open && i < OPEN_MAX; i++) {
        struct txn *t = open_at(leg->call, leg->open[i]);
        if (t && t->state < TXN_COMPLETED && txn_request(t, &core->again) == OK)
            core_reply_kept(core, t, &core->again, 487, NULL, NULL);
    }
}
