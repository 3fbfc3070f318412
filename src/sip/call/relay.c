/* relay: requests within the dialogs, passed from one leg to the other and their answers back:
 * re-INVITE, UPDATE, PRACK, INFO, REFER, NOTIFY, MESSAGE. We need not understand them; we
 * re-address them, count CSeq per leg, translate RAck, and keep two INVITEs from crossing (491, RFC
 * 3261 §14). Edge's thread. */
#include <string.h>

#include "base/metrics.h"
#include "sip/call/row.h"
#include "sip/core/refuse.h"
#include "sip/wire/relayed.h"

static const char retry_after[] = "Retry-After: 2\r\n";

/* "7 1 INVITE" names the CSeq of the INVITE as the sender knows it; the other side knows ours (RFC
 * 3262 §7.2). */
static void put_rack(struct call *c, const struct dialog *to, const struct sip_msg *m,
                     struct buf *b)
{
    struct str rseq, rest = sip_value(m, SIP_H_RACK);
    if (!rest.n || !str_cut(rest, ' ', &rseq, &rest))
        return;
    uint32_t cseq = to->leg == 'b' && !c->b.dialog.mem ? 1 : c->x.cseq_out;
    sip_putf(b, SIP_H_RACK, "%.*s %u INVITE", STR_FMT(str_slice(rseq, 0, 10)), cseq);
}

/* Sends `m`, which came on `leg`, on in the dialog `to` of the other leg; false when that cannot
 * be, and it is answered here. */
static bool relay(struct leg *leg, struct dialog *to, struct txn *s, const struct sip_msg *m)
{
    struct call *c = leg->call;
    struct sip_core *core = c->core;
    char branch[TOKEN_SIZE + 8];
    bool invite = m->method == SIP_INVITE;
    struct txn *t = txn_client_new(core->txns, invite, &to->path, dialog_host(to), branch);
    if (!t) {
        core_reply_kept(core, s, m, 503, NULL, retry_after);
        return false;
    }
    struct buf b = core_scratch(core);
    dialog_put_request(to, core->transport, m->method_text, ++to->local_cseq, branch, &b);
    put_rack(c, to, m, &b);
    refer_put_event(leg, m, &b);
    refer_put_to(leg, m, &b);
    leg_put_relayed(leg, &b, m);
    if (b.err != OK) {
        txn_end(core->txns, t);
        core_reply_kept(core, s, m, 513, NULL, NULL);
        return false;
    }
    t->call = c->self;
    leg_trace(leg->other, t);
    t->purpose = invite ? FOR_REINVITE : FOR_RELAY;
    t->other = s->self;
    if (m->method == SIP_REFER)
        refer_note(leg, m->cseq, to->local_cseq);
    if (invite) {
        c->x.client = t->self;
        c->x.cseq_out = to->local_cseq;
    }
    txn_send(core->txns, t, buf_str(&b));
    return true;
}

/* What a re-INVITE is refused with because another one is under way (§14.2); 0: none is. */
static int reinvite_refusal(const struct leg *leg)
{
    struct call *c = leg->call;
    if (!call_is_exchanging(c))
        return call_takes(c, INPUT_REINVITE) ? 0 : 491;
    if (c->x.from != leg || !c->x.server) /* the other side's, or one of our own */
        return 491;
    if (!call_takes(c, INPUT_REINVITE) || c->x.state != EXCHANGE_ANSWERED)
        return 500;
    if (c->x.ack == ACK_OF_ASKER)
        return 491;             /* the ACK with the answer to our offer is still to come */
    call_acknowledged(c, NULL); /* it overtook the ACK, or that was lost: the 200 was heard */
    return 0;
}

static void on_reinvite(struct leg *leg, struct dialog *own, struct txn *s, const struct sip_msg *m)
{
    struct call *c = leg->call;
    struct sip_core *core = c->core;
    int refusal = reinvite_refusal(leg);
    if (refusal) {
        core_reply_kept(core, s, m, refusal, NULL, refusal == 500 ? retry_after : NULL);
        return;
    }
    s->call = c->self;
    exchange_begin(
        c, &(struct exchange){.from = leg,
                              .ack = relayed_sdp(m, NULL, NULL).n ? ACK_AT_ONCE : ACK_OF_ASKER,
                              .server = s->self,
                              .key = s->key,
                              .cseq_in = m->cseq});
    core_reply_kept(core, s, m, 100, NULL, NULL);
    dialog_refresh(own, m, core->transport);
    if (!relay(leg, &leg->other->dialog, s, m))
        exchange_enter(c, EXCHANGE_NONE);
}

static void pass(struct leg *leg, struct dialog *own, struct txn *s, const struct sip_msg *m)
{
    struct call *c = leg->call;
    if (m->method == SIP_UPDATE)
        dialog_refresh(own, m, c->core->transport);
    (void)relay(leg, fork_other(c, own), s, m);
}

void leg_pass_held(struct leg *leg)
{
    struct sip_core *core = leg->call->core;
    struct txn *s;
    while ((s = open_held_next(leg)))
        if (txn_request(s, &core->again) == OK)
            pass(leg, &leg->dialog, s, &core->again);
}

