/* session: framing, states, and the two requests that are a session's own business, enquire_link
 * and unbind. Called by streams and timers, by the listener and links (who ends it), by inbound
 * (who answers). Edge's thread.
 *
 * The one invariant: nothing is freed before the turn's end. Whatever a callback does to a session,
 * the code that called it still has one in its hands, and looks at its state. */
#include "smpp/session.h"

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
    OPEN_PDU_MAX = 1024,  /* nobody who has not bound has more to say than a bind */
    OPEN_PDUS = 16,
    DOUBT_MAX = 256,
    DOUBT_MS = 2000, /* a reset may have taken answers so young */
    OWN_FIRST = 2,   /* our sequence numbers: 1 may have been the bind's */
    OWN_LAST = 0x7FFFFFFF,
};

struct session {
    struct sessions *all;
    handle self;
    struct session_config c;
    enum session_state state;
    struct stream *stream;
    struct buf in, out;
    unsigned waiting; /* held messages */
    bool paused;
    uint32_t sequence;        /* of our next request */
    uint32_t enquired;        /* our enquire_link without an answer; 0: none */
    bool heard_since;         /* anything at all since we asked */
    uint32_t unbind_sequence; /* UNBINDING: ours; LEAVING: theirs */
    unsigned open_pdus;
    int64_t heard_mono_ms; /* the last whole PDU */
    struct timer timer;    /* what it is for, the state says */
    struct session *next_due;
    bool due, silent_end;
    char why[96];
    /* The last messages we answered OK, the first `flushed` of them handed to the stream. */
    struct {
        uint64_t what;
        int64_t at_mono_ms;
    } doubt[DOUBT_MAX];
    unsigned n_doubt, flushed;
};

struct sessions {
    struct loop *loop;
    struct pool *pool;
    int64_t response_ms;
    struct session *due; /* something to send, to read on, or to bury, at the turn's end */
    sessions_on_unanswered *on_unanswered;
    void *arg;
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
    [SESSION_LEAVING] = 1 << SESSION_CLOSED,
    [SESSION_CLOSED] = 0,
};

static void on_timer(struct timer *t);

static void mark_due(struct session *s)
{
    if (s->due)
        return;
    s->due = true;
    s->next_due = s->all->due;
    s->all->due = s;
}

static void arm(struct session *s, int64_t in_ms)
{
    loop_timer(s->all->loop, &s->timer, in_ms, on_timer, s);
}

static void session_move(struct session *s, enum session_state to)
{
    ASSERT(moves[s->state] & 1 << to);
    log_debug("smpp", "session %llx: %s to %s", (unsigned long long)s->self, state_name[s->state],
              state_name[to]);
    s->state = to;
    timer_stop(&s->timer);
    s->heard_mono_ms = loop_now_ms(s->all->loop);
    if (to == SESSION_OPEN)
        arm(s, s->c.unbound_ms);
    else if (1 << to & BOUND)
        arm(s, s->c.link.enquire_ms);
    else if (to != SESSION_CLOSED)
        arm(s, s->all->response_ms);
    mark_due(s);
}

static bool is_closed(const struct session *s)
{
    return s->state == SESSION_CLOSED;
}

static void flush(struct session *s)
{
    if (s->out.err == OK && s->out.n && s->stream &&
        stream_write(s->stream, buf_str(&s->out)) != OK)
        s->out.err = ERR_FULL;
    if (s->out.err == OK) {
        buf_reset(&s->out);
        s->flushed = s->stream ? s->n_doubt : s->flushed;
        return;
    }
    if (!is_closed(s)) {
        snprintf(s->why, sizeof s->why, "it does not read what we answer");
        session_move(s, SESSION_CLOSED);
    }
}

void session_end(struct session *s, const char *why)
{
    if (is_closed(s))
        return;
    snprintf(s->why, sizeof s->why, "%s", why);
    session_move(s, SESSION_CLOSED);
    flush(s);
}

void session_close(struct session *s)
{
    if (!s)
        return;
    s->silent_end = true;
    session_end(s, "");
}

