/* exchange: an INVITE under way from one leg through us to the other, the first or a re-INVITE: the
 * answers that go back, the 2xx that is repeated until its ACK comes, the ACK that goes on, and 2xx
 * that nobody waits for. RFC 3261 §13, RFC 6026. It knows no state of the call. Edge's thread. */
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/row.h"

enum { STRAY_CSEQ_GAP = 10000 };

#define TO(s) (1u << EXCHANGE_##s)

static const struct {
    const char *name;
    unsigned next; /* bits of enum exchange_state */
} rules[EXCHANGE_STATES] = {
    [EXCHANGE_NONE] = {"NONE", TO(ASKED)},
    [EXCHANGE_ASKED] = {"ASKED", TO(ACCEPTED) | TO(NONE)},
    [EXCHANGE_ACCEPTED] = {"ACCEPTED", TO(ANSWERED) | TO(NONE)},
    [EXCHANGE_ANSWERED] = {"ANSWERED", TO(ACKED) | TO(GIVEN_UP)},
    [EXCHANGE_ACKED] = {"ACKED", 0},
    [EXCHANGE_GIVEN_UP] = {"GIVEN_UP", 0},
};

/* The one setter. An ACKED one is followed by a new one, not by another state of its own. */
void exchange_enter(struct call *c, enum exchange_state to)
{
    ASSERT(rules[c->x.state].next >> to & 1);
    log_debug("sip", "%s: INVITE of leg %c{%s → %s}", c->call_id, c->x.from->name,
              rules[c->x.state].name, rules[to].name);
    c->x.state = (uint8_t)to;
    if (to != EXCHANGE_ANSWERED)
        timer_stop(&c->x.timer);
    if (to == EXCHANGE_NONE)
        c->x.from = NULL;
}

void call_answer_invite(struct call *c, int status, struct str reason, const struct sip_msg *from_b,
                        const struct dialog *in)
{
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    struct sip_msg *invite = &core->again;
    struct buf b = from_b ? core_scratch(core) : core_scratch_reply(core);
    char tag[DIALOG_TAG_SIZE];
    if (!t || txn_request(t, invite) != OK)
        return;
    dialog_print_tag(in, tag);
    sip_put_reply(&b, invite, &t->path.peer, status, reason, status > 100 ? str_of(tag) : STR(""),
                  status > 100 && status < 300);
    if (status > 100 && status < 300)
        dialog_put_contact(&t->path, core->transport, &b);
    if (status == 503)
        sip_putf(&b, SIP_H_RETRY_AFTER, "%d", RETRY_AFTER_SEC);
    if (from_b)
        leg_put_relayed(&c->b, &b, from_b);
    else
        sip_put_body(&b, (struct str){0});
    if (b.err != OK) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: an answer did not fit", c->call_id);
        return;
    }
    if (status >= 200 && status < 300 && block_set(core->blocks, &c->x.answer, buf_str(&b)) != OK)
        return;
    txn_answer(core->txns, t, status, buf_str(&b));
}

bool call_put_refusal(struct call *c, int status, const struct sip_msg *m, struct buf *ret)
{
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    char tag[DIALOG_TAG_SIZE];
    if (!t || txn_request(t, &core->again) != OK)
        return false;
    *ret = core_scratch(core);
    dialog_print_tag(&c->a.dialog, tag);
    sip_put_reply(ret, &core->again, &t->path.peer, status,
                  status == m->status ? m->reason : (struct str){0}, str_of(tag), false);
    if (status == m->status) {
        leg_put_relayed(&c->b, ret, m);
    } else {
        leg_put_parting(&c->b, ret, m);
        sip_put_body(ret, (struct str){0});
    }
    return ret->err == OK;
}

void call_refuse_with(struct call *c, struct block *answer)
{
    block_give(c->core->blocks, &c->x.answer);
    c->x.answer = *answer;
    *answer = (struct block){0};
}

static void on_repeat_answer(struct timer *timer);

/* In `interval_ms`, or when 64 × T1 are over. */
static void repeat_later(struct call *c)
{
    struct loop *loop = c->core->c.loop;
    int64_t rest_ms = c->x.since_ms + 64 * c->core->c.t1_ms - loop_now_ms(loop);
    loop_timer(loop, &c->x.timer, c->x.interval_ms < rest_ms ? c->x.interval_ms : rest_ms,
               on_repeat_answer, c);
}

static void on_repeat_answer(struct timer *timer)
{
    struct call *c = timer->arg;
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    if (loop_now_ms(core->c.loop) - c->x.since_ms >= 64 * core->c.t1_ms || !t) {
        exchange_enter(c, EXCHANGE_GIVEN_UP);
        if (c->x.over)
            c->x.over(c, false);
        return;
    }
    metric_add(METRIC_SIP_RETRANSMITS_OUT, 1);
    core_send(core, &c->trace, (char)t->leg, &t->path, str_of(t->host), block_str(&c->x.answer));
    c->x.interval_ms =
        2 * c->x.interval_ms < 8 * core->c.t1_ms ? 2 * c->x.interval_ms : 8 * core->c.t1_ms;
    repeat_later(c);
}

