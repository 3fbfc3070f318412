/* phone_answer: plays the called side of the telephone. It keeps the INVITE as it came, rings, and
 * gives the final answer of the plan. It repeats a final answer until its ACK (RFC 3261
 * §13.3.1.4). */
#include "play/phone_call.h"

#include <stdlib.h>

void phone_reply(struct phone *p, const struct sip_msg *m, const struct addr *to, int status,
                 struct str tag)
{
    char mem[TEXT_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    sip_put_reply(&b, m, to, status, str_of(sip_reason(status)), tag, false);
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        (void)!datagram_send(p->socket, to, buf_str(&b));
}

/* Answers the kept INVITE; a 2xx is repeated until its ACK. */
static void answer_invite(struct phone_call *c, int status)
{
    struct sip_msg m;
    char mem[TEXT_MAX];
    struct buf b;
    char *copy = str_dup((struct str){c->request, c->request_n});
    if (!copy || sip_parse(copy, c->request_n, &m) != OK)
        goto out;
    buf_wrap(&b, mem, sizeof mem);
    sip_put_reply(&b, &m, &c->peer, status, str_of(sip_reason(status)),
                  status > 100 ? str_of(c->our_tag) : (struct str){0}, true);
    if (status > 100 && status < 300)
        phone_put_contact(c, &b);
    if (status >= 200 && status < 300)
        sip_putf(&b, SIP_H_CONTENT_TYPE, "application/sdp");
    sip_put_body(&b, status >= 200 && status < 300 ? str_of(phone_sdp) : (struct str){0});
    if (status >= 200)
        phone_send_until_answered(c, &b);
    else
        phone_send(c, &b);
out:
    free(copy);
}

static void on_answer_due(struct timer *t)
{
    struct phone_call *c = t->arg;
    if (c->state != RINGING)
        return;
    answer_invite(c, c->answer.status);
    if (c->answer.status >= 300) {
        phone_call_over(c, PHONE_REFUSED, c->answer.status);
        return;
    }
    c->state = TALKING;
    if (c->answer.hangup_after_ms >= 0)
        loop_timer(c->phone->loop, &c->plan, c->answer.hangup_after_ms, phone_on_hangup_due, c);
}

/* `raw` is the packet as it came, before parsing joined its folded lines. */
void phone_on_invite(struct phone *p, const struct sip_msg *m, const struct addr *from,
                     struct str raw)
{
    struct phone_call *c = phone_call_new(p, m->call_id);
    if (!c) {
        phone_reply(p, m, from, 486, STR("busy"));
        return;
    }
    c->peer = *from;
    c->answer = p->c.answer(p->c.arg, m->ruri.user);
    c->request = str_dup(raw);
    c->request_n = raw.n;
    c->remote_target = str_dup(m->from.uri_text);
    c->remote_uri = phone_bracketed(m->from.uri_text);
    c->local_uri = phone_bracketed(m->to.uri_text);
    phone_learn_peer(c, m, &m->from);
    if (!c->request || !c->remote_target || !c->remote_uri || !c->local_uri) {
        map_remove(p->calls, str_of(c->call_id));
        phone_call_free(c);
        phone_reply(p, m, from, 500, STR("nomem"));
        return;
    }
    c->state = RINGING;
    answer_invite(c, 180);
    if (c->answer.ring_ms >= 0)
        loop_timer(p->loop, &c->plan, c->answer.ring_ms, on_answer_due, c);
}

void phone_on_request(struct phone_call *c, const struct sip_msg *m, const struct addr *from)
{
    switch (m->method) {
    case SIP_INVITE: /* a repeat, or a re-INVITE that needs no answer of ours */
        if (m->cseq == c->invite_cseq || !m->to.tag.p)
            break;
        phone_reply(c->phone, m, from, 488, str_of(c->our_tag));
        break;
    case SIP_ACK: phone_repeat_end(c); break;
    case SIP_CANCEL:
        phone_reply(c->phone, m, from, 200, str_of(c->our_tag));
        if (c->state == RINGING) {
            answer_invite(c, 487);
            phone_call_over(c, PHONE_REFUSED, 487);
        }
        break;
    case SIP_BYE:
        phone_reply(c->phone, m, from, 200, str_of(c->our_tag));
        phone_repeat_end(c);
        phone_call_over(c, PHONE_ENDED, 0);
        break;
    default: phone_reply(c->phone, m, from, 200, str_of(c->our_tag));
    }
}
