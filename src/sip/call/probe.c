/* probe: is anybody still there? A call that was silent for sip.probe_s, or that was up before
 * a restart, is asked with OPTIONS on both legs. 481, or no answer at all, says that a leg is gone:
 * then the other is hung up and the call ends as lost. Any other answer is life. A leg that cannot
 * be asked, because no connection is to be had, is asked again a few times before. Edge's thread.
 */
#include "base/crypto.h"
#include "base/log.h"
#include "sip/call/call.h"

enum { ASK_AGAIN_MS = 5000, ROUNDS_UNSENT_MAX = 4 };

static void send_probe(struct leg *leg)
{
    struct call *c = leg->call;
    struct dialog *d = &leg->dialog;
    struct sip_core *core = c->core;
    char branch[TOKEN_SIZE + 8];
    struct txn *t = txn_client_new(core->txns, false, &d->path, dialog_host(d), branch);
    if (!t)
        return;
    struct buf b = core_scratch(core);
    dialog_put_request(d, core->transport, STR("OPTIONS"), ++d->local_cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    if (b.err != OK) {
        txn_end(core->txns, t);
        return;
    }
    t->call = c->self;
    leg_trace(leg, t);
    t->purpose = FOR_PROBE;
    c->probes++;
    txn_send(core->txns, t, buf_str(&b));
}

void call_on_probe_due(struct call *c)
{
    int64_t silent_ms = loop_now_ms(c->core->c.loop) - c->heard_at_ms;
    bool at_once = c->rounds_unsent || (c->restored && c->heard_at_ms == 0);
    if (!at_once && silent_ms < c->core->c.probe_ms) {
        call_wait(c, c->core->c.probe_ms - silent_ms);
        return;
    }
    c->probe_unanswered = c->probe_unsent = false;
    send_probe(&c->a);
    send_probe(&c->b);
    if (!c->probes)
        call_wait(c, c->core->c.probe_ms);
}

static void end_lost(struct call *c, const struct txn *t, int status)
{
    static const struct str why = STR("SIP;cause=481;text=\"Lost\"");
    log_info("sip", "%s: leg %c is gone", c->call_id, t->leg);
    leg_hang_up(&c->a, why, NULL);
    leg_hang_up(&c->b, why, NULL);
    call_end(c, END_LOST, ENDED_BY_SYSTEM, status);
}

/* Once both legs were asked. */
static void round_over(struct call *c, const struct txn *t)
{
    if (c->probe_unsent && ++c->rounds_unsent >= ROUNDS_UNSENT_MAX) {
        end_lost(c, t, 408);
    } else if (c->probe_unsent) {
        call_wait(c, ASK_AGAIN_MS);
    } else {
        c->rounds_unsent = 0;
        call_heard(c);
        call_wait(c, c->core->c.probe_ms);
    }
}

void call_on_probe_answer(struct call *c, struct txn *t, int status)
{
    if (c->probes)
        c->probes--;
    if (c->state != CALL_UP)
        return;
    if (status == 481 || status == 408)
        c->probe_unanswered = true;
    if (c->probe_unanswered)
        end_lost(c, t, status);
    else if (!c->probes)
        round_over(c, t);
}

void call_on_probe_unsent(struct call *c, struct txn *t)
{
    c->probe_unsent = true;
    if (c->probes)
        c->probes--;
    if (c->state == CALL_UP && !c->probes)
        round_over(c, t);
}

void call_enter_up(struct call *c)
{
    c->a.dialog.path.in_call = c->b.dialog.path.in_call = true;
    book_drop(&c->book);
    call_wait(c, c->core->c.probe_ms);
}
