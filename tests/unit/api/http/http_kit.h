/* The HTTP server's connections in one thread: a loop whose clock stands still
 * (tests/kit/still_loop), and streams that end in the test's hands. It defines what src/net's
 * streams and listeners do. */
#pragma once
#include "api/http/peers.h"
#include "api/http/server_inside.h"
#include "base/clock.h"
#include "check.h"

struct stream { /* as the server has it, and the test */
    struct stream_events events;
    void *arg;
    struct buf heard; /* what the server wrote */
    size_t unsent;    /* what the client does not take; the test sets it */
    bool is_paused, is_shut, is_closed;
};

struct asked { /* the handler's struct around its request */
    struct http_request http;
    unsigned n; /* what the test wants to count */
};

extern struct server http_kit_server;
extern struct worker http_kit_worker;
extern unsigned http_kit_over; /* requests that are gone */

/* Starts the clock at 0. `handle` may answer at once, or the test does later. */
void http_kit_begin(http_handler *handle);
void http_kit_end(void); /* closes what is left; no connection and no request may be left behind */
struct stream *http_kit_connect(void);
void http_kit_say(struct stream *s, const char *text); /* a piece of bytes from the client */
void http_kit_take(struct stream *s);                  /* the client takes all that is unsent */
void http_kit_later(int64_t ms);                       /* and a turn of the loop */
/* What was heard since the last time, and forgets it. */
const char *http_kit_heard(struct stream *s);
bool http_kit_has(struct stream *s, const char *text);
