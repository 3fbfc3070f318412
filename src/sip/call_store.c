/* call_store: what a call tells the store, in order. Events wait in a short queue: the next is
 * handed in only when the one before is durable, so that a store in trouble can make no gaps in
 * `sequence`. What the carrier waits for happens on the way back (stored). Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call.h"

static void submit(struct call *c);

enum { HEADER_PAIRS_MAX = 32, FACTS_MAX = 32768, LEGS_MAX = 65536 };

static size_t header_pairs(const char *text, struct str pair[2 * HEADER_PAIRS_MAX])
{
    size_t n = 0;
    struct str rest = str_of(text);
    while (rest.n && n < HEADER_PAIRS_MAX) {
        str_cut(rest, '\n', &pair[2 * n], &rest);
        str_cut(rest, '\n', &pair[2 * n + 1], &rest);
        n++;
    }
    return n;
}

static enum err make_event(struct call *c, enum event_kind kind, const char *destination,
                           int status, unsigned ordinal, struct event **ret)
{
    struct str pair[2 * HEADER_PAIRS_MAX];
    int64_t now = kind == EVENT_CALL_ENDED      ? c->ended_at_ms
                  : kind == EVENT_CALL_ANSWERED ? c->answered_at_ms
                  : kind == EVENT_INCOMING_CALL ? c->started_at_ms
                                                : clock_wall_ms();
    struct call_facts f = {
        .account = c->account,
        .call_id = str_of(c->call_id),
        .did_number = str_of(c->number),
        .caller_id = str_of(c->caller),
        .caller_name = str_of(c->caller_name),
        .trunk = str_of(c->trunk_name),
        .verified = c->verified,
        .simulated = c->simulated,
        .sip_headers = pair,
        .n_sip_headers = c->headers ? header_pairs(c->headers, pair) : 0,
        .started_at_ms = c->started_at_ms,
        .answered_at_ms = c->answered_at_ms,
        .ended_at_ms = c->ended_at_ms,
        .destination = str_of(destination ? destination : c->destination),
        .detail = str_of(c->detail),
        .reason = (enum end_reason)c->reason,
        .by = (enum ended_by)c->by,
        .sip_status = status ? status : c->sip_status,
        .ordinal = ordinal,
    };
    return event_of_call(kind, &f, now, ret);
}

/* What a restart needs to write the call's later events. */
static void put_facts(const struct call *c, struct buf *b)
{
    struct json_writer w = {b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "trunk_name", str_of(c->trunk_name));
    json_put_str(&w, "caller_name", str_of(c->caller_name));
    json_put_str(&w, "verified", (struct str){&c->verified, 1});
    if (c->headers)
        json_put_str(&w, "headers", str_of(c->headers));
    json_end_obj(&w);
}

void call_put_legs(const struct call *c, struct buf *out)
{
    buf_puts(out, c->token);
    buf_putc(out, '\n');
    dialog_print(&c->a, c->edge->transport, out);
    if (c->b.mem)
        dialog_print(&c->b, c->edge->transport, out);
}

/* The phase belongs to the event, not to the moment: a row must never be ahead of the events that
 * are stored with it. */
static enum call_phase phase_with(enum event_kind kind)
{
    return kind == EVENT_CALL_ENDED                                        ? CALL_PHASE_ENDED
           : kind == EVENT_CALL_ANSWERED || kind == EVENT_CALL_TRANSFERRED ? CALL_PHASE_ANSWERED
                                                                           : CALL_PHASE_TRYING;
}

/* What counts the call's events to each endpoint; NULL for one from before a restart, whose numbers
 * the store looks up. */
static struct sequences *sequences_of(struct call *c)
{
    return map_get(c->edge->restored, str_of(c->token)) == c ? NULL : &c->sequences;
}

static enum err prepare(struct call *c, struct taking **ret)
{
    struct sip_edge *e = c->edge;
    const struct event *event = event_hold(c->pending->event);
    enum call_phase phase = phase_with(event->kind);
    struct buf facts, legs;
    buf_wrap(&facts, e->scratch, FACTS_MAX);
    buf_wrap(&legs, e->scratch + FACTS_MAX, SCRATCH_MAX - FACTS_MAX);
    put_facts(c, &facts);
    if (phase != CALL_PHASE_ENDED)
        call_put_legs(c, &legs);
    if (facts.err != OK || legs.err != OK) {
        event_drop(&event);
        return ERR_TOO_BIG;
    }
    bool ended = phase == CALL_PHASE_ENDED, answered = phase != CALL_PHASE_TRYING;
    struct call_row row = {
        .call_id = str_of(c->call_id),
        .account = c->account,
        .trunk = str_of(c->trunk_id),
        .number = str_of(c->number),
        .peer = str_of(c->caller),
        .destination = answered ? str_of(c->destination) : STR(""),
        .phase = phase,
        .started_at_ms = c->started_at_ms,
        .answered_at_ms = answered ? c->answered_at_ms : 0,
        .ended_at_ms = ended ? c->ended_at_ms : 0,
        .end_reason = ended ? c->reason : -1,
        .sip_status = ended ? c->sip_status : 0,
        .simulated = c->simulated,
        .facts = buf_str(&facts),
        .legs = buf_str(&legs),
    };
    return intake_prepare(e->c.intake, e->book, &event, sequences_of(c), &row, ret);
}

