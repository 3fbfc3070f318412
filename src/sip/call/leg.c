/* leg: one side of a call: made, found by our tag, and ended. Edge's thread. */
#include <stdlib.h>

#include "base/crypto.h"
#include "sip/call/call.h"

void leg_init(struct leg *leg, struct call *c, char name)
{
    leg->call = c;
    leg->other = name == 'a' ? &c->b : &c->a;
    leg->name = name;
    leg->dialog = (struct dialog){.leg = name, .fork = '0'};
    token_print(c->self, crypto_random_u64(), leg->dialog.token);
}

void leg_forks_fini(struct leg *leg)
{
    for (size_t i = 0; i < leg->n_early; i++) {
        dialog_fini(leg->early[i]);
        free(leg->early[i]);
    }
    leg->n_early = 0;
}

void leg_fini(struct leg *leg)
{
    struct map *restored = leg->call->calls->restored;
    if (map_get(restored, str_of(leg->dialog.token)) == leg)
        map_remove(restored, str_of(leg->dialog.token));
    leg_forks_fini(leg);
    dialog_fini(&leg->dialog);
    free(leg->secrets);
    free(leg->bye_reason);
    free(leg->open);
}

/* Our tag is the leg's token, its name and which of its forks. Legs from before a restart are found
 * by the whole token, and rows of earlier versions have one for both legs. */
struct leg *leg_of_tag(struct calls *calls, struct str tag, char *ret_fork)
{
    handle h;
    uint64_t random;
    if (tag.n != TOKEN_SIZE + 1 || !token_parse(tag, &h, &random))
        return NULL;
    struct str token = str_slice(tag, 0, TOKEN_SIZE - 1);
    char name = tag.p[TOKEN_SIZE - 1];
    *ret_fork = tag.p[TOKEN_SIZE];
    if (name != 'a' && name != 'b')
        return NULL;
    struct call *c = pool_at(calls->pool, h);
    struct leg *leg = c ? call_leg(c, name) : NULL;
    if (leg && str_eq(token, str_of(leg->dialog.token)))
        return leg;
    leg = map_get(calls->restored, token);
    if (leg && leg->name != name)
        leg = leg->other;
    return leg && str_eq(token, str_of(leg->dialog.token)) ? leg : NULL;
}

struct dialog *leg_dialog_of(struct leg *leg, char fork, struct str call_id, struct str peer_tag)
{
    struct dialog *d = &leg->dialog;
    bool answered = leg->call->b.dialog.mem != NULL;
    if (leg == &leg->call->b && !answered) {
        for (size_t i = 0; i < leg->n_early; i++)
            if (dialog_is(leg->early[i], call_id, peer_tag))
                return fork == d->fork ? leg->early[i] : NULL;
        return NULL;
    }
    return dialog_is(d, call_id, peer_tag) && (!answered || fork == d->fork) ? d : NULL;
}

void leg_trace(const struct leg *leg, struct txn *t)
{
    t->leg = (uint8_t)leg->name;
    t->trace = leg->call->trace;
    txn_charge(leg->call->core->txns, t, leg->call->account);
}
