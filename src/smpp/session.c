/* session: keeps a session's state, writes its PDUs, sends enquire_link, and ends it. Called by
 * timers, by the turn's end, by the listener and links (which end it), and by inbound (which
 * answers). Edge's thread.
 *
 * The one invariant: nothing is freed before the turn's end. Whatever a callback does to a session,
 * the code that called it still has a valid session, and reads its state. */
#include "smpp/session_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/metrics.h"

enum {
    IN_MAX = 2 * PDU_MAX + 256 * 1024, /* a PDU, and what one turn of TLS may bring on top */
    OUT_MAX = 256 * 1024,              /* of one turn's answers; more leaves before its end */
    OUT_FULL = 64 * 1024,
    KEPT_IDLE = 4 * 1024, /* buffers larger than that are given back when empty */
    OWN_FIRST = 2,        /* our sequence numbers: 1 may have been the bind's */
    OWN_LAST = 0x7FFFFFFF,
    VERSION_WITH_TLVS = 0x34,
    LEFT_MS = 1000, /* for the peer to read our unbind_resp and to close */
};

/* ---- states ---- */

static const char *const state_name[] = {
#define X(id) #id,
    SESSION_STATE_LIST(X)
#undef X
};
enum { BOUND = 1 << SESSION_BOUND_RX | 1 << SESSION_BOUND_TX | 1 << SESSION_BOUND_TRX };
enum { FROM_BOUND = 1 << SESSION_DRAINING | 1 << SESSION_LEAVING | 1 << SESSION_CLOSED };
/* from, to: a bit each */
static const uint16_t moves[] = {
    [SESSION_OPEN] = BOUND | 1 << SESSION_CLOSED,
    [SESSION_BOUND_RX] = FROM_BOUND,
    [SESSION_BOUND_TX] = FROM_BOUND,
    [SESSION_BOUND_TRX] = FROM_BOUND,
    [SESSION_DRAINING] = 1 << SESSION_UNBINDING | 1 << SESSION_LEAVING | 1 << SESSION_CLOSED,
    [SESSION_UNBINDING] = 1 << SESSION_CLOSED,
    [SESSION_LEAVING] = 1 << SESSION_LEFT | 1 << SESSION_CLOSED,
    [SESSION_LEFT] = 1 << SESSION_CLOSED,
    [SESSION_CLOSED] = 0,
};

static void session_on_timer(struct timer *t);

void session_mark_due(struct session *s)
{
    if (s->due)
        return;
    s->due = true;
    s->next_due = s->all->due;
    s->all->due = s;
}

static void session_timer_arm(struct session *s, int64_t in_ms)
{
    loop_timer(s->all->loop, &s->timer, in_ms, session_on_timer, s);
}

void session_move(struct session *s, enum session_state to)
{
    ASSERT(moves[s->state] & 1 << to);
    log_debug("smpp", "session %llx: %s to %s", (unsigned long long)s->self, state_name[s->state],
              state_name[to]);
    s->state = to;
    timer_stop(&s->timer);
    s->heard_mono_ms = loop_now_ms(s->all->loop);
    if (to == SESSION_OPEN)
        session_timer_arm(s, s->c.unbound_ms);
    else if (1 << to & BOUND)
        session_timer_arm(s, s->c.link.enquire_ms);
    else if (to != SESSION_CLOSED)
        session_timer_arm(s, to == SESSION_LEFT ? LEFT_MS : s->all->response_ms);
    session_mark_due(s);
}

static void session_flush(struct session *s)
{
    if (s->out.err == OK && s->out.n && s->stream &&
        stream_write(s->stream, buf_str(&s->out)) != OK)
        s->out.err = ERR_FULL;
    if (s->out.err == OK) {
        buf_reset(&s->out);
        s->flushed = s->stream ? s->n_doubt : s->flushed;
        return;
    }
    if (!session_is_closed(s)) {
        session_tell_unanswered(s, 0);
        snprintf(s->why, sizeof s->why, "it does not read what we answer");
        session_move(s, SESSION_CLOSED);
    }
}

void session_end(struct session *s, const char *why)
{
    if (session_is_closed(s))
        return;
    snprintf(s->why, sizeof s->why, "%s", why);
    session_move(s, SESSION_CLOSED);
    session_flush(s);
}

void session_close(struct session *s)
{
    if (!s)
        return;
    s->silent_end = true;
    session_end(s, "");
}

/* ---- writing ---- */

static void session_put_pdu(struct session *s, const struct pdu *p)
{
    if (session_is_closed(s))
        return;
    pdu_print(p, &s->out);
    if (s->out.n >= OUT_FULL || s->out.err != OK)
        session_flush(s);
    session_mark_due(s);
}

