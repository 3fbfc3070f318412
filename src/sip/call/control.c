/* control: asks the webhooks whose answers may decide about a call (hub/decision.h).
 * incoming_call's are asked while it is on its way to the disk; nothing is done with an answer
 * before the commit. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/route.h"

static struct askers call_askers(const struct call *c)
{
    const struct sip_config *s = &c->core->c;
    return (struct askers){s->early, s->ask, s->ask_arg};
}

bool call_decision_make(struct call *c)
{
    return c->decision || decision_new(c->book, c->account, str_of(c->number), &c->decision) == OK;
}

void call_ask_ahead(struct call *c, const struct event *event, const struct admission *t)
{
    size_t n;
    const struct delivery *to = admission_deliveries(t, &n);
    const struct askers by = call_askers(c);
    if (call_decision_make(c))
        decision_ask_ahead(c->decision, &by, event, to, n, loop_now_ms(c->core->c.loop));
}

void call_ask(struct call *c, struct str url)
{
    const struct askers by = call_askers(c);
    struct event *made = NULL;
    if (call_event(c, &(struct call_news){.kind = EVENT_INCOMING_CALL}, &made) != OK)
        return;
    const struct event *event = made;
    decision_ask(c->decision, &by, event, url, loop_now_ms(c->core->c.loop));
    event_drop(&event);
}

void call_wait_for_answer(struct call *c, int64_t at_most_ms)
{
    if (c->state != CALL_DECIDING)
        call_set_state(c, CALL_DECIDING);
    call_wait(c, at_most_ms);
}
