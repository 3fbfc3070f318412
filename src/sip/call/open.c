/* open: the requests within a call's dialogs that are not over yet, of each leg apart. Their
 * number is bounded, so that a peer that asks faster than the other side answers takes nothing from
 * anybody else; and when the call ends each of them gets its final answer (RFC 3261 §15.1.2). The
 * transactions go by their own timers; a handle that is stale is a free place. Edge's thread. */
#include "sip/call/call.h"

/* Unanswered, or an INVITE that was refused and waits for its ACK. */
static struct txn *open_at(const struct call *c, handle h)
{
    struct txn *t = txn_at(c->core->txns, h);
    bool waits = t && (t->state < TXN_COMPLETED || (t->invite && t->state == TXN_COMPLETED));
    return waits ? t : NULL;
}

static const handle *free_place(const struct call *c, char leg)
{
    const handle *open = c->open[leg == 'b'];
    for (size_t i = 0; i < OPEN_MAX; i++)
        if (!open_at(c, open[i]))
            return &open[i];
    return NULL;
}

bool call_open_has_room(const struct call *c, char leg)
{
    return free_place(c, leg) != NULL;
}

void call_open_add(struct call *c, char leg, const struct txn *t)
{
    const handle *place = free_place(c, leg);
    ASSERT(place);
    c->open[leg == 'b'][place - c->open[leg == 'b']] = t->self;
}

void call_open_refuse(struct call *c)
{
    struct sip_core *core = c->core;
    for (size_t i = 0; i < 2 * OPEN_MAX; i++) {
        struct txn *t = open_at(c, c->open[i / OPEN_MAX][i % OPEN_MAX]);
        if (t && t->state < TXN_COMPLETED && txn_request(t, &core->again) == OK)
            core_reply_kept(core, t, &core->again, 487, NULL, NULL);
    }
}