static void pop(struct call *c)
{
    struct call_event *ev = c->pending;
    c->pending = ev->next;
    if (!c->pending)
        c->pending_last = NULL;
    c->n_pending--;
    event_drop(&ev->event);
    free(ev);
}

/* What waited for this event may go on; once, whatever calls it again. */
static void stored(struct call *c, enum event_kind kind)
{
    switch (kind) {
    case EVENT_INCOMING_CALL:
        if (c->state == CALL_TAKING)
            call_decide(c);
        break;
    case EVENT_CALL_ANSWERED:
        if (c->state == CALL_ANSWERING)
            call_send_answer(c);
        break;
    case EVENT_CALL_ENDED: call_finish(c); break;
    default: break;
    }
}

/* The first event could not be stored: the call was never accepted, and leaves no trace. */
static void refuse(struct call *c, enum err err)
{
    char header[40];
    struct sip_edge *e = c->edge;
    struct txn *t = txn_at(e->txns, c->x.server);
    bool gone = err == ERR_EXISTS;
    metric_add(METRIC_SIP_REJECTED_STORE, !gone);
    snprintf(header, sizeof header, "Retry-After: %d\r\n", RETRY_AFTER_SEC);
    if (t && txn_request(t, &e->again) == OK) {
        struct buf b = call_scratch(e);
        int status = c->state == CALL_ENDING ? 487 : gone ? 482 : 503;
        sip_put_reply(&b, &e->again, &t->path.peer, status, (struct str){0}, str_of(c->token),
                      false);
        if (status == 503)
            buf_puts(&b, header);
        sip_put_body(&b, (struct str){0});
        txn_answer(e->txns, t, status, buf_str(&b));
    }
    c->state = CALL_OVER;
    call_free(c);
}

static void on_retry(struct timer *timer)
{
    struct call *c = timer->arg;
    if (!c->storing && c->pending)
        submit(c);
}

static void on_store_failed(struct call *c, enum err err)
{
    struct sip_edge *e = c->edge;
    enum event_kind kind = c->pending->event->kind;
    int64_t now = loop_now_ms(e->c.loop);
    if (kind == EVENT_INCOMING_CALL) {
        refuse(c, err);
        return;
    }
    log_sparse(LOG_WARN, 5000, "sip", "%s: %s is not stored yet: %s", c->call_id,
               event_kind_name(kind), err_text(err));
    loop_timer(e->c.loop, &c->store_timer, STORE_RETRY_MS, on_retry, c);
    /* The people on the line wait no longer; the events are tried on. None of these frees the call
     * while one is pending. */
    if (now - c->storing_since_ms >= STORE_PATIENCE_MS)
        for (const struct call_event *ev = c->pending; ev; ev = ev->next)
            stored(c, ev->event->kind);
}

static void on_taken(void *arg, uint64_t token, struct taking **t, enum err err, bool duplicate)
{
    struct sip_edge *e = arg;
    struct call *c = pool_at(e->calls, token);
    ASSERT(c && c->storing && c->pending);
    enum event_kind kind = c->pending->event->kind;
    c->storing = false;
    /* An incoming_call that was there before: a repeat of a call that has ended since. */
    if (err == OK && duplicate && kind == EVENT_INCOMING_CALL)
        err = ERR_EXISTS;
    if (err != OK) {
        taking_withdraw(*t, sequences_of(c));
        on_store_failed(c, err);
        return;
    }
    pop(c);
    c->storing_since_ms = loop_now_ms(e->c.loop);
    submit(c);
    stored(c, kind);
}

static void submit(struct call *c)
{
    struct sip_edge *e = c->edge;
    struct taking *t = NULL;
    if (c->storing || !c->pending)
        return;
    enum err err = prepare(c, &t);
    if (err == OK && c->pending->event->kind == EVENT_INCOMING_CALL)
        call_ask_ahead(c, c->pending->event, t);
    if (err == OK)
        err = intake_submit(e->c.intake, &t, loop_mailbox(e->c.loop), on_taken, e, c->self);
    c->storing = err == OK;
    taking_withdraw(t, sequences_of(c));
    taking_free(t);
    if (err != OK)
        on_store_failed(c, err);
}

enum err call_event(struct call *c, enum event_kind kind, struct event **ret)
{
    return make_event(c, kind, NULL, 0, 0, ret);
}

void call_store(struct call *c, enum event_kind kind, const char *destination, int status,
                unsigned ordinal)
{
    struct event *event = NULL;
    struct call_event *ev = calloc(1, sizeof *ev);
    enum err err = ev ? make_event(c, kind, destination, status, ordinal, &event) : ERR_NOMEM;
    if (err != OK) {
        free(ev);
        log_error("sip", "%s: %s is lost: %s", c->call_id, event_kind_name(kind), err_text(err));
        if (kind == EVENT_INCOMING_CALL)
            refuse(c, err);
        return;
    }
    ev->event = event;
    *(c->pending ? &c->pending_last->next : &c->pending) = ev;
    c->pending_last = ev;
    c->n_pending++;
    if (c->n_pending == 1)
        c->storing_since_ms = loop_now_ms(c->edge->c.loop);
    submit(c);
}
