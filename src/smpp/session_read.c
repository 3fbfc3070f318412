/* session_read: cuts bytes into PDUs and dispatches them. The session itself handles enquire_link,
 * unbind and the responses to its own requests; all other PDUs go to its user. Called by streams
 * and by the turn's end. Edge's thread. */
#include "base/log.h"
#include "base/metrics.h"
#include "smpp/session_own.h"

enum {
    OPEN_PDU_MAX = 1024, /* before the bind a peer needs no more than a bind */
    OPEN_PDUS = 16,
};
static const uint32_t RESPONSE_BIT = 0x80000000;

static void session_on_unbind(struct session *s, const struct pdu *p)
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

/* Handles a response to our request. Other responses (§3.2 does not have them) are counted and
 * ignored. */
static void session_on_response(struct session *s, const struct pdu *p)
{
    bool session_nack = p->command == PDU_GENERIC_NACK;
    if (s->state == SESSION_UNBINDING && p->sequence == s->unbind_sequence &&
        (session_nack || p->command == PDU_UNBIND_RESP))
        session_end(s, "");
    else if (s->enquired && p->sequence == s->enquired &&
             (session_nack || p->command == PDU_ENQUIRE_LINK_RESP))
        s->enquired = 0;
    else
        metric_add(METRIC_SMPP_UNASKED, 1);
}

static void session_nack(struct session *s, uint32_t sequence, uint32_t status)
{
    session_answer(s, PDU_GENERIC_NACK, sequence, status, (struct str){0});
}

/* Handles a command that the table does not have. Its length is good, so the next PDU is found and
 * a bound peer goes on; a stranger speaks some other protocol. A response is not nacked. */
static void session_on_unknown(struct session *s, const struct pdu *p)
{
    if (p->command_id & RESPONSE_BIT)
        metric_add(METRIC_SMPP_UNASKED, 1);
    else
        session_nack(s, p->sequence, ESME_RINVCMDID);
    if (s->state == SESSION_OPEN)
        session_end(s, smpp_status_name(ESME_RINVCMDID));
}

static void session_on_pdu(struct session *s, struct str bytes)
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
        session_on_unknown(s, &p);
    } else if (pdu_is_response(p.command)) {
        session_on_response(s, &p);
    } else if (err != OK) {
        session_refuse(s, &p, status);
    } else if (p.command == PDU_ENQUIRE_LINK) {
        session_refuse(s, &p, ESME_ROK);
    } else if (p.command == PDU_UNBIND) {
        session_on_unbind(s, &p);
    } else if (s->state >= SESSION_DRAINING) {
        session_refuse(s, &p, ESME_RTHROTTLED); /* later, on another session */
    } else {
        s->c.on_request(s->c.arg, s, &p);
    }
}

/* Handles a bad length: the next PDU cannot be found, so nack and close (CONTRACT §8). */
static void session_on_bad_length(struct session *s, struct str rest)
{
    uint32_t sequence = 0;
    if (rest.n >= PDU_HEADER)
        for (size_t i = 12; i < 16; i++)
            sequence = sequence << 8 | (uint8_t)rest.p[i];
    metric_add(METRIC_SMPP_MALFORMED, 1);
    log_sparse(LOG_WARN, 10000, "smpp", "a stream that cannot be cut into PDUs is closed");
    session_nack(s, sequence, ESME_RINVCMDLEN);
    session_end(s, smpp_status_name(ESME_RINVCMDLEN));
}

static bool session_wants_more(const struct session *s)
{
    return s->state < SESSION_LEAVING && !s->paused;
}

/* Handles the whole PDUs at the front, and gives how many bytes they had. */
static size_t session_read_pdus(struct session *s, struct str bytes)
{
    size_t at = 0, size;
    while (session_wants_more(s)) {
        struct str rest = str_from(bytes, at);
        enum err err = pdu_size(rest, &size);
        if (err == ERR_AGAIN)
            break;
        if (err != OK || (s->state == SESSION_OPEN && size > OPEN_PDU_MAX)) {
            session_on_bad_length(s, rest);
            break;
        }
        if (rest.n < size)
            break;
        session_on_pdu(s, str_slice(rest, 0, size));
        at += size;
    }
    return at;
}

static void session_on_bytes(struct stream *stream, void *arg, struct str bytes)
{
    struct session *s = arg;
    if (s->state >= SESSION_LEAVING)
        return;
    if (s->in.n == 0)
        bytes = str_from(bytes, session_read_pdus(s, bytes));
    buf_put_str(&s->in, bytes);
    if (s->in.err != OK)
        session_end(s, "it sends more than we can take");
    else if (bytes.n)
        buf_cut(&s->in, session_read_pdus(s, buf_str(&s->in)));
}

void session_tell_unanswered(struct session *s, int64_t since_mono_ms)
{
    for (unsigned i = 0; i < s->n_doubt && s->all->on_unanswered; i++)
        if (i >= s->flushed || s->doubt[i].at_mono_ms >= since_mono_ms)
            s->all->on_unanswered(s->all->arg, s->c.link.n, s->doubt[i].what);
    s->n_doubt = s->flushed = 0;
}

/* Ends the session with its stream. After a reset, answers that the peer had not read are lost, and
 * those that came after it was gone. After a clean end it read all that was there; only unsent
 * answers are lost. */
static void session_on_stream_end(struct stream *stream, void *arg, enum err why)
{
    struct session *s = arg;
    stream_close(s->stream);
    s->stream = NULL;
    session_tell_unanswered(s,
                            why == ERR_CLOSED ? INT64_MAX : loop_now_ms(s->all->loop) - DOUBT_MS);
    session_end(s, s->state == SESSION_UNBINDING ? "" : err_text(why));
}

const struct stream_events session_stream_events = {NULL, session_on_bytes, session_on_stream_end};

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
        buf_cut(&s->in, session_read_pdus(s, buf_str(&s->in)));
        if (!s->paused && !session_is_closed(s))
            stream_read_pause(s->stream, false);
    } else if (s->in.n && session_wants_more(s)) { /* session_open's rest */
        buf_cut(&s->in, session_read_pdus(s, buf_str(&s->in)));
    }
}
