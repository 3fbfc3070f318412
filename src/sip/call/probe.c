/* probe: is anybody still there? A leg that was silent for sip.probe_s, or that was up before a
 * restart, is asked with OPTIONS. 481 says that its peer lost the call. Silence says little, since
 * some programs never answer OPTIONS, and any other answer is a weak sign of life, since some answer
 * 200 in dialogs that they never knew. So a second opinion follows: a re-INVITE with the session as
 * it is (§14.1), at once behind silence, and where OPTIONS alone was answered for a long time. Its
 * silence, 481, or an answer with another To tag (a new call, of a peer that lost this one) end the
 * call as lost. Where a session timer runs, its refreshes are the proof (RFC 4028).
 *
 * Each leg has its own question, which goes through enum probe_state. Between two questions there is
 * no struct probe. Edge's thread. */
#include <stdlib.h>

#include "base/log.h"
#include "sip/call/row.h"

enum {
    AGAIN_MS = 5000, /* until a question that could not be asked is asked again */
    UNSENT_MAX = 4,  /* times that it cannot be sent */
    WEAK_ROUNDS = 6, /* × sip.probe_s without a strong sign of life */
};

enum probe_state {
    PROBE_IDLE,    /* nothing is asked */
    PROBE_ASKED,   /* OPTIONS is out */
    PROBE_UNSENT,  /* it could not be sent: again soon */
    PROBE_DOUBTED, /* the second opinion is due, and could not be asked for yet */
    PROBE_READING, /* what the leg was told last is read from the row */
    PROBE_OPINION, /* the re-INVITE is out, or an UPDATE where the session is not known */
    PROBE_STATES
};

struct question {
    enum probe_state state;
    unsigned unsent;  /* tries */
    bool silent;      /* nobody answered OPTIONS */
    int64_t asked_ms; /* when the state was entered */
};

struct probe {
    struct question a, b;
};

static int64_t now_ms(const struct leg *leg)
{
    return loop_now_ms(leg->call->core->c.loop);
}

/* ---- a leg's question ---- */

static struct question *question_of(const struct leg *leg)
{
    struct probe *p = leg->call->probe;
    return !p ? NULL : leg->name == 'a' ? &p->a : &p->b;
}

static enum probe_state probe_state(const struct leg *leg)
{
    const struct question *q = question_of(leg);
    return q ? q->state : PROBE_IDLE;
}

static void probe_enter(struct leg *leg, enum probe_state to)
{
    static const char *const name[PROBE_STATES] = {"IDLE",    "ASKED",   "UNSENT",
                                                   "DOUBTED", "READING", "OPINION"};
    struct question *q = question_of(leg);
    log_debug("sip", "%s: leg %c{%s → %s}", leg->call->call_id, leg->name, name[q->state],
              name[to]);
    if (to == PROBE_IDLE)
        *q = (struct question){0};
    q->state = to;
    q->asked_ms = now_ms(leg);
}

static int64_t silence_ms(const struct leg *leg)
{
    return 64 * leg->call->core->c.t1_ms;
}

/* The halves are compared, so that no sign of life may lie back for more than 24 days. */
static int64_t heard_ago_ms(const struct leg *leg)
{
    return (int32_t)((uint32_t)now_ms(leg) - leg->heard_ms);
}

static int64_t proved_ago_ms(const struct leg *leg)
{
    return (int32_t)((uint32_t)now_ms(leg) - leg->proved_ms);
}

/* Until when the peers' own refreshes prove that the leg is there; 0: there are none. A re-INVITE
 * of ours in between would move them. */
static int64_t refreshed_ms(const struct leg *leg)
{
    int64_t expires_ms = 1000 * (int64_t)leg->call->session_expires_s;
    return expires_ms ? expires_ms + silence_ms(leg) : 0;
}

