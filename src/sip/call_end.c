/* call_end: every way a call ends: BYE from either side, CANCEL, a target that refused, our own
 * decision. One door (call_end) writes call_ended; one door (call_finish) tells the carrier, after
 * the commit. Edge's thread. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "sip/call.h"

void call_send_bye(struct call *c, struct dialog *d, struct str reason)
{
    struct sip_edge *e = c->edge;
    char branch[TOKEN_SIZE + 8];
    if (!d->mem)
        return;
    struct txn *t = txn_client_new(e->txns, false, &d->path, dialog_host(d), branch);
    if (!t)
        return;
    call_trace(c, d->leg, t);
    struct buf b = call_scratch(e);
    dialog_put_request(d, e->transport, c->token, STR("BYE"), ++d->local_cseq, branch, &b);
    if (reason.n)
        sip_put(&b, SIP_H_REASON, reason);
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        txn_send(e->txns, t, buf_str(&b));
    else
        txn_end(e->txns, t);
}

void call_end(struct call *c, enum end_reason reason, enum ended_by by, int sip_status)
{
    if (c->state >= CALL_ENDING && c->state != CALL_RESTORED)
        return;
    call_stop_ringing(c);
    timer_stop(&c->probe_timer);
    c->reason = (uint8_t)reason;
    c->by = (uint8_t)by;
    c->sip_status = (int16_t)sip_status;
    c->ended_at_ms = clock_wall_ms();
    if (c->answered_at_ms && c->ended_at_ms < c->answered_at_ms)
        c->ended_at_ms = c->answered_at_ms; /* the wall clock was set back */
    call_set_state(c, CALL_ENDING);
    if (reason == END_LOST)
        metric_add(METRIC_CALLS_LOST, 1);
    call_store(c, EVENT_CALL_ENDED, NULL, 0, 0);
}

/* The final answer to an INVITE that has none yet. */
static void refuse_invite(struct call *c)
{
    struct txn *t = txn_at(c->edge->txns, c->x.server);
    if (!t || c->x.from != 'a' || t->state >= TXN_COMPLETED)
        return;
    call_answer_invite(c, c->sip_status >= 300 ? c->sip_status : 480, (struct str){0}, NULL, '0');
}

void call_finish(struct call *c)
{
    struct sip_edge *e = c->edge;
    struct txn *bye = txn_at(e->txns, c->bye);
    if (c->state != CALL_ENDING)
        return;
    if (!c->said_end) {
        c->said_end = true;
        refuse_invite(c);
        if (bye && txn_request(bye, &e->again) == OK)
            edge_reply_kept(e, bye, &e->again, 200, NULL, NULL);
    }
    if (c->pending || c->storing)
        return; /* said, not stored yet */
    call_set_state(c, CALL_OVER);
    call_free(c);
}

void call_on_cancel(struct call *c)
{
    call_heard(c);
    /* From ANSWERING on the caller gets his 200, acknowledges it and hangs up (§9.1). */
    if (c->state <= CALL_RINGING)
        call_end(c, END_CANCELED, ENDED_BY_CALLER, 487);
}

void call_on_bye(struct call *c, char leg, const struct sip_msg *m, const struct path *from,
                 struct str raw)
{
    struct sip_edge *e = c->edge;
    struct str reason = sip_value(m, SIP_H_REASON);
    if (c->state >= CALL_ENDING || c->state < CALL_RINGING) {
        /* both hung up at once, or there is no dialog yet to hang up */
        edge_reply(e, m, from, c->state == CALL_ENDING ? 200 : 481, NULL, NULL);
        return;
    }
    struct txn *t = txn_server_new(e->txns, m, from, raw, true);
    if (!t)
        return; /* it comes again */
    call_trace(c, leg, t);
    c->bye = t->self;
    if (c->state == CALL_RINGING) { /* an early dialog ended by BYE (§15.1.1) */
        call_end(c, END_CANCELED, leg == 'a' ? ENDED_BY_CALLER : ENDED_BY_CALLEE, 487);
        return;
    }
    call_send_bye(c, call_leg(c, call_other(leg)), reason);
    call_end(c, END_COMPLETED, leg == 'a' ? ENDED_BY_CALLER : ENDED_BY_CALLEE, 200);
}