static void session_put_answer(struct session *s, const struct session_answer *a)
{
    struct pdu p;
    memset(&p, 0, offsetof(struct pdu, tlv));
    p.command = a->command;
    p.sequence = a->sequence;
    p.status = a->status;
    if (a->command == PDU_SUBMIT_SM_RESP || a->command == PDU_DATA_SM_RESP)
        p.message_id = a->id;
    session_put_pdu(s, &p);
}

void session_accept_bind(struct session *s, const struct pdu *bind, struct str system_id)
{
    struct pdu p;
    memset(&p, 0, offsetof(struct pdu, tlv));
    p.command = pdu_response_to(bind->command);
    p.sequence = bind->sequence;
    p.system_id = system_id;
    if (bind->interface_version >= VERSION_WITH_TLVS)
        p.tlv[p.n_tlvs++] = (struct tlv){TLV_SC_INTERFACE_VERSION, STR("\x34")};
    session_put_pdu(s, &p);
}

void session_answer(struct session *s, enum pdu_command c, uint32_t sequence, uint32_t status,
                    struct str id)
{
    session_put_answer(s, &(struct session_answer){c, sequence, status, id});
}

void session_refuse(struct session *s, const struct pdu *p, uint32_t status)
{
    enum pdu_command c = pdu_response_to(p->command);
    if (c != PDU_GENERIC_NACK)
        session_answer(s, c, p->sequence, status, (struct str){0});
}

void session_settle(struct session *s, const struct session_answer *a, uint64_t what)
{
    if (session_is_closed(s))
        return;
    ASSERT(s->waiting > 0);
    s->waiting--;
    session_mark_due(s);
    if (a->status == ESME_ROK && what) {
        if (s->n_doubt == DOUBT_MAX) {
            memmove(s->doubt, s->doubt + 1, (DOUBT_MAX - 1) * sizeof *s->doubt);
            s->n_doubt--;
            s->flushed -= s->flushed > 0;
        }
        s->doubt[s->n_doubt].what = what;
        s->doubt[s->n_doubt++].at_mono_ms = loop_now_ms(s->all->loop);
    }
    session_put_answer(s, a);
}

static uint32_t session_put_request(struct session *s, enum pdu_command c)
{
    uint32_t sequence = s->sequence;
    s->sequence = sequence == OWN_LAST ? OWN_FIRST : sequence + 1;
    session_answer(s, c, sequence, 0, (struct str){0});
    return sequence;
}

/* ---- the end of a binding, from both sides ---- */

/* DRAINING and LEAVING: goes on when no answer is due any more, or when the answers took too long.
 */
static void session_go_on_leaving(struct session *s)
{
    if (s->state == SESSION_DRAINING) {
        s->unbind_sequence = session_put_request(s, PDU_UNBIND);
        session_move(s, SESSION_UNBINDING);
    } else {
        session_answer(s, PDU_UNBIND_RESP, s->unbind_sequence, ESME_ROK, (struct str){0});
        if (!session_is_closed(s))
            session_move(s, SESSION_LEFT);
    }
}

void session_unbind(struct session *s)
{
    if (s->state == SESSION_OPEN)
        session_end(s, "");
    else if (session_is_bound(s))
        session_move(s, SESSION_DRAINING);
}

static void session_on_enquire_due(struct session *s)
{
    int64_t now = loop_now_ms(s->all->loop), silent = now - s->heard_mono_ms;
    if (s->paused) { /* we do not read */
        s->heard_mono_ms = now;
        s->heard_since = true;
        silent = 0;
    }
    if (s->enquired && !s->heard_since) {
        /* More is unacknowledged than our enquire_link: the last answers did not arrive either. */
        if (stream_unacked(s->stream) > PDU_HEADER)
            session_tell_unanswered(s, s->heard_mono_ms - DOUBT_MS);
        session_end(s, "no answer to enquire_link");
        return;
    }
    if (silent < s->c.link.enquire_ms) {
        session_timer_arm(s, s->c.link.enquire_ms - silent);
        return;
    }
    s->enquired = session_put_request(s, PDU_ENQUIRE_LINK);
    s->heard_since = false;
    session_timer_arm(s, s->all->response_ms);
}

static void session_on_timer(struct timer *t)
{
    struct session *s = t->arg;
    switch (s->state) {
    case SESSION_OPEN: session_end(s, "it did not bind"); break;
    case SESSION_DRAINING:
    case SESSION_LEAVING: session_go_on_leaving(s); break;
    case SESSION_UNBINDING:
    case SESSION_LEFT: session_end(s, ""); break;
    case SESSION_CLOSED: break;
    default: session_on_enquire_due(s);
    }
}

/* ---- life ---- */

static void session_free_slot(struct session *s)
{
    timer_stop(&s->timer);
    stream_close(s->stream);
    buf_fini(&s->in);
    buf_fini(&s->out);
    pool_give(s->all->pool, s->self);
    metric_set(METRIC_SMPP_SESSIONS, (int64_t)pool_count(s->all->pool));
}

