/* Posts one event to one endpoint, to its URL and, when that cannot be reached, to its fallback. A
 * post knows neither lane nor store. An attempt owns it, or, before the event is stored, an
 * announcement (early.h). Inside deliver/. Thread of its courier. */
#pragma once
#include "deliver/courier.h"

struct post {
    struct courier *courier;
    uint64_t endpoint;
    const struct event *event; /* held; set before the start */
    unsigned attempt, sequence;
    bool tell; /* the edge waits for the answer, for control_timeout_ms at the most */
    int64_t started_wall_ms, started_us; /* as people read it, and mono for all durations */
    void (*on_done)(void *arg);          /* once, later; the owner may change until then */
    void *arg;
    bool fallback; /* this exchange goes to the second URL */
    struct http_exchange *exchange;
    /* When it is done: */
    bool done;
    bool unfit;     /* no request can be made of the event, today or later */
    bool unreached; /* no connection came about: refused, timed out, no name */
    struct outcome outcome;
    char *body; /* of the answer, as text */
    size_t body_n;
};

struct post *post_new(struct courier *c, uint64_t endpoint, unsigned sequence, unsigned attempt);
/* Starts it. On an error nothing was sent, on_done is not called, and the outcome says why. */
MUST_USE enum err post_start(struct post *p);
void post_fail(struct post *p, enum err err, const char *detail); /* done, without an exchange */
void post_free(struct post *p);                                   /* ends the exchange; NULL-safe */

/* Was nothing heard from there, so that the other URL may be tried? */
bool post_was_unreached(const struct http_result *r);
/* Gives how long the first of two URLs may take when a caller waits `control_ms` for the answer. */
int64_t post_first_of_two_ms(int64_t control_ms);
