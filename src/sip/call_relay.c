/* call_relay: requests within the dialogs, passed from one leg to the other and their answers back:
 * re-INVITE, UPDATE, PRACK, INFO, REFER, NOTIFY, MESSAGE. We need not understand them; we
 * re-address them, count CSeq per leg, translate RAck, and keep two INVITEs from crossing (491, RFC
 * 3261 §14). Edge's thread. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "sip/call.h"
#include "sip/x_headers.h"

/* What belongs to one hop or one dialog, or is ours to say. */
static bool is_own(enum sip_header_id id)
{
    switch (id) {
    case SIP_H_VIA:
    case SIP_H_FROM:
    case SIP_H_TO:
    case SIP_H_CALL_ID:
    case SIP_H_CSEQ:
    case SIP_H_CONTACT:
    case SIP_H_MAX_FORWARDS:
    case SIP_H_CONTENT_LENGTH:
    case SIP_H_ROUTE:
    case SIP_H_RECORD_ROUTE:
    case SIP_H_RACK:
    case SIP_H_PATH:
    case SIP_H_PROXY_REQUIRE:
    case SIP_H_WWW_AUTHENTICATE:
    case SIP_H_AUTHORIZATION:
    case SIP_H_PROXY_AUTHENTICATE:
    case SIP_H_PROXY_AUTHORIZATION:
    case SIP_H_TIMESTAMP:
    case SIP_H_REPLACES: return true;
    default: return false;
    }
}

void call_put_relayed(struct buf *b, const struct sip_msg *m)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (!is_own(m->header[i].id) && !x_header_is_own(m->header[i].name))
            sip_put_named(b, m->header[i].name, m->header[i].value);
}

/* "7 1 INVITE" names the CSeq of the INVITE as the sender knows it; the other side knows ours (RFC
 * 3262 §7.2). */
static void put_rack(struct call *c, const struct dialog *to, const struct sip_msg *m,
                     struct buf *b)
{
    struct str rseq, rest = sip_value(m, SIP_H_RACK);
    if (!rest.n || !str_cut(rest, ' ', &rseq, &rest))
        return;
    uint32_t cseq = to->leg == 'b' && !c->b.mem ? 1 : c->x.cseq_out;
    sip_putf(b, SIP_H_RACK, "%.*s %u INVITE", STR_FMT(str_slice(rseq, 0, 10)), cseq);
}

static struct dialog *other_dialog(struct call *c, char leg, char fork)
{
    if (leg == 'b')
        return &c->a;
    size_t i = (size_t)(fork - '0');
    if (c->state == CALL_RINGING)
        return i < c->n_early ? c->early[i] : NULL;
    return c->b.mem ? &c->b : NULL;
}

/* Sends `m` on; answers it with 500 itself when that cannot be. */
static void relay(struct call *c, struct txn *s, struct dialog *to, const struct sip_msg *m)
{
    struct sip_edge *e = c->edge;
    char branch[TOKEN_SIZE + 8];
    bool invite = m->method == SIP_INVITE;
    struct txn *t = txn_client_new(e->txns, invite, &to->path, dialog_host(to), branch);
    if (!t) {
        edge_reply_kept(e, s, m, 500, NULL, NULL);
        return;
    }
    struct buf b = call_scratch(e);
    dialog_put_request(to, e->transport, c->token, m->method_text, ++to->local_cseq, branch, &b);
    put_rack(c, to, m, &b);
    call_put_relayed(&b, m);
    sip_put_body(&b, m->body);
    if (b.err != OK) {
        txn_end(e->txns, t);
        edge_reply_kept(e, s, m, 513, NULL, NULL);
        return;
    }
    t->call = c->self;
    call_trace(c, to->leg, t);
    t->purpose = invite ? FOR_REINVITE : FOR_RELAY;
    t->other = s->self;
    if (invite)
        c->x.client = t->self;
    if (invite)
        c->x.cseq_out = to->local_cseq;
    txn_send(e->txns, t, buf_str(&b));
}

static void on_reinvite(struct call *c, char leg, const struct sip_msg *m, const struct path *from,
                        struct str raw)
{
    struct sip_edge *e = c->edge;
    struct txn *other = txn_at(e->txns, c->x.client);
    bool open = c->x.from && (c->state != CALL_UP || !c->x.acked);
    if (open && other && other->state == TXN_COMPLETED)
        open = false; /* it failed: its ACK is the transaction's own business */
    if (open && c->x.from == leg && c->state == CALL_UP && txn_at(e->txns, c->x.server) &&
        txn_at(e->txns, c->x.server)->state >= TXN_COMPLETED)
        open = false; /* a new one says that the last one was heard */
    if (open) {
        edge_reply(e, m, from, c->x.from == leg ? 500 : 491, NULL,
                   c->x.from == leg ? "Retry-After: 2\r\n" : NULL);
        return;
    }
    struct txn *s = txn_server_new(e->txns, m, from, raw, true);
    struct dialog *to = other_dialog(c, leg, '0');
    if (!s || !to)
        return;
    timer_stop(&c->invite_timer);
    block_give(e->blocks, &c->x.answer);
    block_give(e->blocks, &c->x.ack);
    s->call = c->self;
    call_trace(c, leg, s);
    c->x = (struct exchange){.from = leg, .server = s->self, .cseq_in = m->cseq};
    edge_reply_kept(e, s, m, 100, NULL, NULL);
    dialog_refresh(call_leg(c, leg), m, e->transport);
    relay(c, s, to, m);
}

