/* call_answer: what the called side says to the first INVITE, on its way to the caller; the 200
 * that is repeated until its ACK comes; and what comes too late for anyone. RFC 3261 §13, RFC 3262,
 * RFC 6026. Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/route.h"

/* The early dialog of that To tag, made when it is new; its index is the fork in our tag to the
 * caller. Past FORKS_MAX the last one is used again. */
static struct dialog *early_dialog(struct call *c, const struct txn *t, const struct sip_msg *m)
{
    for (size_t i = 0; i < c->n_early; i++)
        if (str_eq(dialog_get(c->early[i], DIALOG_TAG), m->to.tag))
            return c->early[i];
    if (c->n_early == FORKS_MAX)
        return c->early[FORKS_MAX - 1];
    struct dialog *d = calloc(1, sizeof *d);
    if (!d || dialog_of_response(d, m, &t->path, str_of(t->host), c->edge->transport) != OK) {
        free(d);
        return NULL;
    }
    d->leg = 'b';
    d->fork = '0'; /* our From tag to leg b is one for all forks */
    c->early[c->n_early++] = d;
    return d;
}

static char fork_of(const struct call *c, const struct dialog *d)
{
    for (size_t i = 0; i < c->n_early; i++)
        if (c->early[i] == d)
            return (char)('0' + i);
    return '0';
}

static bool is_wanted(struct call *c, enum event_kind kind)
{
    size_t n;
    const struct book_endpoint *const *all = book_endpoints(c->edge->book, c->account, &n);
    for (size_t i = 0; i < n; i++)
        if (all[i]->set->events & EVENT_BIT(kind))
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
    call_answer_invite(c, m->status, m->reason, m, d ? fork_of(c, d) : '0');
    if (first && m->status == 180 && is_wanted(c, EVENT_CALL_RINGING))
        call_store(c, EVENT_CALL_RINGING, c->destination, 180, r->failed);
}

static void choose_dialog(struct call *c, struct dialog *chosen)
{
    for (size_t i = 0; i < c->n_early; i++) {
        if (c->early[i] == chosen)
            c->b = *chosen;
        else
            dialog_fini(c->early[i]);
        free(c->early[i]);
    }
    c->n_early = 0;
}

static void on_answer(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct sip_edge *e = c->edge;
    struct dialog *d = m->to.tag.p ? early_dialog(c, t, m) : NULL;
    if (!d || (c->n_early == FORKS_MAX && !str_eq(dialog_get(d, DIALOG_TAG), m->to.tag))) {
        t->call = 0;
        call_hang_up_stray(e, t, m); /* no To tag, or one fork too many: no dialog */
        call_target_failed(c, 500, (struct str){0});
        return;
    }
    timer_stop(&c->invite_timer);
    dialog_refresh(d, m, e->transport);
    d->local_cseq = m->cseq;
    c->a.fork = fork_of(c, d);
    c->answered_at_ms = clock_wall_ms();
    c->sip_status = 200;
    c->x.client = t->self;
    c->x.cseq_out = m->cseq;
    /* Written now, while the answer is at hand; it leaves when call_answered is stored. */
    struct txn *s = txn_at(e->txns, c->x.server);
    struct buf b = call_scratch(e);
    char tag[TOKEN_SIZE + 2];
    snprintf(tag, sizeof tag, "%sa%c", c->token, c->a.fork);
    choose_dialog(c, d);
    c->route->client = 0;
    call_route_drop(c);
    call_set_state(c, CALL_ANSWERING);
    if (!s || txn_request(s, &e->again) != OK) {
        call_send_bye(c, &c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    sip_put_reply(&b, &e->again, &s->path.peer, m->status, m->reason, str_of(tag), true);
    dialog_put_contact(&s->path, e->transport, &b);
    call_put_relayed(&b, m);
    sip_put_body(&b, m->body);
    if (b.err != OK || block_set(e->blocks, &c->x.answer, buf_str(&b)) != OK) {
        call_send_bye(c, &c->b, (struct str){0});
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 500);
        return;
    }
    metric_add(METRIC_CALLS_ANSWERED, 1);
    call_store(c, EVENT_CALL_ANSWERED, NULL, 0, 0);
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
        bool ours = c->x.client == t->self && str_eq(dialog_get(&c->b, DIALOG_TAG), m->to.tag);
        if (!ours)
            call_hang_up_stray(c->edge, t, m); /* another fork answered too (§13.2.2.4) */
        else if (c->x.acked)
            call_repeat_ack(c);
    }
}

static void on_repeat_answer(struct timer *timer)
{
    struct call *c = timer->arg;
    struct sip_edge *e = c->edge;
    int64_t now = loop_now_ms(e->c.loop);
    struct txn *t = txn_at(e->txns, c->x.server);
    if (now - c->x.since_ms >= 64 * e->c.t1_ms || !t) {
        log_sparse(LOG_WARN, 1000, "sip", "%s: the answer was never acknowledged", c->call_id);
        call_send_bye(c, &c->a, STR("SIP;cause=408;text=\"No ACK\""));
        call_send_bye(c, &c->b, STR("SIP;cause=408;text=\"No ACK\""));
        call_end(c, END_FAILED, ENDED_BY_SYSTEM, 408);
        return;
    }
    metric_add(METRIC_SIP_RETRANSMITS_OUT, 1);
    edge_send(e, &c->trace, (char)t->leg, &t->path, str_of(t->host), block_str(&c->x.answer));
    c->x.interval_ms =
        2 * c->x.interval_ms < 8 * e->c.t1_ms ? 2 * c->x.interval_ms : 8 * e->c.t1_ms;
    loop_timer(e->c.loop, &c->invite_timer, c->x.interval_ms, on_repeat_answer, c);
}

