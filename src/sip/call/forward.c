/* forward: the INVITE that goes to a target: the caller's own, with our addressing around it.
 * The SDP and what we need not understand pass as they are (docs/sip.md). Edge's thread. */
#include <string.h>

#include "base/log.h"
#include "sip/call/route.h"

static void put_target_headers(struct buf *b, const struct target *t)
{
    for (size_t i = 0; i < t->n_headers; i++)
        sip_put_named(b, t->header[i][0], t->header[i][1]);
}

/* A bare URI, since a name-addr's parameters are not ours to repeat; nobody's where the caller
 * withholds who he is (RFC 3323 §4.1.1.3). */
static void put_from(struct buf *b, const struct call *c, const struct sip_msg *invite)
{
    char tag[DIALOG_TAG_SIZE];
    struct str display = invite->from.display, uri = invite->from.uri_text;
    if (leg_hidden(&c->a)) {
        display = STR("Anonymous");
        uri = STR("sip:anonymous@anonymous.invalid");
    }
    buf_puts(b, "From: ");
    sip_put_name_addr(b, display, uri);
    dialog_print_tag(&c->b.dialog, tag);
    buf_printf(b, ";tag=%s\r\n", tag);
}

bool route_invite(struct call *c)
{
    struct sip_core *core = c->core;
    struct route *r = c->route;
    struct sip_msg *invite = &core->again;
    struct txn *s = txn_at(core->txns, c->x.server);
    char branch[TOKEN_SIZE + 8];
    if (!s || txn_request(s, invite) != OK)
        return false;
    struct txn *t = transactions_admit(core->txns, c->account)
                        ? txn_client_new(core->txns, true, &r->path, str_of(r->host), branch)
                        : NULL;
    if (!t)
        return false;
    int hops = invite->max_forwards < 0 ? HOP_MAX : invite->max_forwards;
    struct buf b = core_scratch(core);
    sip_put_request_line(&b, STR("INVITE"), str_of(r->ruri));
    buf_printf(&b, "Via: SIP/2.0/%s ", transport_name((enum sip_transport)r->path.transport));
    transport_put_own(core->transport, &r->path, &b);
    buf_printf(&b, ";branch=%s;rport\r\n", branch);
    sip_putf(&b, SIP_H_MAX_FORWARDS, "%d", (hops < HOP_MAX ? hops : HOP_MAX) - 1);
    put_from(&b, c, invite);
    sip_putf(&b, SIP_H_TO, "<%s>", r->ruri);
    sip_putf(&b, SIP_H_CALL_ID, "%s-%u", c->token, ++r->attempts);
    buf_puts(&b, "CSeq: 1 INVITE\r\n");
    dialog_put_contact(&r->path, core->transport, &b);
    put_target_headers(&b, r->target);
    leg_put_relayed(&c->a, &b, invite);
    if (b.err != OK) {
        txn_end(core->txns, t);
        return false;
    }
    t->call = c->self;
    leg_trace(&c->b, t);
    t->purpose = FOR_ROUTE;
    t->fails_at_once = true; /* the target's next address is asked, or the next target */
    t->patience_ms += RING_TIMEOUT_MAX_S * 1000; /* the target's own ring timeout comes first */
    r->client = t->self;
    call_set_state(c, CALL_RINGING);
    txn_send(core->txns, t, buf_str(&b));
    return true;
}
