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

/* The early dialog of that To tag, made when it is new; its index is the fork in our tag to the
 * caller. Past FORKS_MAX provisional answers use the last one again; a 2xx has a place of its own,
 * whichever fork says it. */
static struct dialog *early_dialog(struct call *c, const struct txn *t, const struct sip_msg *m)
{
    for (size_t i = 0; i < c->b.n_early; i++)
        if (str_eq(dialog_get(c->b.early[i], DIALOG_TAG), m->to.tag))
            return c->b.early[i];
    if (c->b.n_early == FORKS_MAX && m->status < 200)
        return c->b.early[FORKS_MAX - 1];
    struct dialog *d = calloc(1, sizeof *d);
    if (!d || dialog_of_response(d, m, &t->path, str_of(t->host), c->core->transport) != OK) {
        free(d);
        return NULL;
    }
    memcpy(d->token, c->b.dialog.token, sizeof d->token); /* our From tag is one for all forks */
    d->leg = 'b';
    d->fork = '0';
    c->b.early[c->b.n_early++] = d;
    return d;
}

char call_fork_of(const struct call *c, const struct dialog *d)
{
    for (size_t i = 0; i < c->b.n_early; i++)
        if (c->b.early[i] == d)
            return (char)('0' + i);
    return '0';
}

static bool is_wanted(struct call *c, enum event_kind kind)
{
    struct book_watchers w = book_watchers(c->core->book, c->account, str_of(c->number));
    const struct book_endpoint *ep;
    while ((ep = book_watcher_next(&w)))
        if (ep->set->events & EVENT_BIT(kind))
            return true;
    return false;
}

static void on_provisional(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct route *r = c->route;
    bool first = !r->rang;
    r->rang = true;
    if (m->status == 100)
        return;
    struct dialog *d = m->to.tag.p ? early_dialog(c, t, m) : NULL;
    call_answer_invite(c, m->status, m->reason, m, d ? call_fork_of(c, d) : '0');
    if (first && m->status == 180 && is_wanted(c, EVENT_CALL_RINGING))
        call_store(c, &(struct call_news){.kind = EVENT_CALL_RINGING,
                                          .destination = c->destination,
                                          .status = 180,
                                          .ordinal = r->failed});
}

static void choose_dialog(struct call *c, struct dialog *chosen)
{
    for (size_t i = 0; i < c->b.n_early; i++) {
        if (c->b.early[i] == chosen)
            c->b.dialog = *chosen;
        else
            dialog_fini(c->b.early[i]);
        free(c->b.early[i]);
    }
    c->b.n_early = 0;
}

static void on_answer(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_core *core = c->core;
    struct dialog *d = early_dialog(c, t, m); /* without a To tag: the null tag (§12.1.2) */
    if (!d || dialog_confirm(d, m, &t->path, str_of(t->host), core->transport) != OK) {
        call_hang_up_stray(core, t, &c->strays, m); /* too large: no dialog */
        call_target_failed(c, 500, (struct str){0});
        return;
    }
    if (d->local_cseq < m->cseq) /* otherwise it was spoken in while it was an early one */
        d->local_cseq = m->cseq;
    c->a.dialog.fork = call_fork_of(c, d);
    c->answered_at_ms = clock_wall_ms();
    c->answered_ms = clock_mono_of(c->answered_at_ms);
    c->sip_status = 200;
    c->x.client = t->self;
    c->x.accepted = true;
    c->x.cseq_out = m->cseq;
    (void)strays_add(&t->strays, m->to.tag); /* should it outlive the call: that one is hung up */
    /* Written now, while the answer is at hand; it leaves when call_answered is stored. */
    struct txn *s = txn_at(core->txns, c->x.server);
    struct buf b = core_scratch(core);
    char tag[DIALOG_TAG_SIZE];
    dialog_print_tag(&c->a.dialog, c->a.dialog.fork, tag);
    choose_dialog(c, d);
    call_set_state(c, CALL_ANSWERING);
    if (!s || txn_request(s, &core->again) != OK) {
        leg_hang_up(&c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    sip_put_reply(&b, &core->again, &s->path.peer, m->status, m->reason, str_of(tag), true);
    dialog_put_contact(&s->path, core->transport, &b);
    leg_put_relayed(&c->b, &b, m);
    if (b.err != OK || block_set(core->blocks, &c->x.answer, buf_str(&b)) != OK) {
        leg_hang_up(&c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    metric_add(METRIC_CALLS_ANSWERED, 1);
    call_store(c, &(struct call_news){.kind = EVENT_CALL_ANSWERED, .then = call_send_answer});
}

void call_on_route_response(struct call *c, struct txn *t, const struct sip_msg *m)
{
    bool routing = c->route && c->route->client == t->self;
    if (routing && m->status < 200) {
        on_provisional(c, t, m);
    } else if (routing && m->status < 300) {
        on_answer(c, t, m);
    } else if (routing) {
        call_target_failed(c, m->status, m->reason);
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
}