/* The 200 went out: again until the ACK, over streams too (§13.3.1.4). */
void call_repeat_answer(struct call *c)
{
    struct sip_edge *e = c->edge;
    c->x.acked = false;
    c->x.since_ms = loop_now_ms(e->c.loop);
    c->x.interval_ms = e->c.t1_ms;
    loop_timer(e->c.loop, &c->invite_timer, c->x.interval_ms, on_repeat_answer, c);
}

void call_send_answer(struct call *c)
{
    struct sip_edge *e = c->edge;
    struct txn *t = txn_at(e->txns, c->x.server);
    call_set_state(c, CALL_UP);
    book_drop(&c->book);
    call_probe_later(c, e->c.probe_ms);
    if (t)
        txn_answer(e->txns, t, 200, block_str(&c->x.answer));
    call_repeat_answer(c);
}

static void send_ack(struct call *c, char to, const struct sip_msg *m)
{
    struct sip_edge *e = c->edge;
    struct dialog *d = call_leg(c, to);
    char branch[TOKEN_SIZE + 8] = "z9hG4bK";
    struct buf b = call_scratch(e);
    token_print(c->self, crypto_random_u64(), branch + 7);
    dialog_put_request(d, e->transport, c->token, STR("ACK"), c->x.cseq_out, branch, &b);
    if (m && m->body.n) {
        call_put_relayed(&b, m);
        sip_put_body(&b, m->body);
    } else {
        sip_put_body(&b, (struct str){0});
    }
    if (b.err != OK)
        return;
    edge_send(e, &c->trace, to, &d->path, dialog_host(d), buf_str(&b));
    if (m && m->body.n) /* an answer to a late offer: must be repeated as it is */
        (void)!block_set(e->blocks, &c->x.ack, buf_str(&b));
}

void call_repeat_ack(struct call *c)
{
    struct dialog *d = call_leg(c, call_other(c->x.from));
    if (c->x.ack.p)
        edge_send(c->edge, &c->trace, d->leg, &d->path, dialog_host(d), block_str(&c->x.ack));
    else
        send_ack(c, call_other(c->x.from), NULL);
}

static void end_transaction(struct call *c, handle *h)
{
    struct txn *t = txn_at(c->edge->txns, *h);
    *h = 0;
    if (t)
        txn_end(c->edge->txns, t);
}

void call_on_ack(struct call *c, char leg, const struct sip_msg *m)
{
    call_heard(c);
    if (c->x.from != leg || c->x.acked || m->cseq != c->x.cseq_in ||
        (c->state != CALL_UP && c->state != CALL_ENDING))
        return;
    c->x.acked = true;
    if (c->state == CALL_UP)
        timer_stop(&c->invite_timer);
    block_give(c->edge->blocks, &c->x.answer);
    send_ack(c, call_other(leg), m);
    /* Held calls are many: both transactions go now. A 2xx that comes again finds the call by our
     * tag (call_on_late_answer), an INVITE that comes again finds it by its Call-ID. */
    end_transaction(c, &c->x.server);
    end_transaction(c, &c->x.client);
}

void call_on_late_answer(struct sip_edge *e, const struct sip_msg *m, const struct path *from)
{
    char leg, fork;
    struct call *c = m->from.tag.p ? call_of_tag(e, m->from.tag, &leg, &fork) : NULL;
    struct dialog *d = c ? call_leg(c, leg) : NULL;
    if (!c)
        return;
    if (d->mem && str_eq(dialog_get(d, DIALOG_TAG), m->to.tag)) {
        if (c->x.acked && c->x.cseq_out == m->cseq && c->x.from && c->x.from != leg)
            call_repeat_ack(c);
    } else if (leg == 'b') {
        struct txn stray = {.path = *from, .self = c->self, .leg = 'b', .trace = c->trace};
        call_hang_up_stray(e, &stray, m);
    }
}

/* A 2xx that nobody waits for: acknowledged, and hung up at once (§13.2.2.4). Each of its repeats
 * is acknowledged, the BYE goes once. */
void call_hang_up_stray(struct sip_edge *e, struct txn *t, const struct sip_msg *m)
{
    struct dialog d = {.leg = 'b', .fork = '0'};
    char branch[TOKEN_SIZE + 8] = "z9hG4bK", token[TOKEN_SIZE] = "";
    uint32_t tag = (uint32_t)hash64(m->to.tag) | 1;
    if (dialog_of_response(&d, m, &t->path, str_of(t->host), e->transport) != OK)
        return;
    struct buf b = call_scratch(e);
    if (str_copy(str_slice(m->from.tag, 0, TOKEN_SIZE - 1), token, sizeof token) != OK)
        return;
    token_print(t->self, crypto_random_u64(), branch + 7);
    dialog_put_request(&d, e->transport, token, STR("ACK"), m->cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    if (b.err == OK)
        edge_send(e, &t->trace, 'b', &d.path, dialog_host(&d), buf_str(&b));
    if (t->stray_tag != tag) {
        t->stray_tag = tag;
        struct txn *bye = txn_client_new(e->txns, false, &d.path, dialog_host(&d), branch);
        b = call_scratch(e);
        dialog_put_request(&d, e->transport, token, STR("BYE"), m->cseq + 1, branch, &b);
        sip_put_body(&b, (struct str){0});
        if (bye) {
            bye->leg = 'b';
            bye->trace = t->trace;
            txn_send(e->txns, bye, buf_str(&b));
        }
    }
    dialog_fini(&d);
}
