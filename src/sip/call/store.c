/* store: what a call tells the store, in order. Events wait in a short queue: the next is
 * handed in only when the one before is durable, so that a store in trouble can make no gaps in
 * `sequence`. What waits for an event is named with it (`then`). Edge's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/call.h"

static void submit(struct call *c);

enum {
    HEADER_PAIRS_MAX = 32,
    /* Both in the edge's scratch. Two dialogs of DIALOG_TEXT_MAX always fit; names do, and headers
     * are left out where they don't. */
    LEGS_MAX = 2 * (DIALOG_TEXT_MAX + 256) + TOKEN_SIZE,
    FACTS_MAX = SCRATCH_MAX - LEGS_MAX,
    /* Of the events that a call has at the most: call_answered and call_ended. */
    EVENTS_KEPT_FREE = 2,
};

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
        .sip_headers_cut = c->headers_cut,
        .started_ms = c->started_ms,
        .answered_ms = c->answered_ms,
        .ended_ms = c->ended_ms,
        .destination = str_of(destination ? destination : c->destination),
        .reason = (enum end_reason)c->reason,
        .by = (enum ended_by)c->by,
        .detail = str_of(c->detail),
        .sip_status = status ? status : c->sip_status,
        .ordinal = ordinal,
    };
    return event_of_call(kind, &f, now, ret);
}

static void put_facts(const struct call *c, bool headers, struct buf *b)
{
    struct json_writer w = {b, false};
    json_obj(&w, NULL);
    json_put_str(&w, "trunk_name", str_of(c->trunk_name));
    json_put_str(&w, "caller_name", str_of(c->caller_name));
    json_put_str(&w, "verified", (struct str){&c->verified, 1});
    if (headers)
        json_put_str(&w, "headers", str_of(c->headers));
    if (c->headers_cut || (c->headers && !headers))
        json_put_bool(&w, "headers_cut", true);
    json_end_obj(&w);
}

/* What a restart needs to write the call's later events. */
static void write_facts(const struct call *c, struct buf *b)
{
    buf_wrap(b, c->core->scratch, FACTS_MAX);
    put_facts(c, c->headers != NULL, b);
    if (b->err != ERR_TOO_BIG)
        return;
    buf_reset(b);
    put_facts(c, false, b);
}

/* What a restart needs to go on with the call. */
static void write_legs(struct call *c, struct buf *b)
{
    call_put_legs(c, b);
    if (b->err == OK)
        return;
    buf_reset(b);
    log_error("sip", "%s is stored without its legs, and would be lost in a restart: %s",
              c->call_id, err_text(ERR_TOO_BIG));
}

void call_put_legs(const struct call *c, struct buf *out)
{
    buf_printf(out, "%s %u\n", c->token, c->calls->starts);
    dialog_print(&c->a.dialog, c->core->transport, out);
    if (c->b.dialog.mem)
        dialog_print(&c->b.dialog, c->core->transport, out);
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
    return call_is_restored(c) ? NULL : &c->sequences;
}

