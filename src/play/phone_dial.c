/* phone_dial: plays the calling side of the telephone. It sends INVITE until something answers,
 * CANCEL and BYE when the plan says so, and an ACK for each final answer, also for each repeat of
 * a 2xx (RFC 3261 §13.2.2.4). */
#include "play/phone_call.h"

#include <stdlib.h>

static void on_cancel_due(struct timer *t)
{
    struct phone_call *c = t->arg;
    char mem[TEXT_MAX];
    struct buf b;
    if (c->state != DIALLING && c->state != RINGING)
        return;
    buf_wrap(&b, mem, sizeof mem);
    phone_put_request(c, &b, SIP_CANCEL, c->invite_cseq, true);
    sip_put_body(&b, (struct str){0});
    c->cancelled = true;
    phone_send_until_answered(c, &b);
}

static void on_invite_response(struct phone_call *c, const struct sip_msg *m)
{
    if (m->status < 200) {
        if (!c->cancelled)
            phone_repeat_end(c);
        if (m->status > 100 && c->state == DIALLING) {
            c->state = RINGING;
            phone_tell(c, PHONE_RINGING, m->status);
        }
        return;
    }
    if (m->status >= 300) { /* the ACK goes where the INVITE went, on its branch */
        phone_repeat_end(c);
        free(c->peer_tag);
        c->peer_tag = m->to.tag.p ? str_dup(m->to.tag) : NULL;
        phone_send_ack(c, true);
        phone_call_over(c, PHONE_REFUSED, m->status);
        return;
    }
    if (c->state == DIALLING || c->state == RINGING) {
        phone_repeat_end(c);
        phone_learn_peer(c, m, &m->to);
        c->state = TALKING;
        phone_tell(c, PHONE_ANSWERED, m->status);
        if (c->cancelled) /* too late: hang up at once */
            loop_timer(c->phone->loop, &c->plan, 0, phone_on_hangup_due, c);
        else if (c->dial.hangup_after_ms >= 0)
            loop_timer(c->phone->loop, &c->plan, c->dial.hangup_after_ms, phone_on_hangup_due, c);
    }
    phone_send_ack(c, false); /* also for each repeat of the 2xx */
}

void phone_on_response(struct phone_call *c, const struct sip_msg *m)
{
    if (m->cseq_method == SIP_INVITE)
        on_invite_response(c, m);
    else if (m->cseq_method == SIP_BYE && m->status >= 200) {
        phone_repeat_end(c);
        phone_call_over(c, PHONE_ENDED, 0);
    } else if (m->cseq_method == SIP_CANCEL && m->status >= 200)
        phone_repeat_end(c);
}

enum err phone_dial(struct phone *p, const struct phone_dial *d, uint64_t *ret_dial)
{
    char mem[TEXT_MAX], text[ADDR_TEXT_SIZE], id[40];
    struct buf b;
    phone_token(id, sizeof id, "");
    struct phone_call *c = phone_call_new(p, str_of(id));
    if (!c)
        return ERR_FULL;
    c->dialled = true;
    c->dial = *d;
    c->peer = d->to;
    c->cseq = c->invite_cseq = 1;
    addr_print(&d->to, text);
    buf_wrap(&b, mem, sizeof mem);
    buf_printf(&b, "sip:%.*s@%s", STR_FMT(d->number), text);
    c->remote_target = str_dup(buf_str(&b));
    c->remote_uri = phone_bracketed(buf_str(&b));
    buf_reset(&b);
    struct addr at = phone_local(p);
    addr_print(&at, text);
    if (d->from_name.n)
        buf_printf(&b, "\"%.*s\" ", STR_FMT(d->from_name));
    buf_printf(&b, "<sip:%.*s@%s>", STR_FMT(d->from), text);
    c->local_uri = str_dup(buf_str(&b));
    if (b.err != OK || !c->remote_target || !c->remote_uri || !c->local_uri) {
        map_remove(p->calls, str_of(c->call_id));
        phone_call_free(c);
        return ERR_NOMEM;
    }
    buf_reset(&b);
    phone_put_request(c, &b, SIP_INVITE, 1, false);
    phone_put_contact(c, &b);
    sip_putf(&b, SIP_H_CONTENT_TYPE, "application/sdp");
    sip_put_body(&b, str_of(phone_sdp));
    phone_send_until_answered(c, &b);
    if (d->cancel_after_ms >= 0)
        loop_timer(p->loop, &c->plan, d->cancel_after_ms, on_cancel_due, c);
    *ret_dial = c->n;
    return OK;
}