/* Over streams too (§13.3.1.4). */
void call_repeat_answer(struct call *c, void (*over)(struct call *c, bool acked))
{
    exchange_enter(c, EXCHANGE_ANSWERED);
    c->x.over = over;
    c->x.since_ms = loop_now_ms(c->core->c.loop);
    c->x.interval_ms = c->core->c.t1_ms;
    repeat_later(c);
}

/* More than that the answer came: a body, such as the answer to a late offer, User-to-User or X-
 * headers. */
static bool ack_says_more(const struct sip_msg *m)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (header_class_of(m->header[i].id, m->header[i].name) == HEADER_CUSTOM)
            return true;
    return m->body.n > 0;
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
    if (m)
        leg_put_relayed(to->other, &b, m);
    else
        sip_put_body(&b, (struct str){0});
    if (b.err != OK)
        return;
    core_send(core, &c->trace, to->name, &d->path, dialog_host(d), buf_str(&b));
    if (m && ack_says_more(m) && block_set(core->blocks, &c->x.said, buf_str(&b)) == OK) {
        c->x.said_cseq = cseq;
        c->x.said_leg = to->name;
    }
}

/* A 2xx in a dialog of ours that came before: each is acknowledged again (§13.2.2.4), but one with an
 * offer that waits for the asker's ACK. */
void leg_on_repeated_answer(struct leg *leg, uint32_t cseq)
{
    struct call *c = leg->call;
    struct dialog *d = &leg->dialog;
    bool present = c->x.from && c->x.from != leg && c->x.cseq_out == cseq;
    if (c->x.said.p && c->x.said_cseq == cseq && c->x.said_leg == leg->name)
        core_send(c->core, &c->trace, leg->name, &d->path, dialog_host(d), block_str(&c->x.said));
    else if (!present || c->x.ack == ACK_SENT)
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
    struct leg *to = c->x.from ? c->x.from->other : NULL;
    bool more = m && ack_says_more(m) && call_takes(c, INPUT_REQUEST);
    if (c->x.state < EXCHANGE_ACCEPTED || (c->x.ack == ACK_SENT && !more))
        return;
    c->x.ack = ACK_SENT;
    send_ack(to, c->x.cseq_out, m);
}

void call_on_accepted(struct call *c)
{
    exchange_enter(c, EXCHANGE_ACCEPTED);
    if (c->x.ack == ACK_AT_ONCE)
        call_confirm(c, NULL);
}

/* Held calls are many: both transactions go now. A 2xx that comes again finds the call by our tag
 * (call_on_late_answer), an INVITE that comes again finds it by its Call-ID. */
void call_acknowledged(struct call *c, const struct sip_msg *m)
{
    exchange_enter(c, EXCHANGE_ACKED);
    if (c->x.ack == ACK_OF_ASKER && m && m->body.n) {
        session_accept_late(c->x.from, block_str(&c->x.answer), m);
        row_write_session(c);
    }
    block_give(c->core->blocks, &c->x.answer);
    call_confirm(c, m);
    end_transaction(c, &c->x.server);
    end_transaction(c, &c->x.client);
    if (c->x.over)
        c->x.over(c, true);
}

void leg_on_ack(struct leg *leg, const struct sip_msg *m)
{
    struct call *c = leg->call;
    if (c->x.from == leg && c->x.state == EXCHANGE_ANSWERED && m->cseq == c->x.cseq_in &&
        call_takes(c, INPUT_ACK))
        call_acknowledged(c, m);
}

/* The last ACK that said something stays: its 2xx may come again. */
void exchange_begin(struct call *c, const struct exchange *x)
{
    struct exchange before = c->x;
    timer_stop(&c->x.timer);
    block_give(c->core->blocks, &before.answer);
    c->x = *x;
    c->x.said = before.said;
    c->x.said_cseq = before.said_cseq;
    c->x.said_leg = before.said_leg;
    exchange_enter(c, EXCHANGE_ASKED);
}

bool call_is_exchanging(const struct call *c)
{
    return c->x.state != EXCHANGE_NONE && c->x.state != EXCHANGE_ACKED;
}

void call_begin_own(struct call *c, struct leg *to, const struct txn *client)
{
    exchange_begin(c, &(struct exchange){.from = to->other,
                                         .client = client->self,
                                         .cseq_out = to->dialog.local_cseq});
}

void call_end_own(struct call *c, const struct txn *client)
{
    if (c->x.client == client->self && c->x.state == EXCHANGE_ASKED)
        exchange_enter(c, EXCHANGE_NONE);
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
    if (!dialog_parse_tag(tag, &d) ||
        dialog_of_response(&d, m, &t->path, str_of(t->host), core->transport) != OK)
        return;
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
