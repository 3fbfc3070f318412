/* store: what of a call is stored: its events, and the row that a restart goes on from. Edge's
 * thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "sip/call/row.h"

enum {
    HEADER_PAIRS_MAX = 32,
    /* Both in the edge's scratch. Two dialogs of DIALOG_TEXT_MAX always fit; names do, and headers
     * are left out where they don't. */
    LEGS_MAX = 2 * (DIALOG_TEXT_MAX + 256) + TOKEN_SIZE,
    FACTS_MAX = SCRATCH_MAX - LEGS_MAX,
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

enum err call_event(const struct call *c, const struct call_news *n, struct event **ret)
{
    struct str pair[2 * HEADER_PAIRS_MAX];
    enum event_kind kind = n->kind;
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
        .destination = str_of(n->destination ? n->destination : c->destination),
        .reason = (enum end_reason)c->reason,
        .by = (enum ended_by)c->by,
        .detail = str_of(c->detail),
        .sip_status = n->status ? n->status : c->sip_status,
        .target_status = kind == EVENT_CALL_ENDED            ? c->target_status
                         : kind == EVENT_CALL_FORWARD_FAILED ? n->status
                                                             : 0,
        .ordinal = n->ordinal,
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
static void write_legs(struct call *c, bool answered, struct buf *b)
{
    call_put_legs(c, answered, b);
    if (b->err == OK)
        return;
    buf_reset(b);
    log_error("sip", "%s is stored without its legs, and would be lost in a restart: %s",
              c->call_id, err_text(ERR_TOO_BIG));
}

/* The phase belongs to the event, not to the moment: a row must never be ahead of the events that
 * are stored with it. */
static enum call_phase phase_with(enum event_kind kind)
{
    return kind == EVENT_CALL_ENDED                                        ? CALL_PHASE_ENDED
           : kind == EVENT_CALL_ANSWERED || kind == EVENT_CALL_TRANSFERRED ? CALL_PHASE_ANSWERED
                                                                           : CALL_PHASE_TRYING;
}

struct sequences *call_sequences(struct call *c)
{
    return c->restored ? NULL : &c->sequences;
}

enum err call_admission(struct call *c, const struct event *of, struct admission **ret)
{
    struct sip_core *core = c->core;
    const struct event *event = event_hold(of);
    enum call_phase phase = phase_with(event->kind);
    struct buf facts, legs;
    write_facts(c, &facts);
    buf_wrap(&legs, core->scratch + FACTS_MAX, LEGS_MAX);
    if (phase != CALL_PHASE_ENDED)
        write_legs(c, phase == CALL_PHASE_ANSWERED, &legs);
    if (phase == CALL_PHASE_ANSWERED)
        session_hand_in(c, of);
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
    return admission_new(core->c.intake, core->book, &event, call_sequences(c), &row, ret);
}
