/* cancel: takes back an INVITE of ours because who asked for it does, and says why (RFC 3261 §9,
 * RFC 3326). Edge's thread. */
#include "sip/call/route.h"

/* `t`: NULL: there is nothing to take back. */
static void cancel_saying(struct leg *asker, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = asker->call->core;
    struct buf b = core_scratch(core);
    if (!t)
        return;
    leg_put_parting(asker, &b, m);
    txn_cancel(core->txns, t, b.err == OK ? buf_str(&b) : (struct str){0});
}

void call_cancel_target(struct call *c, const struct sip_msg *m)
{
    if (c->route)
        cancel_saying(&c->a, txn_at(c->core->txns, c->route->client), m);
}

void call_cancel_reinvite(struct call *c, const struct sip_msg *m)
{
    if (c->x.state == EXCHANGE_ASKED) /* otherwise it was answered meanwhile */
        cancel_saying(c->x.from, txn_at(c->core->txns, c->x.client), m);
}
