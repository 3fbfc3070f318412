/* answer: what the called side says to the first INVITE, on its way to the caller; the 200
 * that is repeated until its ACK comes; and what comes too late for anyone. RFC 3261 §13, RFC 3262,
 * RFC 6026. Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/route.h"

enum { STRAY_CSEQ_GAP = 10000 };

/* The early dialog of that To tag, made when it is new; its index is the fork in our tag to the
 * caller. Past FORKS_MAX the last one is used again. */
static struct dialog *early_dialog(struct call *c, const struct txn *t, const struct sip_msg *m)
{
    for (size_t i = 0; i < c->b.n_early; i++)
        if (str_eq(dialog_get(c->b.early[i], DIALOG_TAG), m->to.tag))
            return c->b.early[i];
    if (c->b.n_early == FORKS_MAX)
        return c->b.early[FORKS_MAX - 1];
    struct dialog *d = calloc(1, sizeof *d);
    if (!d || dialog_of_response(d, m, &t->path, str_of(t->host), c->core->transport) != OK) {
        free(d);
        return NULL;
    }
    memcpy(d->token, c->b.dialog.token, sizeof d->token); /* our From tag is one for all forks */
    d->leg = 'b';
    d->fork = '0';
    c->b.early[c->b.n_early++] = d;
    return d;
}

char call_fork_of(const struct call *c, const struct dialog *d)
{
    for (size_t i = 0; i < c->b.n_early; i++)
        if (c->b.early[i] == d)
            return (char)('0' + i);
    return '0';
}

static bool is_wanted(struct call *c, enum event_kind kind)
{
    struct book_watchers w = book_watchers(c->core->book, c->account, str_of(c->number));
    const struct book_endpoint *ep;
    while ((ep = book_watcher_next(&w)))
        if (ep->set->events & EVENT_BIT(kind))
            return true;
    return false;
}

static void on_provisional(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct route *r = c->route;
    bool first = !r->rang;
    r->rang = true;
    if (m->status == 100)
        return;
    struct dialog *d = m->to.tag.p ? early_dialog(c, t, m) : NULL;
    call_answer_invite(c, m->status, m->reason, m, d ? call_fork_of(c, d) : '0');
    if (first && m->status == 180 && is_wanted(c, EVENT_CALL_RINGING))
        call_store(c, EVENT_CALL_RINGING, c->destination, 180, r->failed);
}

static void choose_dialog(struct call *c, struct dialog *chosen)
{
    for (size_t i = 0; i < c->b.n_early; i++) {
        if (c->b.early[i] == chosen)
            c->b.dialog = *chosen;
        else
            dialog_fini(c->b.early[i]);
        free(c->b.early[i]);
    }
    c->b.n_early = 0;
}