/* ---- writing ---- */

static void put(struct session *s, const struct pdu *p)
{
    if (is_closed(s))
        return;
    pdu_print(p, &s->out);
    if (s->out.n >= OUT_FULL || s->out.err != OK)
        flush(s);
    mark_due(s);
}

static void answer(struct session *s, const struct session_answer *a)
{
    struct pdu p;
    memset(&p, 0, offsetof(struct pdu, tlv));
    p.command = a->command;
    p.sequence = a->sequence;
    p.status = a->status;
    if (a->command == PDU_SUBMIT_SM_RESP || a->command == PDU_DATA_SM_RESP)
        p.message_id = a->id;
    else
        p.system_id = a->id;
    if (a->command == PDU_BIND_RECEIVER_RESP || a->command == PDU_BIND_TRANSMITTER_RESP ||
        a->command == PDU_BIND_TRANSCEIVER_RESP)
        p.tlv[p.n_tlvs++] = (struct tlv){TLV_SC_INTERFACE_VERSION, STR("\x34")};
    put(s, &p);
}

void session_answer(struct session *s, enum pdu_command c, uint32_t sequence, uint32_t status,
                    struct str id)
{
    answer(s, &(struct session_answer){c, sequence, status, id});
}

void session_refuse(struct session *s, const struct pdu *p, uint32_t status)
{
    enum pdu_command c = pdu_response_to(p->command);
    if (c != PDU_GENERIC_NACK)
        session_answer(s, c, p->sequence, status, (struct str){0});
}

static uint32_t ask(struct session *s, enum pdu_command c)
{
    uint32_t sequence = s->sequence;
    s->sequence = sequence == OWN_LAST ? OWN_FIRST : sequence + 1;
    session_answer(s, c, sequence, 0, (struct str){0});
    return sequence;
}

/* ---- the end of a binding, from both sides ---- */

/* DRAINING and LEAVING: goes on when no answer is due any more, or when they took too long. */
static void go_on_leaving(struct session *s)
{
    if (s->state == SESSION_DRAINING) {
        s->unbind_sequence = ask(s, PDU_UNBIND);
        session_move(s, SESSION_UNBINDING);
    } else {
        session_answer(s, PDU_UNBIND_RESP, s->unbind_sequence, ESME_ROK, (struct str){0});
        session_end(s, "");
    }
}

void session_unbind(struct session *s)
{
    if (s->state == SESSION_OPEN)
        session_end(s, "");
    else if (session_is_bound(s))
        session_move(s, SESSION_DRAINING);
}

static void on_unbind(struct session *s, const struct pdu *p)
{
    if (s->state == SESSION_OPEN) {
        session_refuse(s, p, ESME_RINVBNDSTS);
    } else if (s->state == SESSION_UNBINDING) { /* both at once */
        session_refuse(s, p, ESME_ROK);
        session_end(s, "");
    } else if (s->state != SESSION_LEAVING) {
        s->unbind_sequence = p->sequence;
        session_move(s, SESSION_LEAVING);
    }
}

static void on_enquire_due(struct session *s)
{
    int64_t now = loop_now_ms(s->all->loop), silent = now - s->heard_mono_ms;
    if (s->paused) { /* we do not listen */
        s->heard_mono_ms = now;
        s->heard_since = true;
        silent = 0;
    }
    if (s->enquired && !s->heard_since) {
        session_end(s, "no answer to enquire_link");
        return;
    }
    if (silent < s->c.link.enquire_ms) {
        arm(s, s->c.link.enquire_ms - silent);
        return;
    }
    s->enquired = ask(s, PDU_ENQUIRE_LINK);
    s->heard_since = false;
    arm(s, s->all->response_ms);
}

static void on_timer(struct timer *t)
{
    struct session *s = t->arg;
    switch (s->state) {
    case SESSION_OPEN: session_end(s, "it did not bind"); break;
    case SESSION_DRAINING:
    case SESSION_LEAVING: go_on_leaving(s); break;
    case SESSION_UNBINDING: session_end(s, ""); break;
    case SESSION_CLOSED: break;
    default: on_enquire_due(s);
    }
}