/* How long weak signs of life are enough. */
static int64_t weak_ms(const struct leg *leg)
{
    int64_t rounds_ms = WEAK_ROUNDS * leg->call->core->c.probe_ms, refreshed = refreshed_ms(leg);
    return refreshed > rounds_ms ? refreshed : rounds_ms;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* 0: something is to be asked now; -1: an answer is due, not a question. */
static int64_t due_in_ms(const struct leg *leg)
{
    int64_t in;
    switch (probe_state(leg)) {
    case PROBE_IDLE:
        in = least(leg->call->core->c.probe_ms - heard_ago_ms(leg),
                   weak_ms(leg) - proved_ago_ms(leg));
        break;
    case PROBE_UNSENT:
    case PROBE_DOUBTED: in = question_of(leg)->asked_ms + AGAIN_MS - now_ms(leg); break;
    default: return -1;
    }
    return in > 0 ? in : 0;
}

/* After each input: sets the timer, and gives up the memory between two rounds. */
static void probe_rest(struct call *c)
{
    if (c->state != CALL_UP)
        return;
    if (probe_state(&c->a) == PROBE_IDLE && probe_state(&c->b) == PROBE_IDLE) {
        free(c->probe);
        c->probe = NULL;
    }
    int64_t a = due_in_ms(&c->a), b = due_in_ms(&c->b);
    if (a >= 0 || b >= 0)
        call_wait(c, a < 0 ? b : b < 0 ? a : least(a, b));
}

static void leg_lost(struct leg *leg, int status)
{
    static const struct str why = STR("SIP;cause=481;text=\"Lost\"");
    struct call *c = leg->call;
    log_info("sip", "%s: leg %c is gone", c->call_id, leg->name);
    leg_hang_up(&c->a, why, NULL);
    leg_hang_up(&c->b, why, NULL);
    call_end(c, END_LOST, ENDED_BY_SYSTEM, status);
}

static void leg_lives(struct leg *leg)
{
    leg_proved(leg);
    probe_enter(leg, PROBE_IDLE);
}

static void leg_unsent(struct leg *leg, enum probe_state again)
{
    struct question *q = question_of(leg);
    if (q->silent || ++q->unsent >= UNSENT_MAX)
        leg_lost(leg, 408);
    else
        probe_enter(leg, again);
}

/* ---- the second opinion ---- */

static struct txn *opinion_new(struct leg *leg, struct str sdp, struct buf *b)
{
    struct call *c = leg->call;
    struct sip_core *core = c->core;
    struct dialog *d = &leg->dialog;
    char branch[TOKEN_SIZE + 8];
    struct txn *t = txn_client_new(core->txns, sdp.n > 0, &d->path, dialog_host(d), branch);
    if (!t)
        return NULL;
    *b = core_scratch(core);
    dialog_put_request(d, core->transport, sdp.n ? STR("INVITE") : STR("UPDATE"), ++d->local_cseq,
                       branch, b);
    if (sdp.n)
        sip_put(b, SIP_H_CONTENT_TYPE, STR("application/sdp"));
    sip_put_body(b, sdp);
    t->call = c->self;
    t->purpose = FOR_OPINION;
    t->patience_ms = (int32_t)silence_ms(leg);
    leg_trace(leg, t);
    if (b->err == OK)
        return t;
    txn_end(core->txns, t);
    return NULL;
}

static void send_opinion(struct leg *leg, struct str sdp)
{
    struct call *c = leg->call;
    struct buf b;
    struct txn *t = opinion_new(leg, sdp, &b);
    if (!t) {
        probe_enter(leg, PROBE_DOUBTED);
        return;
    }
    if (t->invite)
        call_begin_own(c, leg, t);
    probe_enter(leg, PROBE_OPINION);
    txn_send(c->core->txns, t, buf_str(&b));
}

static void on_session(struct leg *leg, struct str sdp)
{
    if (leg->call->state != CALL_UP || probe_state(leg) != PROBE_READING)
        return;
    if (call_is_exchanging(leg->call))
        probe_enter(leg, PROBE_DOUBTED);
    else
        send_opinion(leg, sdp);
    probe_rest(leg->call);
}

static void ask_opinion(struct leg *leg)
{
    struct str sdp;
    if (call_is_exchanging(leg->call))
        probe_enter(leg, PROBE_DOUBTED);
    else if (session_at_hand(leg, &sdp))
        send_opinion(leg, sdp);
    else
        probe_enter(leg, row_read_session(leg, on_session) ? PROBE_READING : PROBE_DOUBTED);
}

/* ---- the first question ---- */

static void ask(struct leg *leg)
{
    struct call *c = leg->call;
    struct dialog *d = &leg->dialog;
    struct sip_core *core = c->core;
    char branch[TOKEN_SIZE + 8];
    struct txn *t = txn_client_new(core->txns, false, &d->path, dialog_host(d), branch);
    probe_enter(leg, t ? PROBE_ASKED : PROBE_UNSENT);
    if (!t)
        return;
    struct buf b = core_scratch(core);
    dialog_put_request(d, core->transport, STR("OPTIONS"), ++d->local_cseq, branch, &b);
    sip_put_body(&b, (struct str){0});
    t->call = c->self;
    t->purpose = FOR_PROBE;
    leg_trace(leg, t);
    txn_send(core->txns, t, buf_str(&b));
}

/* Nobody answered OPTIONS. */
static void on_silence(struct leg *leg)
{
    if (proved_ago_ms(leg) < refreshed_ms(leg)) {
        leg_heard(leg); /* as good as: the next refresh tells */
        probe_enter(leg, PROBE_IDLE);
    } else {
        question_of(leg)->silent = true;
        ask_opinion(leg);
    }
}

static void leg_on_due(struct leg *leg)
{
    if (probe_state(leg) == PROBE_DOUBTED ||
        (probe_state(leg) == PROBE_IDLE && proved_ago_ms(leg) >= weak_ms(leg)))
        ask_opinion(leg);
    else
        ask(leg);
}

void call_on_probe_due(struct call *c)
{
    row_write_session(c);
    if (!c->probe)
        c->probe = calloc(1, sizeof *c->probe);
    if (!c->probe) {
        call_wait(c, AGAIN_MS);
        return;
    }
    if (due_in_ms(&c->a) == 0)
        leg_on_due(&c->a);
    if (due_in_ms(&c->b) == 0)
        leg_on_due(&c->b);
    probe_rest(c);
}

/* ---- answers ---- */

void call_on_probe_answer(struct call *c, struct txn *t, int status)
{
    struct leg *leg = call_leg(c, (char)t->leg);
    if (c->state != CALL_UP || status < 200)
        return;
    if (status == 481)
        leg_lost(leg, status);
    else if (probe_state(leg) == PROBE_ASKED && status == 408) /* a proxy's, of its silence */
        on_silence(leg);
    else if (probe_state(leg) == PROBE_ASKED)
        probe_enter(leg, PROBE_IDLE);
    probe_rest(c);
}

/* A peer that rings began a new call, or asks somebody: nobody who is in this call does. */
static void opinion_on_ringing(struct leg *leg, struct txn *t, const struct sip_msg *m, bool same)
{
    bool too_long = now_ms(leg) - question_of(leg)->asked_ms >= silence_ms(leg);
    if (m->status == 100 || (!too_long && (same || !m->to.tag.n)))
        return;
    txn_cancel(leg->call->core->txns, t, (struct str){0});
    leg_lost(leg, 481);
}

void call_on_opinion(struct call *c, struct txn *t, const struct sip_msg *m)
{
    struct leg *leg = call_leg(c, (char)t->leg);
    bool accepted = m->status >= 200 && m->status < 300;
    bool same = dialog_is(&leg->dialog, m->call_id, m->to.tag);
    if (accepted && t->invite && !same)
        call_hang_up_stray(c->core, t, &t->strays, m);
    if (m->status >= 200)
        call_end_own(c, t);
    if (accepted && t->invite && same)
        leg_on_repeated_answer(leg, m->cseq);
    if (c->state != CALL_UP || probe_state(leg) != PROBE_OPINION)
        return;
    if (m->status < 200) {
        opinion_on_ringing(leg, t, m, same);
    } else if (m->status == 481 || m->status == 408 || t->unwanted || (accepted && !same)) {
        leg_lost(leg, m->status == 408 ? 408 : 481);
    } else {
        if (accepted)
            dialog_refresh(&leg->dialog, m, c->core->transport);
        leg_lives(leg);
    }
    probe_rest(c);
}

void call_on_probe_failure(struct call *c, struct txn *t, enum err err)
{
    struct leg *leg = call_leg(c, (char)t->leg);
    enum probe_state state = t->purpose == FOR_PROBE ? PROBE_ASKED : PROBE_OPINION;
    if (state == PROBE_OPINION)
        call_end_own(c, t);
    if (c->state != CALL_UP || probe_state(leg) != state)
        return;
    int64_t asked_ago_ms = now_ms(leg) - question_of(leg)->asked_ms;
    if (err == ERR_UNREACHABLE && asked_ago_ms >= silence_ms(leg))
        leg_lost(leg, 408); /* no connection was to be had in all that time */
    else if (err == ERR_UNREACHABLE)
        leg_unsent(leg, state == PROBE_ASKED ? PROBE_UNSENT : PROBE_DOUBTED);
    else if (state == PROBE_ASKED && heard_ago_ms(leg) < silence_ms(leg))
        probe_enter(leg, PROBE_IDLE); /* it spoke meanwhile */
    else if (state == PROBE_ASKED)
        on_silence(leg);
    else if (proved_ago_ms(leg) < asked_ago_ms)
        leg_lives(leg);
    else
        leg_lost(leg, 408);
    probe_rest(c);
}

/* ---- up ---- */

void call_enter_up(struct call *c)
{
    transport_mark_in_call(c->core->transport, &c->a.dialog.path);
    transport_mark_in_call(c->core->transport, &c->b.dialog.path);
    book_drop(&c->book);
    leg_proved(&c->a);
    leg_proved(&c->b);
    probe_rest(c);
}

void call_probe_soon(struct call *c, int64_t in_ms)
{
    leg_probe_soon(&c->a, in_ms);
    leg_probe_soon(&c->b, in_ms);
}

/* As if it was silent since long. */
void leg_probe_soon(struct leg *leg, int64_t in_ms)
{
    if (leg->call->state != CALL_UP || probe_state(leg) != PROBE_IDLE)
        return;
    leg->heard_ms = (uint32_t)(now_ms(leg) + in_ms - leg->call->core->c.probe_ms);
    probe_rest(leg->call);
}