static void session_buffer_shrink(struct buf *b)
{
    size_t max = b->max;
    if (b->n || b->cap <= KEPT_IDLE)
        return;
    buf_fini(b);
    buf_init(b, max);
}

/* Tells the session's user that it is over. Nothing reaches the user after this, so the peer may bind
 * anew before it has closed. A peer that closes by a reset now had read its answers before it
 * unbound. */
static void session_tell_left(struct session *s)
{
    bool tell = !s->silent_end && s->c.on_end;
    s->silent_end = true;
    s->n_doubt = s->flushed = 0;
    if (tell)
        s->c.on_end(s->c.arg, "");
}

/* Handles each session that is due: reads on, sends, and frees it when it is closed. */
static void sessions_on_turn_end(void *arg)
{
    struct sessions *all = arg;
    struct session *s;
    while ((s = all->due)) {
        all->due = s->next_due;
        s->due = false;
        if (!session_is_closed(s))
            session_read_on(s);
        if (s->waiting == 0 && (s->state == SESSION_DRAINING || s->state == SESSION_LEAVING))
            session_go_on_leaving(s);
        session_flush(s);
        if (s->state == SESSION_LEFT)
            session_tell_left(s);
        if (!session_is_closed(s)) {
            session_buffer_shrink(&s->in);
            session_buffer_shrink(&s->out);
            continue;
        }
        if (s->due)
            continue; /* marked again just now: it is freed in its turn */
        void (*on_end)(void *, const char *) = s->silent_end ? NULL : s->c.on_end;
        void *user = s->c.arg;
        char why[sizeof s->why];
        memcpy(why, s->why, sizeof why);
        session_free_slot(s);
        if (on_end)
            on_end(user, why);
    }
}

enum err session_open(struct sessions *all, const struct session_config *c, struct stream **take,
                      struct str rest, struct session **ret)
{
    handle h;
    struct session *s = pool_take(all->pool, &h);
    if (!s)
        return ERR_FULL;
    *s = (struct session){.all = all, .self = h, .c = *c, .sequence = OWN_FIRST};
    buf_init(&s->in, IN_MAX);
    buf_init(&s->out, OUT_MAX);
    buf_put_str(&s->in, rest);
    if (s->in.err != OK) {
        buf_fini(&s->in);
        pool_give(all->pool, h);
        return ERR_NOMEM;
    }
    s->stream = *take;
    *take = NULL;
    stream_take(s->stream, &session_stream_events, s);
    s->state = c->state;
    s->heard_mono_ms = loop_now_ms(all->loop);
    session_timer_arm(s, s->state == SESSION_OPEN ? c->unbound_ms : c->link.enquire_ms);
    session_mark_due(s);
    metric_set(METRIC_SMPP_SESSIONS, (int64_t)pool_count(all->pool));
    *ret = s;
    return OK;
}

void session_bound(struct session *s, enum session_state as, const struct session_link *link)
{
    s->c.link = *link;
    session_move(s, as);
}

struct session *session_at(const struct sessions *all, handle h)
{
    struct session *s = pool_at(all->pool, h);
    return s && !session_is_closed(s) ? s : NULL;
}

handle session_handle(const struct session *s)
{
    return s->self;
}

enum session_state session_state(const struct session *s)
{
    return s->state;
}

bool session_is_bound(const struct session *s)
{
    return (1 << s->state & BOUND) != 0;
}

bool session_they_bound(const struct session *s)
{
    return s->c.they_bound;
}

const struct session_link *session_link(const struct session *s)
{
    return &s->c.link;
}

struct addr session_peer(const struct session *s)
{
    return s->stream ? stream_peer(s->stream) : (struct addr){0};
}

size_t sessions_count(const struct sessions *all)
{
    return pool_count(all->pool);
}

void sessions_unanswered_to(struct sessions *all, sessions_on_unanswered *fn, void *arg)
{
    all->on_unanswered = fn;
    all->arg = arg;
}

enum err sessions_new(struct loop *l, size_t max, int64_t response_ms, struct sessions **ret)
{
    struct sessions *all = calloc(1, sizeof *all);
    enum err err = all ? pool_new(&all->pool, sizeof(struct session), max) : ERR_NOMEM;
    if (err != OK) {
        free(all);
        return err;
    }
    all->loop = l;
    all->response_ms = response_ms;
    loop_on_turn_end(l, sessions_on_turn_end, all);
    *ret = all;
    return OK;
}

void sessions_free(struct sessions *all)
{
    handle h;
    struct session *s;
    if (!all)
        return;
    loop_off_turn_end(all->loop, all);
    for (size_t i = 0; (s = pool_next(all->pool, &i, &h));)
        session_free_slot(s);
    pool_free(all->pool);
    free(all);
}
