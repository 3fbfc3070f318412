/* end: every way a call ends: BYE from either side, CANCEL, a target that refused, our own
 * decision. One door (call_end) writes call_ended; one door (call_finish) tells the carrier, after
 * the commit. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/call.h"

/* The rest of the BYE, behind the dialog's headers: those of the other leg's BYE and its body, or
 * our Reason. It is kept, because the BYE may have to wait. */
static void write_rest(struct leg *leg, struct str reason, const struct sip_msg *m)
{
    struct sip_core *core = leg->call->core;
    struct buf b = core_scratch(core);
    if (m) {
        leg_put_relayed(leg->other, &b, m);
    } else {
        if (reason.n)
            sip_put(&b, SIP_H_REASON, reason);
        sip_put_body(&b, (struct str){0});
    }
    if (b.err != OK || block_set(core->blocks, &leg->bye_rest, buf_str(&b)) != OK)
        block_give(core->blocks, &leg->bye_rest); /* a bare BYE, then */
}

/* Writes the BYE; without the rest where that does not fit beside the dialog's headers. */
static struct buf write_bye(struct leg *leg, const char *branch)
{
    struct sip_core *core = leg->call->core;
    struct dialog *d = &leg->dialog;
    struct buf b = core_scratch(core);
    dialog_put_request(d, core->transport, STR("BYE"), ++d->local_cseq, branch, &b);
    if (leg->bye_rest.p && b.n + leg->bye_rest.n <= b.max)
        buf_put_str(&b, block_str(&leg->bye_rest));
    else
        sip_put_body(&b, (struct str){0});
    block_give(core->blocks, &leg->bye_rest);
    return b;
}

static void send_bye(struct leg *leg)
{
    struct sip_core *core = leg->call->core;
    struct dialog *d = &leg->dialog;
    char branch[TOKEN_SIZE + 8];
    leg->bye = BYE_SENT;
    struct txn *t =
        d->mem ? txn_client_new(core->txns, false, &d->path, dialog_host(d), branch) : NULL;
    if (!t)
        return;
    leg_trace(leg, t);
    struct buf b = write_bye(leg, branch);
    if (b.err == OK)
        txn_send(core->txns, t, buf_str(&b));
    else
        txn_end(core->txns, t);
}

void leg_hang_up(struct leg *leg, struct str reason, const struct sip_msg *m)
{
    struct call *c = leg->call;
    bool first = c->x.first && c->x.from == leg;
    if (leg->bye != BYE_NONE)
        return;
    if (first && c->x.state == EXCHANGE_ANSWERED) {
        leg->bye = BYE_DUE;
        write_rest(leg, reason, m);
    } else if (!first || c->x.state >= EXCHANGE_ACKED) { /* else its INVITE is refused at the end */
        call_confirm(c, NULL);
        write_rest(leg, reason, m);
        send_bye(leg);
    }
}

static void hang_up_both(struct call *c, struct str why)
{
    leg_hang_up(&c->a, why, NULL);
    leg_hang_up(&c->b, why, NULL);
}

static void close_perhaps(struct call *c)
{
    if (c->state == CALL_CLOSING && outbox_is_empty(c) && c->a.bye != BYE_DUE)
        call_set_state(c, CALL_OVER);
}

void call_on_confirmed(struct call *c, bool acked)
{
    static const struct str why = STR("SIP;cause=408;text=\"No ACK\"");
    if (c->a.bye == BYE_DUE) {
        send_bye(&c->a);
        close_perhaps(c);
    } else if (!acked && call_takes(c, INPUT_END)) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: the answer was never acknowledged", c->call_id);
        hang_up_both(c, why);
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 408);
    }
}

void call_enter_ending(struct call *c)
{
    struct txn *reinvite = c->x.first ? NULL : txn_at(c->core->txns, c->x.client);
    if (c->a.bye != BYE_DUE) /* otherwise the 200 is repeated on */
        timer_stop(&c->x.timer);
    call_confirm(c, NULL);
    open_refuse(&c->a);
    open_refuse(&c->b);
    if (reinvite)
        txn_cancel(c->core->txns, reinvite, (struct str){0});
}

