/* leg: one side of a call: made, found by our tag, and ended. Edge's thread. */
#include <stdlib.h>

#include "base/crypto.h"
#include "sip/call/call.h"

void leg_init(struct leg *leg, struct call *c, char name)
{
    leg->call = c;
    leg->other = name == 'a' ? &c->b : &c->a;
    leg->name = name;
    leg->dialog = (struct dialog){.leg = name};
    token_print(c->self, crypto_random_u64(), leg->dialog.token);
}

void leg_fini(struct leg *leg)
{
    struct map *restored = leg->call->calls->restored;
    if (map_get(restored, str_of(leg->dialog.token)) == leg)
        map_remove(restored, str_of(leg->dialog.token));
    dialog_fini(&leg->dialog);
    free(leg->secrets);
    block_give(leg->call->core->blocks, &leg->bye_rest);
    free(leg->open);
}

/* Legs from before a restart are found by the whole token, and rows of earlier versions have one
 * for both legs. */
struct leg *leg_of_tag(struct calls *calls, struct str tag, uint16_t *ret_fork)
{
    handle h;
    uint64_t random;
    struct dialog said;
    if (!dialog_parse_tag(tag, &said) || !token_parse(tag, &h, &random))
        return NULL;
    *ret_fork = said.fork;
    struct str token = str_of(said.token);
    struct call *c = pool_at(calls->pool, h);
    struct leg *leg = c ? call_leg(c, said.leg) : NULL;
    if (leg && str_eq(token, str_of(leg->dialog.token)))
        return leg;
    leg = map_get(calls->restored, token);
    if (leg && leg->name != said.leg)
        leg = leg->other;
    return leg && str_eq(token, str_of(leg->dialog.token)) ? leg : NULL;
}

struct dialog *leg_dialog_of(struct leg *leg, uint16_t fork, struct str call_id,
                             struct str peer_tag)
{
    struct dialog *d = &leg->dialog;
    if (!leg->call->b.dialog.mem)
        return fork_dialog_of(leg, fork, call_id, peer_tag);
    return dialog_is(d, call_id, peer_tag) && fork == d->fork ? d : NULL;
}

/* Unlike the call, which its caller knows by its INVITE. */
void leg_forget_tags(struct leg *leg)
{
    struct map *restored = leg->call->calls->restored;
    if (map_get(restored, str_of(leg->dialog.token)) == leg)
        map_remove(restored, str_of(leg->dialog.token));
    token_print(leg->call->self, crypto_random_u64(), leg->dialog.token);
}

void leg_trace(const struct leg *leg, struct txn *t)
{
    t->leg = (uint8_t)leg->name;
    t->trace = leg->call->trace;
    txn_charge(leg->call->core->txns, t, leg->call->account);
}

void leg_heard(struct leg *leg)
{
    leg->heard_ms = (uint32_t)loop_now_ms(leg->call->core->c.loop);
}

void leg_proved(struct leg *leg)
{
    leg_heard(leg);
    leg->proved_ms = leg->heard_ms;
}
