/* A carrier's SMSC as generator of load. It writes SMPP byte by byte without the daemon's codec,
 * so that the two check each other. It listens for binds (a client link of ours, Kannel's
 * bearerbox) or binds to a listener. Once bound it sends messages with a window, at a rate or as
 * fast as the window allows. Runs in the caller's thread; a failure ends the process with a
 * message. */
#pragma once
#include "texts.h"

struct smsc;

struct smsc_config {
    int port; /* on 127.0.0.1 */
    bool connects;
    const char *system_id, *password; /* connects: what it binds with */
};
struct smsc *smsc_open(const struct smsc_config *c);
/* Waits until so many sessions are bound (it connects: it opens them); ends the process after a
 * while. */
void smsc_wait_bound(struct smsc *s, unsigned sessions);
/* Answers requests that came; waits for a bounded time. To be called in every wait between loads.
 */
void smsc_turn(struct smsc *s, int64_t wait_us);
void smsc_close(struct smsc *s);

struct smsc_load {
    struct texts *texts;
    unsigned window;        /* unanswered at most, in a session */
    bool submit;            /* submit_sm instead of deliver_sm */
    double per_sec;         /* messages; 0: as fast as the window allows */
    size_t undelivered_max; /* acknowledged and not arrived, at the most; 0: no bound */
    int64_t run_us;
};
enum { SMSC_STATUSES = 8 };
struct smsc_result {
    size_t sent;    /* PDUs that were taken */
    size_t refused; /* answered with an error that means later, and sent again */
    size_t late;    /* at a rate: messages that found no window free when due */
    struct {
        uint32_t status;
        size_t n;
    } status[SMSC_STATUSES]; /* the answers, in the order in which they first came */
    uint32_t *answer_us;     /* sorted: from due to the response; the caller frees */
    size_t n_answers;
    double cpu_us; /* this thread's own */
    int64_t took_us;
};
/* Returns when every message that was begun is answered. */
void smsc_run(struct smsc *s, const struct smsc_load *load, struct smsc_result *ret);
