/* Defines the inside of a session. session.c has its states and its life; session_read.c reads
 * PDUs, and finds answers that may not have arrived. */
#pragma once
#include "smpp/session.h"

enum {
    DOUBT_MAX = 256,
    DOUBT_MS = 2000, /* a reset may have taken answers so young */
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
    struct session *due; /* sessions to send, to read on, or to free, at the turn's end */
    sessions_on_unanswered *on_unanswered;
    void *arg;
};

extern const struct stream_events session_stream_events;

static inline bool session_is_closed(const struct session *s)
{
    return s->state == SESSION_CLOSED;
}
void session_move(struct session *s, enum session_state to); /* the one setter */
void session_mark_due(struct session *s);
/* Reads on, since the window has room again or there are bytes from before. */
void session_read_on(struct session *s);
/* Reports that the answers since then, and those not yet given to the stream, did not arrive. */
void session_tell_unanswered(struct session *s, int64_t since_mono_ms);
