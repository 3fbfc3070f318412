/* calls: the door of the calls. What the edge hands in goes to its call, and there to the file
 * whose it is; nothing in this room calls it. Edge's thread, but for what is posted. */
#include "sip/call/calls.h"

#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"
#include "sip/call/route.h"

/* Calls are freed when nobody is inside them any more. */
static void reap(void *arg)
{
    struct calls *calls = arg;
    while (calls->over) {
        struct call *c = calls->over;
        calls->over = c->next_over;
        call_free(c);
    }
}

enum err calls_init(struct calls *calls, struct sip_core *core, size_t max)
{
    calls->core = core;
    calls->states = call_states;
    calls->announce = call_ask_ahead;
    calls->begin_again = call_begin_again;
    calls->began_ms = loop_now_ms(core->c.loop);
    loop_on_turn_end(core->c.loop, reap, calls);
    calls->by_id = map_new();
    calls->restored = map_new();
    return calls->by_id && calls->restored ? pool_new(&calls->pool, sizeof(struct call), max)
                                           : ERR_NOMEM;
}

void calls_fini(struct calls *calls)
{
    handle h;
    struct call *c;
    for (size_t i = 0; calls->pool && (c = pool_next(calls->pool, &i, &h));) {
        outbox_free(c); /* an answer to it will never be opened: the loop has ended */
        call_route_drop(c);
        call_free(c);
    }
    calls_broken_stop(calls);
    if (calls->core)
        loop_off_turn_end(calls->core->c.loop, calls);
    pool_free(calls->pool);
    map_free(calls->by_id);
    map_free(calls->restored);
    *calls = (struct calls){0};
}

struct leg *calls_at(struct calls *calls, struct str tag, struct str call_id, struct str peer_tag,
                     struct call_place *ret)
{
    *ret = (struct call_place){0};
    struct leg *leg = tag.p ? leg_of_tag(calls, tag, &ret->fork) : NULL;
    ret->dialog = leg ? leg_dialog_of(leg, ret->fork, call_id, peer_tag) : NULL;
    ret->leg = ret->dialog ? leg : NULL;
    return leg;
}

void calls_packet_at_hand(struct calls *calls, const struct leg *leg, const struct path *from,
                          struct str raw)
{
    core_trace(calls->core, &leg->call->trace, leg->name, from, raw);
}

/* The leg whose INVITE has the branch of `m`, when `m` is that leg's; NULL otherwise: a stranger may
 * use another's branch. */
static struct leg *leg_of_invite(struct calls *calls, const struct txn *invite,
                                 const struct sip_msg *m)
{
    struct call *c = invite && invite->call ? pool_at(calls->pool, invite->call) : NULL;
    struct leg *leg = c ? call_leg(c, (char)invite->leg) : NULL;
    return leg && dialog_is(&leg->dialog, m->call_id, m->from.tag) ? leg : NULL;
}

void calls_on_ack(struct calls *calls, const struct call_place *at, const struct txn *invite,
                  const struct sip_msg *m)
{
    struct leg *leg = at->leg ? at->leg : leg_of_invite(calls, invite, m);
    if (!leg)
        return;
    leg_proved(leg);
    leg_on_ack(leg, m);
}

void calls_on_request(const struct call_place *at, const struct sip_msg *m, const struct path *from,
                      struct str raw)
{
    leg_proved(at->leg);
    if (m->method == SIP_BYE)
        leg_on_bye(at->leg, m, from, raw);
    else
        leg_on_request(at->leg, at->dialog, m, from, raw);
}

bool calls_want_again(struct calls *calls, const struct txn *t, const struct sip_msg *m)
{
    const struct call *c = t->call ? pool_at(calls->pool, t->call) : NULL;
    return c && m->method == SIP_INVITE && c->x.server == t->self &&
           call_takes(c, INPUT_INVITE_AGAIN);
}

/* The unanswered INVITE that a CANCEL with a branch of its own means: some programs make a new one
 * (§9.1 says the same). It comes from where the INVITE did, and says all that the INVITE said. */
