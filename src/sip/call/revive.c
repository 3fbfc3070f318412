/* revive: makes the transactions of an unanswered call's INVITEs again, after a restart, when nobody
 * could hear their answers any more: the caller's gets one, the target's is cancelled. Edge's
 * thread, and before its loop starts. */
#include "sip/call/revive.h"

#include <string.h>

/* Only what an answer to it repeats. */
static void put_callers_invite(const struct dialog *d, struct str vias, struct buf *b)
{
    struct str via;
    sip_put_request_line(b, STR("INVITE"), STR("sip:restored.invalid"));
    while (vias.n) {
        str_cut(vias, '\n', &via, &vias);
        sip_put(b, SIP_H_VIA, via);
    }
    sip_put(b, SIP_H_FROM, dialog_get(d, DIALOG_REMOTE));
    sip_put(b, SIP_H_TO, dialog_get(d, DIALOG_LOCAL));
    sip_put(b, SIP_H_CALL_ID, dialog_get(d, DIALOG_CALL_ID));
    sip_putf(b, SIP_H_CSEQ, "%u INVITE", d->remote_cseq);
    sip_put_body(b, (struct str){0});
}

static void restore_caller(struct call *c, const struct path *path, struct str vias)
{
    struct sip_core *core = c->core;
    struct sip_msg *m = &core->again;
    struct buf b = core_scratch(core);
    put_callers_invite(&c->a.dialog, vias, &b);
    if (b.err != OK || sip_parse(b.p, b.n, m) != OK)
        return;
    struct txn *t = txn_server_new(core->txns, m, path, buf_str(&b), true);
    if (!t)
        return;
    if (path->transport != SIP_UDP) /* its connection is gone (§18.2.2) */
        t->path.peer.port = t->path.listens;
    t->call = c->self;
    leg_trace(&c->a, t);
    exchange_begin(
        c, &(struct exchange){.from = &c->a, .first = true, .server = t->self, .cseq_in = m->cseq});
}

/* Only what a CANCEL, or an ACK, repeats. */
static void put_our_invite(struct buf *b, const struct str part[INVITE_PARTS])
{
    sip_put_request_line(b, STR("INVITE"), part[INVITE_URI]);
    sip_put(b, SIP_H_VIA, part[INVITE_VIA]);
    sip_put(b, SIP_H_FROM, part[INVITE_FROM]);
    sip_put(b, SIP_H_TO, part[INVITE_TO]);
    sip_put(b, SIP_H_CALL_ID, part[INVITE_CALL_ID]);
    buf_puts(b, "CSeq: 1 INVITE\r\n");
    sip_put_body(b, (struct str){0});
}

/* It is cancelled at once: the caller waits no longer. */
static void adopt(struct call *c, const struct path *at, struct str host,
                  const struct str part[INVITE_PARTS])
{
    struct sip_core *core = c->core;
    struct sip_msg *m = &core->again;
    struct path path = *at;
    struct buf b = core_scratch(core);
    path.account = c->account;
    path.unguarded = c->account == core->operators;
    put_our_invite(&b, part);
    if (b.err != OK || sip_parse(b.p, b.n, m) != OK)
        return;
    struct txn *t = txn_client_adopt(core->txns, &path, host, m->via.branch, buf_str(&b));
    if (t)
        leg_trace(&c->b, t);
}

void call_revive(struct call *c, struct str text)
{
    struct unanswered u;
    unanswered_parse(text, c->core->transport, &u);
    if (u.token.n != TOKEN_SIZE - 1)
        return;
    memcpy(c->b.dialog.token, u.token.p, u.token.n);
    if (c->a.dialog.mem && u.vias.n)
        restore_caller(c, &u.from, u.vias);
    if (u.invite[INVITE_URI].n)
        adopt(c, &u.to, u.host, u.invite);
}

void call_on_late_ringing(struct leg *leg, const struct sip_msg *m, const struct path *from)
{
    struct call *c = leg->call;
    char via[512], to[1024];
    struct buf v, t;
    if (leg != &c->b || !c->restored || c->state >= CALL_UP ||
        !str_starts(m->call_id, str_of(c->token)))
        return;
    buf_wrap(&v, via, sizeof via);
    buf_printf(&v, "SIP/2.0/%.*s %.*s", STR_FMT(m->via.transport), STR_FMT(m->via.host));
    if (m->via.port)
        buf_printf(&v, ":%u", m->via.port);
    buf_printf(&v, ";branch=%.*s;rport", STR_FMT(m->via.branch));
    buf_wrap(&t, to, sizeof to);
    buf_printf(&t, "<%.*s>", STR_FMT(m->to.uri_text)); /* so it was sent: our Request-URI */
    if (v.err != OK || t.err != OK)
        return;
    const struct str part[INVITE_PARTS] = {m->to.uri_text, buf_str(&v), sip_value(m, SIP_H_FROM),
                                           buf_str(&t), m->call_id};
    adopt(c, from, (struct str){0}, part);
}
