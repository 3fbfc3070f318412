/* Inside connection.c and answering.c: holds a client's connection and its states. Its worker's
 * thread. */
#pragma once
#include "api/http/server_inside.h"

enum connection_state {
    STATE_HEAD,      /* of the first request: none of it may be there yet */
    STATE_IDLE,      /* between requests */
    STATE_NEXT_HEAD, /* some of the next request's head is there */
    STATE_BODY,
    STATE_IN_HAND, /* its handler has the request */
    STATE_ANSWERING,
    STATE_STREAMING,
    STATE_LINGERING, /* answered and shut: bytes that still come are thrown away (RFC 9112 §9.6) */
    STATE_CLOSED,
};

struct connection {
    struct worker *worker;
    struct stream *stream;
    struct addr from;
    struct peer *peer; /* the client it counts for; NULL: none, or a proxy */
    enum connection_state state;
    struct timer timer;
    struct exchange *x;
    int64_t body_since_ms;
    struct buf behind; /* bytes that came behind the request in hand */
    bool paused, eof;
    struct connection *next, **link;
};

/* connection.c */
void connection_enter(struct connection *c, enum connection_state state); /* sets its timer, too */
void connection_pause(struct connection *c); /* goes on after the others' turn */
void connection_close(struct connection *c); /* freed at the end of the turn */
void exchange_free(struct exchange *x);

/* answering.c. Does the exchange wait for another thread from now on? False: that thread has called
 * already. */
bool exchange_is_passed_on(struct exchange *x);
void connection_answer(struct connection *c);    /* sends the answer that x->r has, or its stream */
void connection_send_rest(struct connection *c); /* of an answer that the socket did not take
                                                    whole */
void connection_pump(struct connection *c);      /* sends on, of a stream */
