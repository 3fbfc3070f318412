/* session_read: bytes become PDUs, and PDUs what they are for: the two requests that are a
 * session's own business, enquire_link and unbind, answers to what it asked, and all others for its
 * user. Called by streams and by the turn's end. Edge's thread. */
#include "base/log.h"
#include "base/metrics.h"
#include "smpp/session_own.h"

enum {
    OPEN_PDU_MAX = 1024, /* nobody who has not bound has more to say than a bind */
    OPEN_PDUS = 16,
};

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
    return !session_is_closed(s) && s->state != SESSION_LEAVING && !s->paused;
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
    if (session_is_closed(s) || s->state == SESSION_LEAVING)
        return;
    if (s->in.n == 0)
        bytes = str_from(bytes, consume(s, bytes));
    buf_put_str(&s->in, bytes);
    if (s->in.err != OK)
        session_end(s, "it sends more than we can take");
    else if (bytes.n)
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
}

void session_tell_unanswered(struct session *s, int64_t since_mono_ms)
{
    for (unsigned i = 0; i < s->n_doubt && s->all->on_unanswered; i++)
        if (i >= s->flushed || s->doubt[i].at_mono_ms >= since_mono_ms)
            s->all->on_unanswered(s->all->arg, s->c.link.n, s->doubt[i].what);
    s->n_doubt = s->flushed = 0;
}

/* A reset: what lay unread at the other side, or came after he was gone, is lost. A clean end: he
 * read all that was there; only what we had not sent yet is lost. */
static void on_stream_end(struct stream *stream, void *arg, enum err why)
{
    struct session *s = arg;
    stream_close(s->stream);
    s->stream = NULL;
    session_tell_unanswered(s,
                            why == ERR_CLOSED ? INT64_MAX : loop_now_ms(s->all->loop) - DOUBT_MS);
    session_end(s, s->state == SESSION_UNBINDING ? "" : err_text(why));
}

const struct stream_events session_stream_events = {NULL, on_bytes, on_stream_end};

/* ---- the window ---- */

void session_hold(struct session *s)
{
    if (session_is_closed(s) || ++s->waiting < s->c.link.window || s->paused)
        return;
    s->paused = true;
    stream_read_pause(s->stream, true);
}

void session_read_on(struct session *s)
{
    if (s->paused && s->waiting < s->c.link.window) {
        s->paused = false;
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
        if (!s->paused && !session_is_closed(s))
            stream_read_pause(s->stream, false);
    } else if (s->in.n && wants_more(s)) { /* session_open's rest */
        buf_cut(&s->in, consume(s, buf_str(&s->in)));
    }
}