static void on_answer(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct dialog *d = m->to.tag.p ? early_dialog(c, t, m) : NULL;
    if (!d || (c->b.n_early == FORKS_MAX && !str_eq(dialog_get(d, DIALOG_TAG), m->to.tag))) {
        call_hang_up_stray(core, t, &c->strays, m); /* no To tag, or one fork too many: no dialog */
        call_target_failed(c, 500, (struct str){0});
        return;
    }
    timer_stop(&c->invite_timer);
    dialog_refresh(d, m, core->transport);
    if (d->local_cseq < m->cseq) /* otherwise it was spoken in while it was an early one */
        d->local_cseq = m->cseq;
    c->a.dialog.fork = call_fork_of(c, d);
    c->answered_at_ms = clock_wall_ms();
    c->answered_ms = clock_mono_of(c->answered_at_ms);
    c->sip_status = 200;
    c->x.client = t->self;
    c->x.accepted = true;
    c->x.cseq_out = m->cseq;
    (void)strays_add(&t->strays, m->to.tag); /* should it outlive the call: that one is hung up */
    /* Written now, while the answer is at hand; it leaves when call_answered is stored. */
    struct txn *s = txn_at(core->txns, c->x.server);
    struct buf b = core_scratch(core);
    char tag[DIALOG_TAG_SIZE];
    dialog_print_tag(&c->a.dialog, c->a.dialog.fork, tag);
    choose_dialog(c, d);
    call_set_state(c, CALL_ANSWERING);
    call_route_drop(c);
    if (!s || txn_request(s, &core->again) != OK) {
        leg_hang_up(&c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    sip_put_reply(&b, &core->again, &s->path.peer, m->status, m->reason, str_of(tag), true);
    dialog_put_contact(&s->path, core->transport, &b);
    leg_put_relayed(&c->b, &b, m);
    if (b.err != OK || block_set(core->blocks, &c->x.answer, buf_str(&b)) != OK) {
        leg_hang_up(&c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    metric_add(METRIC_CALLS_ANSWERED, 1);
    call_store(c, EVENT_CALL_ANSWERED, NULL, 0, 0);
}

void call_on_route_response(struct call *c, struct txn *t, const struct sip_msg *m)
{
    bool routing = c->route && c->route->client == t->self;
    if (routing && m->status < 200) {
        on_provisional(c, t, m);
    } else if (routing && m->status < 300) {
        on_answer(c, t, m);
    } else if (routing) {
        call_target_failed(c, m->status, m->reason);
    } else if (m->status >= 200 && m->status < 300) {
        if (dialog_is(&c->b.dialog, m->call_id, m->to.tag))
            leg_on_repeated_answer(&c->b, m->cseq);
        else /* another fork answered too (§13.2.2.4) */
            call_hang_up_stray(c->core, t, &c->strays, m);
    }
}

static void on_repeat_answer(struct timer *timer)
{
    static const struct str why = STR("SIP;cause=408;text=\"No ACK\"");
    struct call *c = timer->arg;
    struct sip_core *core = c->core;
    int64_t now = loop_now_ms(core->c.loop);
    struct txn *t = txn_at(core->txns, c->x.server);
    bool over = now - c->x.since_ms >= 64 * core->c.t1_ms || !t;
    if (over && c->state == CALL_ENDING) {
        call_on_confirmed(c);
        return;
    }
    if (over) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: the answer was never acknowledged", c->call_id);
        c->x.given_up = true;
        leg_hang_up(&c->a, why);
        leg_hang_up(&c->b, why);
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 408);
        return;
    }
    metric_add(METRIC_SIP_RETRANSMITS_OUT, 1);
    core_send(core, &c->trace, (char)t->leg, &t->path, str_of(t->host), block_str(&c->x.answer));
    c->x.interval_ms =
        2 * c->x.interval_ms < 8 * core->c.t1_ms ? 2 * c->x.interval_ms : 8 * core->c.t1_ms;
    loop_timer(core->c.loop, &c->invite_timer, c->x.interval_ms, on_repeat_answer, c);
}

/* The 200 went out: again until the ACK, over streams too (§13.3.1.4). */
void call_repeat_answer(struct call *c)
{
    struct sip_core *core = c->core;
    c->x.acked = false;
    c->x.since_ms = loop_now_ms(core->c.loop);
    c->x.interval_ms = core->c.t1_ms;
    loop_timer(core->c.loop, &c->invite_timer, c->x.interval_ms, on_repeat_answer, c);
}

void call_send_answer(struct call *c)
{
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    call_set_state(c, CALL_UP);
    c->a.dialog.path.in_call = c->b.dialog.path.in_call = true;
    book_drop(&c->book);
    call_probe_later(c, core->c.probe_ms);
    if (t)
        txn_answer(core->txns, t, 200, block_str(&c->x.answer));
    call_repeat_answer(c);
}

static void send_ack(struct leg *to, uint32_t cseq, const struct sip_msg *m)
{
    struct call *c = to->call;
    struct sip_core *core = c->core;
    struct dialog *d = &to->dialog;
    char branch[TOKEN_SIZE + 8] = "z9hG4bK";
    struct buf b = core_scratch(core);
    if (!d->mem)
        return;
    token_print(c->self, crypto_random_u64(), branch + 7);
    dialog_put_request(d, core->transport, STR("ACK"), cseq, branch, &b);
    if (m && m->body.n) {
        leg_put_relayed(to->other, &b, m);
    } else {
        sip_put_body(&b, (struct str){0});
    }
    if (b.err != OK)
        return;
    core_send(core, &c->trace, to->name, &d->path, dialog_host(d), buf_str(&b));
    if (m && m->body.n) /* an answer to a late offer: must be repeated as it is */
        (void)!block_set(core->blocks, &c->x.ack, buf_str(&b));
}

/* A 2xx in a dialog of ours that came before. That of the present exchange waits for the other
 * side's ACK; one from before it had its own (§13.2.2.4). */
void leg_on_repeated_answer(struct leg *leg, uint32_t cseq)
{
    struct call *c = leg->call;
    struct dialog *d = &leg->dialog;
    bool present = c->x.from && c->x.from != leg && c->x.cseq_out == cseq;
    if (present && c->x.ack.p)
        core_send(c->core, &c->trace, leg->name, &d->path, dialog_host(d), block_str(&c->x.ack));
    else if (!present || c->x.confirmed)
        send_ack(leg, cseq, NULL);
}

static void end_transaction(struct call *c, handle *h)
{
    struct txn *t = txn_at(c->core->txns, *h);
    *h = 0;
    if (t)
        txn_end(c->core->txns, t);
}

void call_confirm(struct call *c, const struct sip_msg *m)
{
    if (!c->x.from || c->x.confirmed || !c->x.accepted)
        return;
    c->x.confirmed = true;
    send_ack(c->x.from->other, c->x.cseq_out, m);
}

/* Held calls are many: both transactions go now. A 2xx that comes again finds the call by our tag
 * (call_on_late_answer), an INVITE that comes again finds it by its Call-ID. */
void call_acknowledged(struct call *c, const struct sip_msg *m)
{
    c->x.acked = true;
    timer_stop(&c->invite_timer);
    block_give(c->core->blocks, &c->x.answer);
    call_confirm(c, m);
    end_transaction(c, &c->x.server);
    end_transaction(c, &c->x.client);
    if (c->state == CALL_ENDING)
        call_on_confirmed(c);
}

void leg_on_ack(struct leg *leg, const struct sip_msg *m)
{
    struct call *c = leg->call;
    const struct txn *s = txn_at(c->core->txns, c->x.server);
    bool answered = s && s->state == TXN_ACCEPTED; /* before that it acknowledges nothing */
    call_heard(c);
    if (c->x.from == leg && answered && !c->x.acked && m->cseq == c->x.cseq_in &&
        (c->state == CALL_UP || c->state == CALL_ENDING))
        call_acknowledged(c, m);
}

void call_on_late_answer(struct calls *calls, const struct sip_msg *m, const struct path *from)
{
    char fork;
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

static void send_stray_bye(struct sip_core *core, const struct txn *t, struct dialog *d,
                           uint32_t cseq)
{
    char branch[TOKEN_SIZE + 8];
    struct txn *bye = txn_client_new(core->txns, false, &d->path, dialog_host(d), branch);
    if (!bye)
        return;
    struct buf b = core_scratch(core);
    dialog_put_request(d, core->transport, STR("BYE"), cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    bye->leg = t->leg;
    bye->trace = t->trace;
    if (b.err == OK)
        txn_send(core->txns, bye, buf_str(&b));
    else
        txn_end(core->txns, bye);
}

/* A 2xx that nobody waits for: acknowledged, and hung up at once (§13.2.2.4). Each of its repeats
 * is acknowledged, the BYE goes once; none to a re-INVITE, whose dialog has its own. The BYE's CSeq
 * lies behind those of what was said in the dialog while it was an early one. */
void call_hang_up_stray(struct sip_core *core, struct txn *t, struct strays *known,
                        const struct sip_msg *m)
{
    struct dialog d = {0};
    struct str tag = m->from.tag;
    char branch[TOKEN_SIZE + 8] = "z9hG4bK";
    if (tag.n != DIALOG_TAG_SIZE - 1 ||
        dialog_of_response(&d, m, &t->path, str_of(t->host), core->transport) != OK)
        return;
    memcpy(d.token, tag.p, TOKEN_SIZE - 1);
    d.leg = tag.p[TOKEN_SIZE - 1];
    d.fork = tag.p[TOKEN_SIZE];
    struct buf b = core_scratch(core);
    token_print(t->self, crypto_random_u64(), branch + 7);
    dialog_put_request(&d, core->transport, STR("ACK"), m->cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        core_send(core, &t->trace, (char)t->leg, &d.path, dialog_host(&d), buf_str(&b));
    if (t->purpose != FOR_REINVITE && strays_add(known, m->to.tag))
        send_stray_bye(core, t, &d, m->cseq + STRAY_CSEQ_GAP);
    dialog_fini(&d);
}