/* ---- reading ---- */

/* An answer to what we asked; others are nobody's (§3.2 does not have them), counted and left. */
static void on_response(struct session *s, const struct pdu *p)
{
    bool nack = p->command == PDU_GENERIC_NACK;
    if (s->state == SESSION_UNBINDING && p->sequence == s->unbind_sequence &&
        (nack || p->command == PDU_UNBIND_RESP))
        session_end(s, "");
    else if (s->enquired && p->sequence == s->enquired &&
             (nack || p->command == PDU_ENQUIRE_LINK_RESP))
        s->enquired = 0;
    else
        metric_add(METRIC_SMPP_UNASKED, 1);
}

static void nack(struct session *s, uint32_t sequence, uint32_t status)
{
    session_answer(s, PDU_GENERIC_NACK, sequence, status, (struct str){0});
    session_end(s, smpp_status_name(status));
}

static void on_pdu(struct session *s, struct str bytes)
{
    struct pdu p;
    uint32_t status;
    enum err err = pdu_parse(bytes, &p, &status);
    s->heard_mono_ms = loop_now_ms(s->all->loop);
    s->heard_since = true;
    if (s->state == SESSION_OPEN && ++s->open_pdus > OPEN_PDUS) {
        session_end(s, "it speaks, but does not bind");
        return;
    }
    if (err != OK)
        metric_add(METRIC_SMPP_MALFORMED, 1);
    if (err == ERR_UNSUPPORTED) {
        nack(s, p.sequence, ESME_RINVCMDID);
    } else if (pdu_is_response(p.command)) {
        on_response(s, &p);
    } else if (err != OK) {
        session_refuse(s, &p, status);
    } else if (p.command == PDU_ENQUIRE_LINK) {
        session_refuse(s, &p, ESME_ROK);
    } else if (p.command == PDU_UNBIND) {
        on_unbind(s, &p);
    } else if (s->state >= SESSION_DRAINING) {
        session_refuse(s, &p, ESME_RTHROTTLED); /* later, on another session */
    } else {
        s->c.on_request(s->c.arg, s, &p);
    }
}

/* Bad lengths leave no frames to look for: nack and close (CONTRACT §8). */
static void on_bad_length(struct session *s, struct str rest)
{
    uint32_t sequence = 0;
    if (rest.n >= PDU_HEADER)
        for (size_t i = 12; i < 16; i++)
            sequence = sequence << 8 | (uint8_t)rest.p[i];
    metric_add(METRIC_SMPP_MALFORMED, 1);
    log_sparse(LOG_WARN, 10000, "smpp", "a stream that cannot be cut into PDUs is closed");
    nack(s, sequence, ESME_RINVCMDLEN);
}

static bool wants_more(const struct session *s)
{
    return !is_closed(s) && s->state != SESSION_LEAVING && !s->paused;
}

/* How many bytes of whole PDUs were taken off the front. */
static size_t consume(struct session *s, struct str bytes)
{
    size_t at = 0, size;
    while (wants_more(s)) {
        struct str rest = str_from(bytes, at);
        enum err err = pdu_size(rest, &size);
        if (err == ERR_AGAIN)
            break;
        if (err != OK || (s->state == SESSION_OPEN && size > OPEN_PDU_MAX)) {
            on_bad_length(s, rest);
            break;
        }
        if (rest.n < size)
            break;
        on_pdu(s, str_slice(rest, 0, size));
        at += size;
    }
    return at;
}

static void on_bytes(struct stream *stream, void *arg, struct str bytes)
{
    struct session *s = arg;
    if (is_closed(s) || s->state == SESSION_LEAVING)
        return;
    if (s->in.n == 0)
        bytes = str_from(bytes, consume(s, bytes));
    buf_put_str(&s->in, bytes);
    if (s->in.err != OK)
        session_end(s, "it sends more than we can take");
    else if (bytes.n)
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
}

/* A reset: what lay unread at the other side, or came after he was gone, is lost. A clean end: he
 * read all that was there; only what we had not sent yet is lost. */
