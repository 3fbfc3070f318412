/* simulate: makes a call's events as the SIP edge would have, all at once or in two parts: the call
 * began as long ago as it should ring and last. Any thread, one at a time. */
#include "hub/simulate.h"

#include <stdlib.h>
#include <string.h>

struct simulated_call {
    struct intake *in;
    const struct book *book;
    struct call_facts facts;
    struct call_row row;
    struct sequences sequences;
    struct decision *decision;
    bool has_destination; /* the request gives one */
    bool has_targets;     /* the number has some */
    char id[ID_SIZE], destination[DESTINATION_MAX + 1];
    struct buf names; /* JSON that a restart needs to end a call that was cut off */
};

static int end_reason_status(enum end_reason r)
{
    switch (r) {
    case END_COMPLETED: return 200;
    case END_BUSY: return 486;
    case END_NO_ANSWER: return 480;
    case END_CANCELED: return 487;
    case END_REJECTED: return 603;
    default: return 503;
    }
}

static enum ended_by end_reason_side(enum end_reason r)
{
    return r == END_COMPLETED || r == END_CANCELED ? ENDED_BY_CALLER
           : r == END_FAILED || r == END_NO_ANSWER ? ENDED_BY_SYSTEM
                                                   : ENDED_BY_CALLEE;
}

static enum err simulated_tell(struct simulated_call *c, enum event_kind kind, int64_t at_ms,
                               struct admission **ret)
{
    struct event *made;
    enum err err = event_of_call(kind, &c->facts, at_ms, &made);
    if (err != OK)
        return err;
    const struct event *e = made;
    bool ended = kind == EVENT_CALL_ENDED;
    c->row.phase = ended                         ? CALL_PHASE_ENDED
                   : kind == EVENT_CALL_ANSWERED ? CALL_PHASE_ANSWERED
                                                 : CALL_PHASE_TRYING;
    c->row.answered_at_ms = kind == EVENT_INCOMING_CALL ? 0 : c->facts.answered_ms;
    c->row.destination = c->row.answered_at_ms ? c->facts.destination : STR("");
    c->row.ended_at_ms = ended ? at_ms : 0;
    c->row.end_reason = ended ? (int)c->facts.reason : -1;
    c->row.sip_status = ended ? c->facts.sip_status : 0;
    return admission_new(c->in, c->book, &e, &c->sequences, &c->row, ret);
}

static void simulated_conclude(struct simulated_call *c, enum end_reason reason, int sip_status)
{
    c->facts.reason = reason;
    c->facts.by = end_reason_side(reason);
    c->facts.sip_status = sip_status;
}

static enum err simulated_set_destination(struct simulated_call *c, struct str destination)
{
    enum err err = str_copy(destination, c->destination, sizeof c->destination);
    c->facts.destination = str_of(c->destination);
    return err == OK ? OK : ERR_INVALID;
}

/* Begins the decision: the call's account, and its destination when no answer gives one. */
static enum err simulated_begin_decision(struct simulated_call *c, const struct simulation *s)
{
    const struct book_number *n = book_number(c->book, str_of(s->number));
    c->has_destination = s->destination[0];
    c->has_targets = n && n->set->forward->n;
    enum err err = simulated_set_destination(c, s->destination[0] ? str_of(s->destination)
                                                                  : STR("sip:simulated@localhost"));
    return err == OK ? decision_new(c->book, c->facts.account, c->facts.did_number, &c->decision)
                     : err;
}

