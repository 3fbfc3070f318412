/* line: writes the messages of a peer, from the messages that it has heard. */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge_kit_own.h"
#include "sip/wire/print.h"

static char sent[SIP_MESSAGE_MAX];
static struct buf out;

static void message_begin(void)
{
    buf_wrap(&out, sent, sizeof sent);
}

static void message_send(const struct addr *from, uint32_t stream)
{
    kit_must(out.err == OK, "a message does not fit");
    edge_kit_send(from, stream, buf_str(&out));
}

struct str line_last_sent(void)
{
    return buf_str(&out);
}

static void text_copy(struct str s, char to[LINE_TEXT])
{
    kit_must(str_copy(s, to, LINE_TEXT) == OK, "a header is longer than a line keeps");
}

static struct str header_uri(struct str name_addr)
{
    struct str before, rest, uri;
    if (!str_cut(name_addr, '<', &before, &rest))
        return name_addr;
    str_cut(rest, '>', &uri, &before);
    return uri;
}

static void message_put_contact(const struct addr *at, uint32_t stream)
{
    char text[ADDR_TEXT_SIZE];
    addr_print(at, text);
    buf_printf(&out, "Contact: <sip:peer@%s%s>\r\n", text, stream ? ";transport=tcp" : "");
}

static void message_put_body(const char *body)
{
    if (body)
        buf_puts(&out, "Content-Type: application/sdp\r\n");
    buf_printf(&out, "Content-Length: %zu\r\n\r\n%s", body ? strlen(body) : 0, body ? body : "");
}

/* ---- lines ---- */

void line_new(struct line *l, const char *at, const char *name, const char *number)
{
    *l = (struct line){0};
    kit_must(addr_parse(str_of(at), 5060, &l->at) == OK, "no address");
    snprintf(l->name, sizeof l->name, "%s", name);
    snprintf(l->call_id, LINE_TEXT, "%s@%s", name, at);
    snprintf(l->local, LINE_TEXT, "<sip:+19175550100@%s>;tag=%s", at, name);
    snprintf(l->remote, LINE_TEXT, "<sip:%s@" EDGE ">", number);
    snprintf(l->target, LINE_TEXT, "sip:%s@" EDGE, number);
    memcpy(l->invite_target, l->target, LINE_TEXT);
}

void line_invite(struct line *l, const char *at, const char *number)
{
    static unsigned n;
    char name[24];
    snprintf(name, sizeof name, "call-%u", ++n);
    line_new(l, at, name, number);
    line_request(l, &(struct request){.method = "INVITE", .body = LINE_SDP});
}

void line_of_invite(struct line *l, const struct edge_packet *invite, const char *tag)
{
    const struct sip_msg *m = packet_parse(invite);
    *l = (struct line){.at = invite->to, .stream = invite->stream};
    snprintf(l->name, sizeof l->name, "%s", tag);
    text_copy(m->call_id, l->call_id);
    snprintf(l->local, LINE_TEXT, "%.*s;tag=%s", STR_FMT(sip_value(m, SIP_H_TO)), tag);
    text_copy(sip_value(m, SIP_H_FROM), l->remote);
    text_copy(header_uri(sip_value(m, SIP_H_CONTACT)), l->target);
}

void line_learn(struct line *l, const struct edge_packet *response)
{
    const struct sip_msg *m = packet_parse(response);
    struct str contact = sip_value(m, SIP_H_CONTACT);
    text_copy(sip_value(m, SIP_H_TO), l->remote);
    if (contact.n)
        text_copy(header_uri(contact), l->target);
}

/* ---- requests ---- */

static void message_put_head(struct line *l, const char *method, const char *target, uint32_t cseq,
                             const char *branch)
{
    char at[ADDR_TEXT_SIZE];
    addr_print(&l->at, at);
    message_begin();
    buf_printf(&out,
               "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\nMax-Forwards: 70\r\n"
               "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n",
               method, target, l->stream ? "TCP" : "UDP", at, branch, l->local, l->remote,
               l->call_id, cseq, method);
}