void leg_on_request(struct leg *leg, struct dialog *own, const struct sip_msg *m,
                    const struct path *from, struct str raw)
{
    struct call *c = leg->call;
    struct sip_core *core = c->core;
    if (!call_takes(c, INPUT_REQUEST)) {
        core_reply(core, m, from, 481, NULL, NULL);
        return;
    }
    /* A repeat from before its ACK, late: its transaction was over with that. */
    if (m->method == SIP_INVITE && !call_is_exchanging(c) && c->x.key &&
        c->x.key == txn_server_key(core->txns, m))
        return;
    if (own->remote_cseq && m->cseq <= own->remote_cseq) { /* §12.2.2 */
        core_reply(core, m, from, 500, "CSeq Out Of Order", NULL);
        return;
    }
    if (core_refuse_within(core, m, from))
        return;
    bool room = open_has_room(leg) && transactions_admit(core->txns, c->account);
    struct txn *s = room ? txn_server_new(core->txns, m, from, raw, true) : NULL;
    if (!s) { /* nothing is kept of it: it may come again */
        metric_add(METRIC_SIP_REJECTED_OPEN, 1);
        core_reply(core, m, from, 503, NULL, retry_after);
        return;
    }
    own->remote_cseq = m->cseq;
    leg_trace(leg, s);
    open_add(leg, s);
    if (m->method == SIP_INVITE)
        on_reinvite(leg, own, s, m);
    else if (leg == &c->b && c->state == CALL_ANSWERING)
        open_hold(leg, s); /* the caller would hear it before the 200 that makes the dialog */
    else
        pass(leg, own, s, m);
}

/* Writes the answer to the kept request of `s` into scratch. */
static bool put_answer(struct call *c, struct txn *s, const struct sip_msg *m, struct buf *ret)
{
    struct sip_core *core = c->core;
    if (txn_request(s, &core->again) != OK)
        return false;
    *ret = core_scratch(core);
    sip_put_reply(ret, &core->again, &s->path.peer, m->status, m->reason, STR(""), m->status < 300);
    if (m->status < 300 && (m->method == SIP_INVITE || m->method == SIP_UPDATE))
        dialog_put_contact(&s->path, core->transport, ret);
    leg_put_relayed(call_leg(c, (char)s->leg)->other, ret, m);
    return ret->err == OK;
}

/* A 2xx to INVITE or UPDATE may change the session. */
static void note_session(struct call *c, const struct txn *s, const struct sip_msg *request,
                         const struct sip_msg *answer)
{
    if (c->state != CALL_UP || (answer->method != SIP_INVITE && answer->method != SIP_UPDATE))
        return;
    session_accept(call_leg(c, (char)s->leg), request, answer);
    row_write_session(c);
}

/* Passes the answer on; one that does not fit between our headers becomes 500, so that nobody
 * waits. False then. */
static bool relay_answer(struct call *c, struct txn *s, const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct buf b;
    bool kept = put_answer(c, s, m, &b);
    if (kept && s->invite && m->status >= 200 && m->status < 300)
        kept = block_set(core->blocks, &c->x.answer, buf_str(&b)) == OK;
    if (kept && m->status >= 200 && m->status < 300)
        note_session(c, s, &core->again, m);
    if (kept)
        txn_answer(core->txns, s, m->status, buf_str(&b));
    else if (m->status >= 200 && txn_request(s, &core->again) == OK)
        core_reply_kept(core, s, &core->again, 500, NULL, NULL);
    return kept;
}

static bool is_asked_by(const struct call *c, const struct txn *client)
{
    return c->x.state == EXCHANGE_ASKED && c->x.client == client->self;
}

/* A 2xx: the asker's ACK goes onwards. When nobody waits for it any more, ours does. */
static void on_reinvite_accepted(struct call *c, struct txn *t, struct txn *s,
                                 const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct leg *leg = call_leg(c, (char)t->leg);
    if (!is_asked_by(c, t)) { /* again: ours is repeated by its own clock */
        leg_on_repeated_answer(leg, m->cseq);
        return;
    }
    bool waits = s && s->state < TXN_COMPLETED && call_takes(c, INPUT_REINVITE);
    if (waits)
        dialog_refresh(&leg->dialog, m, core->transport);
    call_on_accepted(c);
    if (waits && relay_answer(c, s, m)) {
        call_repeat_answer(c, call_on_confirmed);
    } else {
        call_confirm(c, NULL);
        exchange_enter(c, EXCHANGE_NONE);
    }
}

static void on_reinvite_answer(struct call *c, struct txn *t, struct txn *s,
                               const struct sip_msg *m)
{
    if (m->status >= 200 && m->status < 300) {
        on_reinvite_accepted(c, t, s, m);
        return;
    }
    if (m->status >= 300 && is_asked_by(c, t))
        exchange_enter(c, EXCHANGE_NONE);
    if (s && m->status > 100)
        (void)relay_answer(c, s, m);
}

void call_on_relay_response(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct txn *s = txn_at(core->txns, t->other);
    uint16_t fork;
    struct leg *leg = leg_of_tag(c->calls, m->from.tag, &fork);
    struct dialog *d = leg ? leg_dialog_of(leg, fork, m->call_id, m->to.tag) : NULL;
    if (t->purpose == FOR_REINVITE) {
        on_reinvite_answer(c, t, s, m);
        return;
    }
    if (d && m->method == SIP_UPDATE && m->status >= 200 && m->status < 300)
        dialog_refresh(d, m, core->transport);
    if (s && m->status > 100)
        (void)relay_answer(c, s, m);
}

void call_on_relay_failure(struct call *c, struct txn *t, enum err err)
{
    struct sip_core *core = c->core;
    struct txn *s = txn_at(core->txns, t->other);
    if (t->purpose == FOR_REINVITE && is_asked_by(c, t))
        exchange_enter(c, EXCHANGE_NONE);
    /* 408 would tell the asker that its dialog is over (§12.2.1.2); the probe finds out. */
    if (s && txn_request(s, &core->again) == OK)
        core_reply_kept(core, s, &core->again, err == ERR_TIMEOUT ? 504 : 503, NULL, NULL);
}
