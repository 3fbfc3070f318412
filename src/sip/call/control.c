/* control: asks the webhooks whose answers may decide about a call (hub/decision.h), and hands
 * their answers in. incoming_call's are asked while it is on its way to the disk; nothing is done
 * with an answer before the commit. Edge's thread, but for call_post_control. */
#include <stdlib.h>
#include <string.h>

#include "sip/call/route.h"

enum { ANSWER_BYTES_MAX = 8192 };

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
    if (call_event(c, EVENT_INCOMING_CALL, &made) != OK)
        return;
    const struct event *event = made;
    decision_ask(c->decision, &by, event, url, loop_now_ms(c->core->c.loop));
    event_drop(&event);
}

static void on_answer_late(struct timer *t)
{
    call_next_target(t->arg);
}

void call_wait_for_answer(struct call *c, int64_t at_most_ms)
{
    if (c->state != CALL_DECIDING)
        call_set_state(c, CALL_DECIDING);
    loop_timer(c->core->c.loop, &c->invite_timer, at_most_ms, on_answer_late, c);
}

/* An answer that comes before it is asked for is kept. */
static void on_answer(struct call *c, uint64_t mark, int status, struct str body)
{
    if (!c->decision)
        return;
    decision_answer(c->decision, mark, status, body, loop_now_ms(c->core->c.loop));
    if (c->state == CALL_DECIDING)
        call_next_target(c);
}

struct control_mail {
    struct mail mail;
    struct calls *calls;
    uint64_t asked;
    int status;
    char call_id[ID_SIZE];
    size_t n;
    char body[];
};

static void on_control(struct mail *m)
{
    struct control_mail *k = (struct control_mail *)m;
    struct call *c = map_get(k->calls->by_id, str_of(k->call_id));
    if (c)
        on_answer(c, k->asked, k->status, str_of_bytes(k->body, k->n));
    free(k);
}

void call_post_control(struct calls *calls, struct str call_id, uint64_t asked, int status,
                       struct str body)
{
    body = str_slice(body, 0, ANSWER_BYTES_MAX);
    struct control_mail *k = malloc(sizeof *k + body.n);
    if (!k)
        return; /* the call's own time limit decides */
    k->mail.open = on_control;
    k->calls = calls;
    k->asked = asked;
    k->status = status;
    k->n = body.n;
    if (body.n)
        memcpy(k->body, body.p, body.n);
    if (str_copy(call_id, k->call_id, sizeof k->call_id) == OK)
        loop_post_answer(calls->core->c.loop, &k->mail);
    else
        free(k);
}