static struct txn *invite_without_branch(struct calls *calls, const struct sip_msg *m,
                                         const struct path *from)
{
    struct sip_core *core = calls->core;
    const struct party party = party_from(core->book, &from->peer);
    struct call *c = call_of_invite(calls, m, &party);
    struct txn *t = c && c->x.first ? txn_at(core->txns, c->x.server) : NULL;
    bool same = t && t->state < TXN_COMPLETED && addr_eq_host(&t->path.peer, &from->peer) &&
                leg_of_invite(calls, t, m) && txn_request(t, &core->again) == OK &&
                str_eq(core->again.ruri_text, m->ruri_text);
    return same ? t : NULL;
}

void calls_on_cancel(struct calls *calls, const struct sip_msg *m, const struct path *from)
{
    struct sip_core *core = calls->core;
    struct txn *invite = txn_server_of(core->txns, m);
    if (!invite && !m->to.tag.p)
        invite = invite_without_branch(calls, m, from);
    struct call *c = invite && invite->call ? pool_at(calls->pool, invite->call) : NULL;
    if (c && !leg_of_invite(calls, invite, m))
        invite = NULL;
    if (c && invite && c->x.first && c->x.server == invite->self) {
        char tag[DIALOG_TAG_SIZE]; /* the 487's (§9.2) */
        dialog_print_tag(&c->a.dialog, tag);
        core_reply_tagged(core, m, from, 200, str_of(tag), NULL, NULL);
    } else {
        core_reply(core, m, from, invite ? 200 : 481, NULL, NULL);
    }
    if (!c || !invite || c->x.server != invite->self)
        return;
    if (c->x.first)
        call_on_cancel(c, m);
    else
        call_cancel_reinvite(c, m);
}

/* A response has the Call-ID and the From of what it answers (§8.2.6.2): what it says would make or
 * change a dialog otherwise. */
bool calls_answer_fits(struct calls *calls, const struct txn *t, const struct sip_msg *m)
{
    uint16_t fork;
    struct call *c = t->call ? pool_at(calls->pool, t->call) : NULL;
    if (!c)
        return true; /* it changes nothing any more */
    const struct leg *leg = call_leg(c, (char)t->leg);
    const struct dialog *d = &leg->dialog;
    bool ours = m->from.tag.p && leg_of_tag(calls, m->from.tag, &fork) == leg;
    return ours && (d->mem ? str_eq(m->call_id, dialog_get(d, DIALOG_CALL_ID))
                           : str_starts(m->call_id, str_of(c->token)));
}

/* A 2xx to INVITE comes from a peer that knows the dialog, when it has the dialog's tag; any other
 * answer can be anybody's. */
static void heard_of(struct leg *leg, const struct sip_msg *m)
{
    if (m->cseq_method == SIP_INVITE && m->status >= 200 && m->status < 300 &&
        dialog_is(&leg->dialog, m->call_id, m->to.tag))
        leg_proved(leg);
    else
        leg_heard(leg);
}

void calls_on_response(struct calls *calls, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = calls->core;
    struct call *c = t->call ? pool_at(calls->pool, t->call) : NULL;
    if (!c) { /* abandoned: what rings is told to stop, what answers is hung up */
        if (t->invite && m->status < 200)
            txn_cancel(core->txns, t, (struct str){0});
        else if (t->invite && m->status < 300)
            call_hang_up_stray(core, t, &t->strays, m);
        return;
    }
    heard_of(call_leg(c, (char)t->leg), m);
    if (t->purpose == FOR_ROUTE)
        call_on_route_response(c, t, m);
    else if (t->purpose == FOR_PROBE)
        call_on_probe_answer(c, t, m->status);
    else if (t->purpose == FOR_OPINION)
        call_on_opinion(c, t, m);
    else if (t->purpose == FOR_RELAY || t->purpose == FOR_REINVITE)
        call_on_relay_response(c, t, m);
}