void call_on_request(struct call *c, char leg, char fork, const struct sip_msg *m,
                     const struct path *from, struct str raw)
{
    struct sip_edge *e = c->edge;
    struct dialog *own = call_leg(c, leg);
    call_heard(c);
    if (m->method == SIP_BYE) {
        call_on_bye(c, leg, m, from, raw);
        return;
    }
    if (c->state != CALL_UP && c->state != CALL_RINGING && c->state != CALL_ANSWERING) {
        edge_reply(e, m, from, 481, NULL, NULL);
        return;
    }
    if (own->mem && own->remote_cseq && m->cseq <= own->remote_cseq) { /* §12.2.2 */
        edge_reply(e, m, from, 500, "CSeq Out Of Order", NULL);
        return;
    }
    own->remote_cseq = m->cseq;
    if (m->method == SIP_INVITE) {
        on_reinvite(c, leg, m, from, raw);
        return;
    }
    struct dialog *to = other_dialog(c, leg, fork);
    if (!to) {
        edge_reply(e, m, from, 481, NULL, NULL);
        return;
    }
    struct txn *s = txn_server_new(e->txns, m, from, raw, true);
    if (!s)
        return; /* at the limit: it comes again */
    call_trace(c, leg, s);
    if (m->method == SIP_UPDATE && c->state == CALL_UP)
        dialog_refresh(own, m, e->transport);
    relay(c, s, to, m);
}

/* Writes the answer to the kept request of `s` into scratch. */
static bool put_answer(struct call *c, struct txn *s, const struct sip_msg *m, struct buf *ret)
{
    struct sip_edge *e = c->edge;
    char tag[TOKEN_SIZE + 2];
    const struct dialog *own = call_leg(c, (char)s->leg);
    if (txn_request(s, &e->again) != OK)
        return false;
    *ret = call_scratch(e);
    snprintf(tag, sizeof tag, "%s%c%c", c->token, own->leg, own->fork);
    sip_put_reply(ret, &e->again, &s->path.peer, m->status, m->reason, str_of(tag),
                  m->status < 300);
    if (m->status < 300 && (m->method == SIP_INVITE || m->method == SIP_UPDATE))
        dialog_put_contact(&s->path, e->transport, ret);
    call_put_relayed(ret, m);
    sip_put_body(ret, m->body);
    return ret->err == OK;
}

static void on_reinvite_answer(struct call *c, struct txn *t, struct txn *s,
                               const struct sip_msg *m)
{
    struct sip_edge *e = c->edge;
    struct buf b;
    if (m->status >= 200 && m->status < 300 && c->x.client == t->self && s &&
        s->state == TXN_ACCEPTED) { /* again: ours is repeated by its own clock */
        if (c->x.acked)
            call_repeat_ack(c);
        return;
    }
    if (!s || m->status == 100 || !put_answer(c, s, m, &b))
        return;
    if (m->status >= 200 && m->status < 300) {
        dialog_refresh(call_leg(c, (char)t->leg), m, e->transport);
        b = call_scratch(e);
        if (!put_answer(c, s, m, &b) || block_set(e->blocks, &c->x.answer, buf_str(&b)) != OK)
            return;
    } else if (m->status >= 300) {
        c->x.from = 0;
        c->x.acked = true;
    }
    txn_answer(e->txns, s, m->status, buf_str(&b));
    if (m->status >= 200 && m->status < 300)
        call_repeat_answer(c);
}

void call_on_relay_response(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_edge *e = c->edge;
    struct txn *s = txn_at(e->txns, t->other);
    struct buf b;
    call_heard(c);
    if (t->purpose == FOR_REINVITE) {
        on_reinvite_answer(c, t, s, m);
        return;
    }
    if (!s || m->status == 100 || !put_answer(c, s, m, &b))
        return;
    if (m->method == SIP_UPDATE && m->status >= 200 && m->status < 300 && c->state == CALL_UP) {
        dialog_refresh(call_leg(c, (char)t->leg), m, e->transport);
        if (!put_answer(c, s, m, &b))
            return;
    }
    txn_answer(e->txns, s, m->status, buf_str(&b));
}

void call_on_relay_failure(struct call *c, struct txn *t, int status)
{
    struct sip_edge *e = c->edge;
    struct txn *s = txn_at(e->txns, t->other);
    if (t->purpose == FOR_REINVITE && c->x.client == t->self) {
        c->x.from = 0;
        c->x.acked = true;
    }
    if (s && txn_request(s, &e->again) == OK)
        edge_reply_kept(e, s, &e->again, status, NULL, NULL);
}
