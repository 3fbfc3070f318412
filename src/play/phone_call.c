/* phone_call: keeps one call of the telephone, whichever side began it.
 *
 * The last message that still waits for an answer is kept and sent again (RFC 3261 timers A and E,
 * in a simple form). Only its linger timer frees a call, never a callback of its own. */
#include "play/phone_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

const char phone_sdp[] =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=hookswitch\r\nc=IN IP4 127.0.0.1\r\n"
    "t=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n";

void phone_token(char *out, size_t n, const char *prefix)
{
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    size_t at = strlen(prefix);
    memcpy(out, prefix, at);
    crypto_random(out + at, n - at - 1);
    for (; at < n - 1; at++)
        out[at] = digits[(unsigned char)out[at] % 32];
    out[at] = '\0';
}

void phone_call_free(struct phone_call *c)
{
    timer_stop(&c->repeat);
    timer_stop(&c->plan);
    timer_stop(&c->linger);
    free(c->remote_target);
    free(c->remote_uri);
    free(c->local_uri);
    free(c->peer_tag);
    free(c->request);
    free(c->pending);
    free(c);
}

static void on_linger(struct timer *t)
{
    struct phone_call *c = t->arg;
    map_remove(c->phone->calls, str_of(c->call_id));
    phone_call_free(c);
}

void phone_send(struct phone_call *c, const struct buf *b)
{
    if (b->err == OK) /* a lost packet is what the repeat timers are for */
        (void)!datagram_send(c->phone->socket, &c->peer, buf_str(b));
}

static void on_repeat(struct timer *t)
{
    struct phone_call *c = t->arg;
    c->repeated_for_ms += c->repeat_ms;
    if (c->repeated_for_ms >= GIVE_UP_MS) {
        c->state = OVER;
        loop_timer(c->phone->loop, &c->linger, 0, on_linger, c);
        return;
    }
    (void)!datagram_send(c->phone->socket, &c->peer, (struct str){c->pending, c->pending_n});
    c->repeat_ms = c->repeat_ms * 2 < T2_MS ? c->repeat_ms * 2 : T2_MS;
    loop_timer(c->phone->loop, &c->repeat, c->repeat_ms, on_repeat, c);
}

/* Sends `b` now, and again until repeat_end. */
void phone_send_until_answered(struct phone_call *c, const struct buf *b)
{
    free(c->pending);
    c->pending = str_dup(buf_str(b));
    c->pending_n = c->pending ? b->n : 0;
    c->repeat_ms = T1_MS;
    c->repeated_for_ms = 0;
    phone_send(c, b);
    loop_timer(c->phone->loop, &c->repeat, c->repeat_ms, on_repeat, c);
}

void phone_repeat_end(struct phone_call *c)
{
    timer_stop(&c->repeat);
    free(c->pending);
    c->pending = NULL;
    c->pending_n = 0;
}

void phone_tell(struct phone_call *c, enum phone_event what, int status)
{
    if (c->dialled && c->phone->c.on_dialled)
        c->phone->c.on_dialled(c->phone->c.arg, c->n, what, status);
}

void phone_call_over(struct phone_call *c, enum phone_event what, int status)
{
    if (c->state == OVER)
        return;
    c->state = OVER;
    timer_stop(&c->plan);
    phone_tell(c, what, status);
    loop_timer(c->phone->loop, &c->linger, LINGER_MS, on_linger, c);
}

void phone_put_contact(struct phone_call *c, struct buf *b)
{
    struct addr at = phone_local(c->phone);
    char text[ADDR_TEXT_SIZE];
    addr_print(&at, text);
    sip_putf(b, SIP_H_CONTACT, "<sip:phone@%s>", text);
}

/* A request of ours up to, not including, its body. ACK to a failure and CANCEL keep the INVITE's
 * branch (RFC 3261 §9.1, §17.1.1.3). */
void phone_put_request(struct phone_call *c, struct buf *b, enum sip_method m, uint32_t cseq,
                       bool same_branch)
{
    struct addr at = phone_local(c->phone);
    char text[ADDR_TEXT_SIZE];
    addr_print(&at, text);
    if (!same_branch)
        phone_token(c->branch, sizeof c->branch, "z9hG4bK");
    sip_put_request_line(b, str_of(sip_method_name(m)), str_of(c->remote_target));
    sip_putf(b, SIP_H_VIA, "SIP/2.0/UDP %s;branch=%s;rport", text, c->branch);
    sip_putf(b, SIP_H_MAX_FORWARDS, "70");
    sip_putf(b, SIP_H_FROM, "%s;tag=%s", c->local_uri, c->our_tag);
    if (c->peer_tag)
        sip_putf(b, SIP_H_TO, "%s;tag=%s", c->remote_uri, c->peer_tag);
    else
        sip_putf(b, SIP_H_TO, "%s", c->remote_uri);
    sip_putf(b, SIP_H_CALL_ID, "%s", c->call_id);
    sip_putf(b, SIP_H_CSEQ, "%u %s", cseq, sip_method_name(m));
}

static void call_hang_up(struct phone_call *c)
{
    char mem[TEXT_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    phone_put_request(c, &b, SIP_BYE, ++c->cseq, false);
    sip_put_body(&b, (struct str){0});
    c->state = HANGING_UP;
    phone_send_until_answered(c, &b);
}

void phone_on_hangup_due(struct timer *t)
{
    struct phone_call *c = t->arg;
    if (c->state == TALKING)
        call_hang_up(c);
}

void phone_send_ack(struct phone_call *c, bool same_branch)
{
    char mem[TEXT_MAX];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    phone_put_request(c, &b, SIP_ACK, c->invite_cseq, same_branch);
    sip_put_body(&b, (struct str){0});
    phone_send(c, &b);
}

/* Takes the parts of a dialog from a message of the other side: its tag and its address. */
void phone_learn_peer(struct phone_call *c, const struct sip_msg *m, const struct name_addr *peer)
{
    struct name_addr contact;
    if (peer->tag.p) {
        free(c->peer_tag);
        c->peer_tag = str_dup(peer->tag);
    }
    if (name_addr_parse(sip_value(m, SIP_H_CONTACT), &contact) == OK) {
        free(c->remote_target);
        c->remote_target = str_dup(contact.uri_text);
    }
}

struct phone_call *phone_call_new(struct phone *p, struct str call_id)
{
    struct phone_call *c = map_count(p->calls) < PHONE_CALLS_MAX ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return NULL;
    c->phone = p;
    c->n = ++p->next;
    phone_token(c->our_tag, sizeof c->our_tag, "");
    if (str_copy(call_id, c->call_id, sizeof c->call_id) != OK ||
        map_put(p->calls, str_of(c->call_id), c, NULL) != OK) {
        free(c);
        return NULL;
    }
    return c;
}

char *phone_bracketed(struct str uri)
{
    struct buf b;
    buf_init(&b, TEXT_MAX);
    buf_putc(&b, '<');
    buf_put_str(&b, uri);
    buf_putc(&b, '>');
    char *text = b.err == OK ? str_dup(buf_str(&b)) : NULL;
    buf_fini(&b);
    return text;
}
