/* Inside connection.c and answering.c: a connection and its states. Its worker's thread. */
#pragma once
#include "api/http/server_inside.h"

enum connection_state {
    STATE_HEAD,      /* of the first request: none of it may be there yet */
    STATE_IDLE,      /* between requests */
    STATE_NEXT_HEAD, /* some of the next one's head is there */
    STATE_BODY,
    STATE_IN_HAND, /* its handler has it */
    STATE_ANSWERING,
    STATE_STREAMING,
    STATE_LINGERING, /* answered and shut: what still comes is thrown away (RFC 9112 §9.6) */
    STATE_CLOSED,
};

struct connection {
    struct worker *worker;
    struct stream *stream;
    struct addr from;
    struct peer *peer; /* who is counted for it; NULL: nobody, or a proxy */
    enum connection_state state;
    struct timer timer;
    struct exchange *x;
    int64_t body_since_ms;
    struct buf behind; /* what came behind the request in hand */
    bool paused, eof;
    struct connection *next, **link;
};

/* connection.c */
void connection_enter(struct connection *c, enum connection_state state); /* and its timer */
void connection_pause(struct connection *c); /* others have their turn, then this goes on */
void connection_close(struct connection *c); /* freed at the end of the turn */
void exchange_free(struct exchange *x);

/* answering.c. Whether the exchange is another thread's from now on; false: it has spoken already.
 */
bool exchange_is_passed_on(struct exchange *x);
void connection_answer(struct connection *c);    /* x->r has the answer, or its stream */
void connection_send_rest(struct connection *c); /* of an answer that the socket did not take */
void connection_pump(struct connection *c);      /* of a stream */