void line_request(struct line *l, const struct request *r)
{
    char branch[64];
    bool invite = !strcmp(r->method, "INVITE");
    uint32_t cseq = r->cseq ? r->cseq : l->cseq + 1;
    snprintf(branch, sizeof branch, "z9hG4bK-%s-%u", l->name, l->n_branches);
    if (r->branch)
        snprintf(branch, sizeof branch, "%s", r->branch);
    else
        l->n_branches++;
    if (cseq > l->cseq)
        l->cseq = cseq;
    if (invite) {
        l->invite_cseq = cseq;
        memcpy(l->invite_branch, branch, sizeof branch);
    }
    message_put_head(l, r->method, l->target, cseq, branch);
    if (invite || !strcmp(r->method, "UPDATE"))
        message_put_contact(&l->at, l->stream);
    if (r->headers)
        buf_puts(&out, r->headers);
    message_put_body(r->body);
    message_send(&l->at, l->stream);
}

void line_say(struct line *l, const char *method)
{
    line_request(l, &(struct request){.method = method});
}

void line_ack(struct line *l, uint32_t cseq)
{
    char branch[64];
    snprintf(branch, sizeof branch, "z9hG4bK-%s-%u", l->name, l->n_branches++);
    message_put_head(l, "ACK", l->target, cseq, branch);
    message_put_body(NULL);
    message_send(&l->at, l->stream);
}

void line_ack_failure(struct line *l)
{
    message_put_head(l, "ACK", l->invite_target, l->invite_cseq, l->invite_branch);
    message_put_body(NULL);
    message_send(&l->at, l->stream);
}

void line_cancel(struct line *l)
{
    line_cancel_saying(l, "");
}

void line_cancel_saying(struct line *l, const char *headers)
{
    message_put_head(l, "CANCEL", l->invite_target, l->invite_cseq, l->invite_branch);
    buf_puts(&out, headers);
    message_put_body(NULL);
    message_send(&l->at, l->stream);
}

/* ---- responses ---- */

static void message_put_same(const struct sip_msg *m, enum sip_header_id id)
{
    for (size_t i = 0; sip_header(m, id, i); i++)
        buf_printf(&out, "%s: %.*s\r\n", sip_header_name(id), STR_FMT(sip_header(m, id, i)->value));
}

struct edge_packet *packet_last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p) {
        fprintf(stderr, "no %s went to %s\n", what, to);
        abort();
    }
    return p;
}

void packet_answer(const struct edge_packet *request, const struct response *r)
{
    const struct sip_msg *m = packet_parse(request);
    bool target = r->status > 100 && r->status < 300 && m->method != SIP_BYE;
    message_begin();
    buf_printf(&out, "SIP/2.0 %d %s\r\n", r->status, sip_reason(r->status));
    message_put_same(m, SIP_H_VIA);
    message_put_same(m, SIP_H_FROM);
    struct str to = sip_value(m, SIP_H_TO);
    if (r->as_new)
        to.n = (size_t)(m->to.tag.p - to.p) - strlen(";tag=");
    bool tagged = m->to.tag.p && !r->as_new;
    buf_printf(&out, "To: %.*s%s%s\r\n", STR_FMT(to), r->tag && !tagged ? ";tag=" : "",
               r->tag && !tagged ? r->tag : "");
    message_put_same(m, SIP_H_CALL_ID);
    message_put_same(m, SIP_H_CSEQ);
    if (target)
        message_put_contact(&request->to, request->stream);
    if (r->headers)
        buf_puts(&out, r->headers);
    message_put_body(r->body);
    message_send(&request->to, request->stream);
}

void line_answer(struct line *l, const struct edge_packet *request, int status)
{
    bool offer = request->method == SIP_INVITE && status >= 200 && status < 300;
    packet_answer(request, &(struct response){.status = status,
                                              .tag = status > 100 ? l->name : NULL,
                                              .body = offer ? LINE_SDP : NULL});
}