static enum err prepare(struct call *c, struct admission **ret)
{
    struct sip_core *core = c->core;
    const struct event *event = event_hold(c->pending->event);
    enum call_phase phase = phase_with(event->kind);
    struct buf facts, legs;
    write_facts(c, &facts);
    buf_wrap(&legs, core->scratch + FACTS_MAX, LEGS_MAX);
    if (phase != CALL_PHASE_ENDED)
        write_legs(c, &legs);
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
    return admission_new(core->c.intake, core->book, &event, sequences_of(c), &row, ret);
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

static void tell(struct call *c, call_then *then, enum err err)
{
    if (then)
        then(c, err);
}

static void on_retry(struct timer *timer)
{
    struct call *c = timer->arg;
    c->outbox = OUTBOX_IDLE;
    submit(c);
}

/* Not now: tried again. The people on the line wait no longer than a while; the events are tried
 * on. */
static void store_later(struct call *c, enum err err)
{
    struct sip_core *core = c->core;
    log_sparse(LOG_WARN, 5000, "sip", "%s: %s is not stored yet: %s", c->call_id,
               event_kind_name(c->pending->event->kind), err_text(err));
    c->outbox = OUTBOX_LATER;
    loop_timer(core->c.loop, &c->store_timer, STORE_RETRY_MS, on_retry, c);
    if (loop_now_ms(core->c.loop) - c->storing_since_ms >= STORE_PATIENCE_MS)
        for (const struct call_event *ev = c->pending; ev; ev = ev->next)
            tell(c, ev->then, OK);
}

/* It is stored, or never will be: the next one's time begins. */
static call_then *first_is_through(struct call *c)
{
    call_then *then = c->pending->then;
    pop(c);
    c->storing_since_ms = loop_now_ms(c->core->c.loop);
    return then;
}

/* Never: the call goes on without it. */
static void store_never(struct call *c, enum err err)
{
    log_error("sip", "%s: %s is lost: %s", c->call_id, event_kind_name(c->pending->event->kind),
              err_text(err));
    metric_add(METRIC_EVENTS_LOST, 1);
    tell(c, first_is_through(c), OK);
}

static void on_store_failed(struct call *c, enum err err)
{
    bool incoming = c->pending->event->kind == EVENT_INCOMING_CALL;
    if (c->unsure) {
        if (incoming)
            tell(c, c->pending->then, ERR_STORE_UNSURE);
        store_later(c, err);
        return;
    }
    if (incoming) /* mostly the call was never accepted, and leaves no trace */
        tell(c, c->pending->then, err);
    if (c->state == CALL_OVER)
        return;
    if (err_is_final(err))
        store_never(c, err);
    else
        store_later(c, err);
}

static void on_taken(void *arg, uint64_t token, struct admission **t, enum err err, bool duplicate)
{
    struct calls *calls = arg;
    struct call *c = pool_at(calls->pool, token);
    ASSERT(c && c->outbox == OUTBOX_HANDED_IN && c->pending);
    bool incoming = c->pending->event->kind == EVENT_INCOMING_CALL;
    c->outbox = OUTBOX_IDLE;
    c->unsure = err == ERR_STORE_UNSURE || (err != OK && !err_is_final(err) && c->unsure);
    if (c->unsure) { /* handed in again as it is: what is there already is told then, once */
        c->again = *t;
        *t = NULL;
        on_store_failed(c, err);
        return;
    }
    /* An incoming_call that was there before: a repeat of a call that has ended since. */
    if (err == OK && duplicate && incoming)
        err = ERR_EXISTS;
    if (err != OK) {
        admission_withdraw(*t, sequences_of(c));
        on_store_failed(c, err);
        if (!incoming && err_is_final(err))
            submit(c);
        return;
    }
    call_then *then = first_is_through(c);
    submit(c);
    tell(c, then, OK);
}

/* Hands in the first that waits. */
static enum err hand_in(struct call *c)
{
    struct sip_core *core = c->core;
    struct admission *t = c->again;
    enum err err = t ? OK : prepare(c, &t);
    if (err == OK && !c->again && c->pending->event->kind == EVENT_INCOMING_CALL)
        c->calls->announce(c, c->pending->event, t);
    if (err == OK)
        err =
            intake_one(core->c.intake, &t, loop_mailbox(core->c.loop), on_taken, c->calls, c->self);
    if (err == OK)
        c->outbox = OUTBOX_HANDED_IN;
    if (c->again) {
        c->again = t;
        return err;
    }
    admission_withdraw(t, sequences_of(c));
    admission_free(t);
    return err;
}

static void submit(struct call *c)
{
    enum err err = ERR_BUG;
    while (err_is_final(err) && c->state != CALL_OVER && c->outbox == OUTBOX_IDLE && c->pending)
        if ((err = hand_in(c)) != OK)
            on_store_failed(c, err);
}

enum err call_event(struct call *c, enum event_kind kind, struct event **ret)
{
    return make_event(c, kind, NULL, 0, 0, ret);
}

/* Is there room for an event that need not be told? */
static bool has_room(const struct call *c, enum event_kind kind)
{
    return kind == EVENT_INCOMING_CALL || kind == EVENT_CALL_ANSWERED || kind == EVENT_CALL_ENDED ||
           c->n_events < CALL_EVENTS_MAX - EVENTS_KEPT_FREE;
}

bool call_store(struct call *c, const struct call_news *n)
{
    struct event *event = NULL;
    if (!has_room(c, n->kind))
        return false;
    struct call_event *ev = calloc(1, sizeof *ev);
    enum err err =
        ev ? make_event(c, n->kind, n->destination, n->status, n->ordinal, &event) : ERR_NOMEM;
    c->n_events++;
    if (err != OK) {
        free(ev);
        if (n->kind == EVENT_INCOMING_CALL)
            tell(c, n->then, err);
        else
            memory_gone("sip"); /* an event fits always; without memory there is no call_ended */
        return true;
    }
    ev->event = event;
    ev->then = n->then;
    *(c->pending ? &c->pending_last->next : &c->pending) = ev;
    c->pending_last = ev;
    c->n_pending++;
    if (c->n_pending == 1)
        c->storing_since_ms = loop_now_ms(c->core->c.loop);
    submit(c);
    return true;
}