static void tell_unanswered(struct session *s, bool reset)
{
    int64_t since = loop_now_ms(s->all->loop) - DOUBT_MS;
    for (unsigned i = 0; i < s->n_doubt && s->all->on_unanswered; i++)
        if (i >= s->flushed || (reset && s->doubt[i].at_mono_ms >= since))
            s->all->on_unanswered(s->all->arg, s->c.link.n, s->doubt[i].what);
    s->n_doubt = s->flushed = 0;
}

static void on_stream_end(struct stream *stream, void *arg, enum err why)
{
    struct session *s = arg;
    stream_close(s->stream);
    s->stream = NULL;
    tell_unanswered(s, why != ERR_CLOSED);
    session_end(s, s->state == SESSION_UNBINDING ? "" : err_text(why));
}

static const struct stream_events stream_events = {NULL, on_bytes, on_stream_end};

/* ---- the window ---- */

void session_hold(struct session *s)
{
    if (is_closed(s) || ++s->waiting < s->c.link.window || s->paused)
        return;
    s->paused = true;
    stream_read_pause(s->stream, true);
}

void session_settle(struct session *s, const struct session_answer *a, uint64_t what)
{
    if (is_closed(s))
        return;
    ASSERT(s->waiting > 0);
    s->waiting--;
    mark_due(s);
    if (a->status == ESME_ROK && what) {
        if (s->n_doubt == DOUBT_MAX) {
            memmove(s->doubt, s->doubt + 1, (DOUBT_MAX - 1) * sizeof *s->doubt);
            s->n_doubt--;
            s->flushed -= s->flushed > 0;
        }
        s->doubt[s->n_doubt].what = what;
        s->doubt[s->n_doubt++].at_mono_ms = loop_now_ms(s->all->loop);
    }
    answer(s, a);
}

static void read_on(struct session *s)
{
    if (s->paused && s->waiting < s->c.link.window) {
        s->paused = false;
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
        if (!s->paused && !is_closed(s))
            stream_read_pause(s->stream, false);
    } else if (s->in.n && wants_more(s)) { /* session_open's rest */
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
    }
    if (s->waiting == 0 && (s->state == SESSION_DRAINING || s->state == SESSION_LEAVING))
        go_on_leaving(s);
}

/* ---- life ---- */

static void give_back(struct session *s)
{
    timer_stop(&s->timer);
    stream_close(s->stream);
    buf_fini(&s->in);
    buf_fini(&s->out);
    pool_give(s->all->pool, s->self);
    metric_set(METRIC_SMPP_SESSIONS, (int64_t)pool_count(s->all->pool));
}

static void shrink(struct buf *b)
{
    size_t max = b->max;
    if (b->n || b->cap <= KEPT_IDLE)
        return;
    buf_fini(b);
    buf_init(b, max);
}

/* A session that is due: what arrived meanwhile, what is to be sent, and whether it is over. */
static void on_turn_end(void *arg)
{
    struct sessions *all = arg;
    struct session *s;
    while ((s = all->due)) {
        all->due = s->next_due;
        s->due = false;
        if (!is_closed(s))
            read_on(s);
        flush(s);
        if (!is_closed(s)) {
            shrink(&s->in);
            shrink(&s->out);
            continue;
        }
        if (s->due)
            continue; /* marked again just now: it is buried when its turn comes */
        void (*on_end)(void *, const char *) = s->silent_end ? NULL : s->c.on_end;
        void *user = s->c.arg;
        char why[sizeof s->why];
        memcpy(why, s->why, sizeof why);
        give_back(s);
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
    stream_take(s->stream, &stream_events, s);
    s->state = c->state;
    s->heard_mono_ms = loop_now_ms(all->loop);
    arm(s, s->state == SESSION_OPEN ? c->unbound_ms : c->link.enquire_ms);
    mark_due(s);
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
    return s && !is_closed(s) ? s : NULL;
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
    loop_on_turn_end(l, on_turn_end, all);
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
        give_back(s);
    pool_free(all->pool);
    free(all);
}
