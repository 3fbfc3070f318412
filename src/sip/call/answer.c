/* answer: what the called side says to the first INVITE, on its way to the caller. RFC 3261 §13,
 * RFC 3262. Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/route.h"
#include "sip/call/row.h"

enum { RING_ROW_MS = 2000 }; /* then the row is told of the INVITE, for a CANCEL after a restart */

static bool is_wanted(struct call *c, enum event_kind kind)
{
    struct book_watchers w = book_watchers(c->core->book, c->account, str_of(c->number));
    const struct book_endpoint *ep;
    while ((ep = book_watcher_next(&w)))
        if (ep->set->events & EVENT_BIT(kind))
            return true;
    return false;
}

/* Few calls ring for so long that their row is written for it. */
static void target_rings(struct call *c)
{
    struct route *r = c->route;
    int64_t left_ms = r->until_ms - loop_now_ms(c->core->c.loop);
    r->rang = true;
    r->in_row = false;
    call_wait(c, left_ms < RING_ROW_MS ? left_ms : RING_ROW_MS);
}

void call_on_ring_time(struct call *c)
{
    struct route *r = c->route;
    int64_t left_ms = r->until_ms - loop_now_ms(c->core->c.loop);
    if (left_ms <= 0) {
        call_on_ring_timeout(c);
        return;
    }
    if (r->rang && !r->in_row)
        row_write_ringing(c);
    call_wait(c, left_ms);
}

static void on_provisional(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct route *r = c->route;
    if (!r->rang)
        target_rings(c);
    if (m->status == 100)
        return;
    const struct fork *f = fork_of_answer(c, t, m);
    if (f)
        call_answer_invite(c, m->status, m->reason, m, &f->a);
    if (m->status != 180 || r->told_ringing)
        return;
    r->told_ringing = true; /* once a target, whatever came before and whichever address rings */
    r->in_row = is_wanted(c, EVENT_CALL_RINGING);
    if (r->in_row)
        call_store(c, &(struct call_news){.kind = EVENT_CALL_RINGING,
                                          .destination = c->destination,
                                          .status = 180,
                                          .ordinal = r->failed});
}

static void on_answer(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct fork *f = fork_of_answer(c, t, m);
    if (!f || dialog_confirm(&f->b, m, &t->path, str_of(t->host), core->transport) != OK) {
        call_hang_up_stray(core, t, &c->strays, m); /* too large: no dialog */
        call_target_failed(c, 500, (struct str){0});
        return;
    }
    if (f->b.local_cseq < m->cseq) /* otherwise it was spoken in while it was an early one */
        f->b.local_cseq = m->cseq;
    c->answered_at_ms = clock_wall_ms();
    c->answered_ms = clock_mono_of(c->answered_at_ms);
    c->sip_status = 200;
    c->x.client = t->self;
    c->x.cseq_out = m->cseq;
    (void)strays_add(&t->strays, m->to.tag); /* should it outlive the call: that one is hung up */
    /* Written now, while the answer is at hand; it leaves when call_answered is stored. */
    struct txn *s = txn_at(core->txns, c->x.server);
    struct buf b = core_scratch(core);
    char tag[DIALOG_TAG_SIZE];
    fork_choose(c, f);
    dialog_print_tag(&c->a.dialog, tag);
    call_set_state(c, CALL_ANSWERING);
    call_on_accepted(c);
    if (!s || txn_request(s, &core->again) != OK) {
        leg_hang_up(&c->b, (struct str){0}, NULL);
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    sip_put_reply(&b, &core->again, &s->path.peer, m->status, m->reason, str_of(tag), true);
    dialog_put_contact(&s->path, core->transport, &b);
    leg_put_relayed(&c->b, &b, m);
    if (b.err != OK || block_set(core->blocks, &c->x.answer, buf_str(&b)) != OK) {
        leg_hang_up(&c->b, (struct str){0}, NULL);
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    session_accept(&c->a, &core->again, m);
    metric_add(METRIC_CALLS_ANSWERED, 1);
    call_store(c, &(struct call_news){.kind = EVENT_CALL_ANSWERED, .then = call_send_answer});
}

/* 503 is about the server at that address (RFC 3263 §4.3): the target's next one is asked, also when
 * this one rang before. */
static void on_refused(struct call *c, const struct sip_msg *m)
{
    struct route *r = c->route;
    if (m->status == 503 && r->next_address < r->at.n) {
        r->rang = false;
        call_address_failed(c, m->status, m->reason);
    } else {
        call_target_refused(c, m);
    }
}

void call_on_route_response(struct call *c, struct txn *t, const struct sip_msg *m)
{
    bool routing = c->route && c->route->client == t->self;
    if (routing && m->status < 200) {
        on_provisional(c, t, m);
    } else if (routing && m->status < 300) {
        on_answer(c, t, m);
    } else if (routing) {
        on_refused(c, m);
    } else if (m->status >= 200 && m->status < 300) {
        if (dialog_is(&c->b.dialog, m->call_id, m->to.tag))
            leg_on_repeated_answer(&c->b, m->cseq);
        else /* another fork answered too (§13.2.2.4) */
            call_hang_up_stray(c->core, t, &c->strays, m);
    }
}

void call_send_answer(struct call *c, enum err err)
{
    struct sip_core *core = c->core;
    struct txn *t = txn_at(core->txns, c->x.server);
    if (c->state != CALL_ANSWERING)
        return;
    call_set_state(c, CALL_UP);
    if (t)
        txn_answer(core->txns, t, 200, block_str(&c->x.answer));
    call_repeat_answer(c, call_on_confirmed);
    leg_pass_held(&c->b);
}