void call_end(struct call *c, enum end_reason reason, enum ended_by by, int sip_status)
{
    if (!call_takes(c, INPUT_END))
        return;
    c->reason = (uint8_t)reason;
    c->by = (uint8_t)by;
    c->sip_status = (int16_t)sip_status;
    c->ended_at_ms = clock_wall_ms(); /* before answered_at_ms when the clock was set back */
    c->ended_ms = clock_mono_of(c->ended_at_ms);
    call_set_state(c, CALL_ENDING);
    if (reason == END_LOST)
        metric_add(METRIC_CALLS_LOST, 1);
    call_store(c, &(struct call_news){.kind = EVENT_CALL_ENDED, .then = call_finish});
}

/* The final answer to an INVITE that has none yet. */
static void refuse_invite(struct call *c)
{
    struct txn *t = txn_at(c->core->txns, c->x.server);
    if (!t || !c->x.first || t->state >= TXN_COMPLETED)
        return;
    if (c->x.answer.p && c->x.state == EXCHANGE_ASKED)
        txn_answer(c->core->txns, t, c->sip_status, block_str(&c->x.answer));
    else
        call_answer_invite(c, c->sip_status >= 300 ? c->sip_status : 480, (struct str){0}, NULL,
                           &c->a.dialog);
}

/* Everybody who waits is told, once. */
void call_enter_closing(struct call *c)
{
    struct sip_core *core = c->core;
    struct txn *bye = txn_at(core->txns, c->bye);
    refuse_invite(c);
    if (bye && txn_request(bye, &core->again) == OK)
        core_reply_kept(core, bye, &core->again, 200, NULL, NULL);
}

void call_finish(struct call *c, enum err err)
{
    if (c->state == CALL_ENDING)
        call_set_state(c, CALL_CLOSING);
    close_perhaps(c);
}

void call_on_cancel(struct call *c, const struct sip_msg *m)
{
    if (!call_takes(c, INPUT_CANCEL))
        return; /* from ANSWERING on the caller gets his 200, acknowledges it and hangs up (§9.1) */
    call_cancel_target(c, m);
    c->detail = NULL; /* of a target before */
    call_end(c, END_CANCELED, ENDED_BY_CALLER, 487);
}

/* An early dialog ended by BYE (§15.1.1): the caller's leads to a CANCEL, which says the same, the
 * callee's to a refusal that does. */
static void end_early(struct leg *leg, const struct sip_msg *m)
{
    struct call *c = leg->call;
    struct block answer = {0};
    struct buf b;
    if (leg == &c->a)
        call_cancel_target(c, m);
    else if (call_put_refusal(c, 487, m, &b) &&
             block_set(c->core->blocks, &answer, buf_str(&b)) == OK)
        call_refuse_with(c, &answer);
    call_end(c, END_CANCELED, leg == &c->a ? ENDED_BY_CALLER : ENDED_BY_CALLEE, 487);
}

void leg_on_bye(struct leg *leg, const struct sip_msg *m, const struct path *from, struct str raw)
{
    struct call *c = leg->call;
    struct sip_core *core = c->core;
    if (c->state == CALL_ENDING || c->state == CALL_CLOSING) { /* both hung up at once */
        core_reply(core, m, from, 200, NULL, NULL);
        if (leg->bye == BYE_DUE) {
            leg->bye = BYE_SENT; /* it hung up itself */
            close_perhaps(c);
        }
        return;
    }
    if (!call_takes(c, INPUT_BYE)) {
        core_reply(core, m, from, 481, NULL, NULL); /* there is no dialog yet to hang up */
        return;
    }
    struct txn *t = txn_server_new(core->txns, m, from, raw, true);
    if (!t)
        return; /* it comes again */
    leg_trace(leg, t);
    c->bye = t->self;
    if (c->state == CALL_RINGING) {
        end_early(leg, m);
        return;
    }
    enum ended_by by = leg == &c->a ? ENDED_BY_CALLER : ENDED_BY_CALLEE;
    /* Before its 200 has left, the caller gets a refusal instead of it. */
    int status = c->state == CALL_UP ? 200 : leg == &c->a ? 487 : 480;
    leg_hang_up(leg->other, (struct str){0}, m);
    call_end(c, END_COMPLETED, by, status);
}
