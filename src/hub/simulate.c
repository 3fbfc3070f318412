/* simulate: a call as the SIP edge would have told it, all at once or in two parts: it began as
 * long ago as it was to ring and to last. One thread at a time, whichever. */
#include "hub/simulate.h"

#include <stdlib.h>
#include <string.h>

#include "hub/target_walk.h"

struct simulated_call {
    struct intake *in;
    const struct book *book;
    struct call_facts facts;
    struct call_row row;
    struct sequences sequences;
    struct target_walk walk;
    char id[ID_SIZE], destination[DESTINATION_MAX + 1];
    struct buf names; /* JSON: what a restart needs for the end of one that was cut off */
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

static enum err tell(struct simulated_call *c, enum event_kind kind, int64_t at_ms,
                     struct taking **ret)
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
    return intake_prepare(c->in, c->book, &e, &c->sequences, &c->row, ret);
}

static void conclude(struct simulated_call *c, enum end_reason reason, int sip_status)
{
    c->facts.reason = reason;
    c->facts.by = side_of(reason);
    c->facts.sip_status = sip_status;
}

/* The first target that a call would be put through to; `w` walks as a real one's does. */
static struct str first_destination(struct target_walk *w)
{
    const struct target *t;
    int last_status = 0;
    for (;;)
        switch (target_walk_next(w, last_status, &t)) {
        case WALK_TARGET:
            if (t->type != TARGET_WEBHOOK)
                return t->destination;
            break;
        case WALK_NUMBER_FAILED: last_status = 500; break;
        default: return (struct str){0};
        }
}

/* Where the number's calls go first, when the request does not say. */
static struct str destination_of(struct simulated_call *c, const struct simulation *s)
{
    const struct book_number *n = book_number(c->book, str_of(s->number));
    struct str found = {0};
    if (s->destination[0])
        return str_of(s->destination);
    if (n) {
        target_walk_start(&c->walk, c->book, n);
        found = first_destination(&c->walk);
    }
    return found.n ? found : STR("sip:simulated@localhost");
}

static enum err destination_set(struct simulated_call *c, struct str destination)
{
    enum err err = str_copy(destination, c->destination, sizeof c->destination);
    c->facts.destination = str_of(c->destination);
    return err == OK ? OK : ERR_INVALID;
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
    conclude(c, s->outcome, status_of(s->outcome));
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
    enum err err = destination_set(c, destination_of(c, s));
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
    sequences_fini(&c->sequences);
    buf_fini(&c->names);
    free(c);
}

struct str simulated_id(const struct simulated_call *c)
{
    return str_of(c->id);
}

enum err simulated_follow(struct simulated_call *c, const struct forward *f)
{
    target_walk_answer(&c->walk, c->book, c->facts.account, f);
    struct str found = first_destination(&c->walk);
    return found.n ? destination_set(c, found) : OK;
}

/* It was never put through: it ends when it would have been answered. */
void simulated_reject(struct simulated_call *c, int sip_status)
{
    conclude(c, end_reason_of_status(sip_status), sip_status);
    c->facts.by = ENDED_BY_CALLEE;
    if (c->facts.answered_ms)
        c->facts.ended_ms = c->facts.answered_ms;
    c->facts.answered_ms = 0;
}

enum err simulated_begin(struct simulated_call *c, struct taking **ret)
{
    return tell(c, EVENT_INCOMING_CALL, c->facts.started_ms, ret);
}

enum err simulated_end(struct simulated_call *c, struct taking *ret[SIMULATED_EVENTS_MAX - 1],
                       size_t *ret_n)
{
    enum err err = OK;
    *ret_n = 0;
    if (c->facts.answered_ms) {
        err = tell(c, EVENT_CALL_ANSWERED, c->facts.answered_ms, &ret[0]);
        *ret_n = err == OK;
    }
    if (err == OK)
        err = tell(c, EVENT_CALL_ENDED, c->facts.ended_ms, &ret[*ret_n]);
    if (err == OK)
        ++*ret_n;
    else if (*ret_n)
        taking_free(ret[0]);
    return err;
}