enum err simulated_new(struct intake *in, const struct book *book, uint64_t account,
                       const struct simulation *s, int64_t now_ms, struct simulated_call **ret)
{
    bool answered = s->outcome == END_COMPLETED;
    int64_t talked_ms = (int64_t)s->duration_sec * 1000, rang_ms = (int64_t)s->ring_sec * 1000;
    struct simulated_call *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    id_new("call", c->id);
    c->in = in;
    c->book = book;
    c->facts = (struct call_facts){
        .account = account,
        .call_id = str_of(c->id),
        .did_number = str_of(s->number),
        .caller_id = str_of(s->from),
        .caller_name = str_of(s->caller_name),
        .trunk = STR("simulated"),
        .verified = 'n',
        .simulated = true,
        .started_ms = now_ms - talked_ms - rang_ms,
        .answered_ms = answered ? now_ms - talked_ms : 0,
        .ended_ms = now_ms,
    };
    simulated_conclude(c, s->outcome, end_reason_status(s->outcome));
    c->row = (struct call_row){.call_id = c->facts.call_id,
                               .account = account,
                               .number = c->facts.did_number,
                               .peer = c->facts.caller_id,
                               .started_at_ms = c->facts.started_ms,
                               .simulated = true};
    struct json_writer w = {&c->names, false};
    buf_init(&c->names, 4096);
    json_obj(&w, NULL);
    json_put_str(&w, "caller_name", c->facts.caller_name);
    json_put_str(&w, "trunk_name", c->facts.trunk);
    json_end_obj(&w);
    c->row.facts = buf_str(&c->names);
    enum err err = simulated_begin_decision(c, s);
    if (err == OK)
        err = c->names.err;
    if (err == OK)
        *ret = c;
    else
        simulated_free(c);
    return err;
}

void simulated_free(struct simulated_call *c)
{
    if (!c)
        return;
    decision_free(c->decision);
    sequences_fini(&c->sequences);
    buf_fini(&c->names);
    free(c);
}

struct str simulated_id(const struct simulated_call *c)
{
    return str_of(c->id);
}

/* Ends a call that was never put through, at the time at which it would have been answered. */
static void simulated_end_unanswered(struct simulated_call *c, const struct decision_step *s)
{
    c->facts.reason = s->reason;
    c->facts.by = s->by;
    c->facts.sip_status = s->sip_status;
    if (c->facts.answered_ms)
        c->facts.ended_ms = c->facts.answered_ms;
    c->facts.answered_ms = 0;
}

struct decision *simulated_decision(struct simulated_call *c)
{
    return c->decision;
}

int64_t simulated_decide(struct simulated_call *c, const struct askers *by,
                         const struct event *incoming, int64_t now_ms)
{
    struct decision_step s;
    bool answered;
    for (;;)
        switch (decision_next(c->decision, now_ms, &s)) {
        case DECISION_WAIT: return s.wait_ms;
        case DECISION_WEBHOOK:
            if (s.must_ask)
                decision_ask(c->decision, by, incoming, s.target->destination, now_ms);
            break;
        case DECISION_NO_WAY: break;
        case DECISION_TARGET:
            if (!c->has_destination || decision_action(c->decision) == CONTROL_FORWARD)
                (void)!simulated_set_destination(c, s.target->destination); /* it fits */
            return 0;
        case DECISION_END:
            answered = decision_action(c->decision) != CONTROL_DEFAULT;
            if (answered || (c->has_targets && !c->has_destination))
                simulated_end_unanswered(c, &s);
            return 0;
        }
}

enum err simulated_begin(struct simulated_call *c, struct admission **ret)
{
    return simulated_tell(c, EVENT_INCOMING_CALL, c->facts.started_ms, ret);
}

enum err simulated_end(struct simulated_call *c, struct admission *ret[SIMULATED_EVENTS_MAX - 1],
                       size_t *ret_n)
{
    enum err err = OK;
    *ret_n = 0;
    if (c->facts.answered_ms) {
        err = simulated_tell(c, EVENT_CALL_ANSWERED, c->facts.answered_ms, &ret[0]);
        *ret_n = err == OK;
    }
    if (err == OK)
        err = simulated_tell(c, EVENT_CALL_ENDED, c->facts.ended_ms, &ret[*ret_n]);
    if (err == OK)
        ++*ret_n;
    else if (*ret_n)
        admission_free(ret[0]);
    return err;
}
