/* call_probe: is anybody still there? A call that was silent for sip.probe_s, or that was up before
 * a restart, is asked with OPTIONS on both legs. 481, or no answer at all, says that a leg is gone:
 * then the other is hung up and the call ends as lost. Any other answer is life. Edge's thread. */
#include "base/crypto.h"
#include "base/log.h"
#include "sip/call.h"

static void on_probe_due(struct timer *timer);

void call_probe_later(struct call *c, int64_t in_ms)
{
    loop_timer(c->edge->c.loop, &c->probe_timer, in_ms, on_probe_due, c);
}

static void send_probe(struct call *c, struct dialog *d)
{
    struct sip_edge *e = c->edge;
    char branch[TOKEN_SIZE + 8];
    struct txn *t = txn_client_new(e->txns, false, &d->path, dialog_host(d), branch);
    if (!t)
        return;
    struct buf b = call_scratch(e);
    dialog_put_request(d, e->transport, STR("OPTIONS"), ++d->local_cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    if (b.err != OK) {
        txn_end(e->txns, t);
        return;
    }
    t->call = c->self;
    call_trace(c, d->leg, t);
    t->purpose = FOR_PROBE;
    c->probes++;
    txn_send(e->txns, t, buf_str(&b));
}

static void on_probe_due(struct timer *timer)
{
    struct call *c = timer->arg;
    int64_t silent_ms = loop_now_ms(c->edge->c.loop) - c->heard_at_ms;
    if (c->state != CALL_UP)
        return;
    bool restored = call_is_restored(c) && c->heard_at_ms == 0;
    if (!restored && silent_ms < c->edge->c.probe_ms) {
        call_probe_later(c, c->edge->c.probe_ms - silent_ms);
        return;
    }
    c->probe_unanswered = false;
    send_probe(c, &c->a);
    send_probe(c, &c->b);
    if (!c->probes)
        call_probe_later(c, c->edge->c.probe_ms);
}

void call_on_probe_answer(struct call *c, struct txn *t, int status)
{
    if (c->probes)
        c->probes--;
    if (c->state != CALL_UP)
        return;
    if (status == 481 || status == 408)
        c->probe_unanswered = true;
    if (c->probe_unanswered) {
        static const struct str why = STR("SIP;cause=481;text=\"Lost\"");
        log_info("sip", "%s: leg %c is gone", c->call_id, t->leg);
        call_hang_up(c, 'a', why);
        call_hang_up(c, 'b', why);
        call_end(c, END_LOST, ENDED_BY_SYSTEM, status);
    } else if (!c->probes) {
        call_heard(c);
        call_probe_later(c, c->edge->c.probe_ms);
    }
}
