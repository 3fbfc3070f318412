/* Runs one SMPP session over a stream, in either role: a carrier bound to us, or we to it. It cuts
 * the bytes into PDUs, answers enquire_link and unbind, sends enquire_link when the peer is silent,
 * and gives every other request to its user, which answers now or later. On the loop's thread
 * alone.
 *
 * A session is never freed inside a call of its own: it ends at the turn's end, where on_end comes.
 * Across a wait keep its handle. All PDUs of a turn leave as one write at its end. */
#pragma once
#include "base/pool.h"
#include "net/stream.h"
#include "smpp/pdu.h"

struct sessions; /* all of an edge */
struct session;

/* The states of SMPP 3.4 §2.2, and those between bound and closed. */
#define SESSION_STATE_LIST(X)                                                                      \
    X(OPEN)      /* nobody has bound; c.unbound_ms runs */                                         \
    X(BOUND_RX)  /* by bind_receiver */                                                            \
    X(BOUND_TX)  /* by bind_transmitter */                                                         \
    X(BOUND_TRX) /* by bind_transceiver */                                                         \
    X(DRAINING)  /* we want to unbind: first the answers that are due */                           \
    X(UNBINDING) /* our unbind is sent */                                                          \
    X(LEAVING)   /* they unbound: first the answers that are due */                                \
    X(LEFT)      /* unbind_resp is sent: the peer closes, or we do after a moment */               \
    X(CLOSED)    /* goes at the turn's end */
enum session_state {
#define X(id) SESSION_##id,
    SESSION_STATE_LIST(X)
#undef X
};

/* The link of a bound session. */
struct session_link {
    uint64_t n;         /* of the setting */
    unsigned window;    /* messages that may wait for their answer; beyond it nothing is read */
    int64_t enquire_ms; /* silent for so long: we ask; no answer in response_ms: it ends */
    uint64_t *received; /* counts messages that were taken; as long as the session; NULL: none */
};

struct session_config {
    bool they_bound; /* to our listener; false: we bound to the carrier */
    enum session_state state;
    struct session_link link;
    int64_t unbound_ms; /* how long it may be OPEN; its clock does not start anew */
    /* Any request but enquire_link and unbind, well-formed; p is valid during the call. */
    void (*on_request)(void *arg, struct session *s, const struct pdu *p);
    /* Once, the last, unless session_close came before. `why` for people; "" after an unbind. It
     * comes when the peer's unbind is answered, though the connection stays for a moment. */
    void (*on_end)(void *arg, const char *why);
    void *arg;
};

/* `max` sessions at once; `response_ms`: how long a peer may take to answer what we ask. */
MUST_USE enum err sessions_new(struct loop *l, size_t max, int64_t response_ms,
                               struct sessions **ret);
void sessions_free(struct sessions *all); /* NULL-safe; closes hard what is there, without on_end */
/* A message was answered OK, but by all that TCP tells the answer did not arrive. */
typedef void sessions_on_unanswered(void *arg, uint64_t link, uint64_t what);
void sessions_unanswered_to(struct sessions *all, sessions_on_unanswered *fn, void *arg);
size_t sessions_count(const struct sessions *all);

/* Takes *take (stream_take; *take = NULL). `rest`: bytes that were read off it already. ERR_FULL,
 * ERR_NOMEM: *take stays the caller's. */
MUST_USE enum err session_open(struct sessions *all, const struct session_config *c,
                               struct stream **take, struct str rest, struct session **ret);
/* Finds a session; NULL: there is none by that handle, or it is closed. */
struct session *session_at(const struct sessions *all, handle h);
handle session_handle(const struct session *s);
enum session_state session_state(const struct session *s);
bool session_is_bound(const struct session *s); /* RX, TX or TRX */
bool session_they_bound(const struct session *s);
const struct session_link *session_link(const struct session *s);
struct addr session_peer(const struct session *s);

/* Moves the session from OPEN to bound. The caller sends the answer to the bind. */
void session_bound(struct session *s, enum session_state as, const struct session_link *link);
struct session_answer {
    enum pdu_command command;
    uint32_t sequence, status;
    struct str id; /* message_id of submit_sm_resp and data_sm_resp */
};
/* Sends a response now; no effect when closed. */
void session_answer(struct session *s, enum pdu_command c, uint32_t sequence, uint32_t status,
                    struct str id);
/* Accepts that bind under that name. The optional parameter sc_interface_version goes only to a
 * peer that binds with 0x34 or above: an older one knows none (SMPP 3.4 §3.2.3). */
void session_accept_bind(struct session *s, const struct pdu *bind, struct str system_id);
/* Sends the response to that request with that status; nothing when it has no response. */
void session_refuse(struct session *s, const struct pdu *p, uint32_t status);
/* A message will be answered later: one more of the window, until it is settled. */
void session_hold(struct session *s);
/* `what`: the message by its content, for on_unanswered; 0: it will be known when it comes again.
 */
void session_settle(struct session *s, const struct session_answer *a, uint64_t what);

/* Answers the messages that wait, unbinds, and ends (on_end) within two response_ms. From OPEN:
 * ends. */
void session_unbind(struct session *s);
/* Sends all answers, and ends (on_end) with that reason, which is copied. */
void session_end(struct session *s, const char *why);
void session_close(struct session *s); /* hard, without on_end; NULL-safe */
