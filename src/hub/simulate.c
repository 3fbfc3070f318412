/* simulate: a call as the SIP edge would have told it, all at once: it began as long ago as it was
 * to ring and to last. Any thread. */
#include "hub/simulate.h"

struct telling {
    struct intake *in;
    const struct book *book;
    struct call_facts facts;
    struct call_row row;
    struct sequences sequences;
    struct taking **taking;
    size_t n;
};

static int status_of(enum end_reason r)
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

static enum ended_by side_of(enum end_reason r)
{
    return r == END_COMPLETED || r == END_CANCELED ? ENDED_BY_CALLER
           : r == END_FAILED || r == END_NO_ANSWER ? ENDED_BY_SYSTEM
                                                   : ENDED_BY_CALLEE;
}

static enum err tell(struct telling *t, enum event_kind kind, int64_t at_ms)
{
    struct event *made;
    enum err err = event_of_call(kind, &t->facts, at_ms, &made);
    if (err != OK)
        return err;
    const struct event *e = made;
    bool ended = kind == EVENT_CALL_ENDED;
    t->row.phase = ended                         ? CALL_PHASE_ENDED
                   : kind == EVENT_CALL_ANSWERED ? CALL_PHASE_ANSWERED
                                                 : CALL_PHASE_TRYING;
    t->row.answered_at_ms = kind == EVENT_INCOMING_CALL ? 0 : t->facts.answered_at_ms;
    t->row.destination = t->row.answered_at_ms ? t->facts.destination : STR("");
    t->row.ended_at_ms = ended ? at_ms : 0;
    t->row.end_reason = ended ? (int)t->facts.reason : -1;
    t->row.sip_status = ended ? t->facts.sip_status : 0;
    err = intake_prepare(t->in, t->book, &e, &t->sequences, &t->row, &t->taking[t->n]);
    t->n += err == OK;
    return err;
}

enum err simulate_call(struct intake *in, const struct book *book, uint64_t account,
                       const struct simulation *s, int64_t now_ms, char ret_call_id[ID_SIZE],
                       struct taking *ret[SIMULATED_EVENTS_MAX], size_t *ret_n)
{
    bool answered = s->outcome == END_COMPLETED;
    int64_t talked_ms = (int64_t)s->duration_sec * 1000, rang_ms = (int64_t)s->ring_sec * 1000;
    id_new("call", ret_call_id);
    struct telling t = {.in = in, .book = book, .taking = ret};
    t.facts = (struct call_facts){
        .account = account,
        .call_id = str_of(ret_call_id),
        .did_number = str_of(s->number),
        .caller_id = str_of(s->from),
        .caller_name = str_of(s->caller_name),
        .trunk = STR("simulated"),
        .verified = 'n',
        .simulated = true,
        .started_at_ms = now_ms - talked_ms - rang_ms,
        .answered_at_ms = answered ? now_ms - talked_ms : 0,
        .ended_at_ms = now_ms,
        .destination = s->destination[0] ? str_of(s->destination) : STR("sip:simulated@localhost"),
        .reason = s->outcome,
        .by = side_of(s->outcome),
        .sip_status = status_of(s->outcome),
    };
    t.row = (struct call_row){.call_id = t.facts.call_id,
                              .account = account,
                              .number = t.facts.did_number,
                              .peer = t.facts.caller_id,
                              .started_at_ms = t.facts.started_at_ms,
                              .simulated = true,
                              .facts = STR("{}")};
    enum err err = tell(&t, EVENT_INCOMING_CALL, t.facts.started_at_ms);
    if (err == OK && answered)
        err = tell(&t, EVENT_CALL_ANSWERED, t.facts.answered_at_ms);
    if (err == OK)
        err = tell(&t, EVENT_CALL_ENDED, now_ms);
    sequences_fini(&t.sequences);
    for (size_t i = 0; err != OK && i < t.n; i++)
        taking_free(ret[i]);
    *ret_n = err == OK ? t.n : 0;
    return err;
}