/* A request that nobody answered in its time gets a final answer all the same. */
static void on_unanswered(struct sip_core *core, struct call *c, struct txn *t)
{
    bool first = c && c->x.first && c->x.server == t->self;
    if (first && call_takes(c, INPUT_CANCEL)) {
        call_end(c, END_NO_ANSWER, ENDED_BY_SYSTEM, 480);
        return;
    }
    if (txn_request(t, &core->again) == OK)
        core_reply_kept(core, t, &core->again, t->invite ? 480 : 504, NULL, NULL);
    if (first && call_takes(c, INPUT_END)) { /* it was answered, and the store hangs */
        leg_hang_up(&c->b, (struct str){0}, NULL);
        call_end(c, END_NO_ANSWER, ENDED_BY_SYSTEM, 480);
    }
}

void calls_on_failure(struct calls *calls, struct txn *t, enum err err)
{
    struct call *c = t->call ? pool_at(calls->pool, t->call) : NULL;
    int status = err == ERR_UNREACHABLE ? 503 : 408;
    if (t->server) {
        on_unanswered(calls->core, c, t);
        return;
    }
    if (!c)
        return;
    t->call = 0;
    if (t->purpose == FOR_ROUTE && call_takes(c, INPUT_TARGET))
        call_address_failed(c, status, str_of(t->why));
    else if (t->purpose == FOR_PROBE || t->purpose == FOR_OPINION)
        call_on_probe_failure(c, t, err);
    else if (t->purpose == FOR_RELAY || t->purpose == FOR_REINVITE)
        call_on_relay_failure(c, t, err);
}

enum { ANSWER_BYTES_MAX = 8192 };

/* An answer that comes before it is asked for is kept. */
static void on_webhook(struct call *c, uint64_t mark, int status, struct str body)
{
    if (!c->decision)
        return;
    decision_answer(c->decision, mark, status, body, loop_now_ms(c->core->c.loop));
    if (call_takes(c, INPUT_WEBHOOK))
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
        on_webhook(c, k->asked, k->status, str_of_bytes(k->body, k->n));
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

struct hangup_mail {
    struct mail mail;
    struct calls *calls;
    char call_id[ID_SIZE];
};

static void on_hangup(struct mail *m)
{
    struct hangup_mail *h = (struct hangup_mail *)m;
    struct call *c = map_get(h->calls->by_id, str_of(h->call_id));
    static const struct str why = STR("SIP;cause=200;text=\"Hung up by the operator\"");
    if (c && (c->state == CALL_UP || c->state == CALL_ANSWERING)) {
        int status = c->state == CALL_UP ? 200 : 480;
        leg_hang_up(&c->a, why, NULL);
        leg_hang_up(&c->b, why, NULL);
        call_end(c, END_COMPLETED, ENDED_BY_SYSTEM, status);
    } else if (c && call_takes(c, INPUT_CANCEL)) {
        call_end(c, END_CANCELED, ENDED_BY_SYSTEM, 480);
    }
    free(h);
}

enum err calls_post_hangup(struct calls *calls, struct str call_id)
{
    struct hangup_mail *h = malloc(sizeof *h);
    if (!h)
        return ERR_NOMEM;
    h->mail.open = on_hangup;
    h->calls = calls;
    enum err err = str_copy(call_id, h->call_id, sizeof h->call_id);
    if (err == OK)
        err = loop_post(calls->core->c.loop, &h->mail);
    if (err != OK)
        free(h);
    return err;
}

void call_on_late_answer(struct calls *calls, const struct sip_msg *m, const struct path *from)
{
    uint16_t fork;
    struct leg *leg = m->from.tag.p ? leg_of_tag(calls, m->from.tag, &fork) : NULL;
    if (!leg)
        return;
    struct call *c = leg->call;
    if (dialog_is(&leg->dialog, m->call_id, m->to.tag)) {
        leg_on_repeated_answer(leg, m->cseq);
    } else if (leg == &c->b && str_starts(m->call_id, str_of(c->token))) {
        struct txn stray = {.path = *from, .self = c->self, .leg = 'b', .trace = c->trace};
        stray.path.account = c->account;
        call_hang_up_stray(c->core, &stray, &c->strays, m);
    }
}
