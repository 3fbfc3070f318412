/* A small SIP telephone on a UDP socket of its own: it calls and answers as a plan says. It is the
 * carrier and the agent of `hookswitch demo`. It speaks to the daemon over the wire. Thread of its
 * loop. */
#pragma once
#include "net/addr.h"
#include "net/loop.h"
#include "sip/wire/message.h"

struct phone;

struct phone_answer {        /* its plan for an incoming call */
    int64_t ring_ms;         /* 180 at once, the final answer after so long; -1: rings for ever */
    int status;              /* final answer: 200, 486, 603 … */
    int64_t hangup_after_ms; /* after the answer; -1: waits for the other side */
};
struct phone_dial { /* a call it makes */
    struct addr to; /* where the INVITE goes */
    struct str from, from_name, number;
    int64_t cancel_after_ms; /* while nobody answered; -1: waits */
    int64_t hangup_after_ms; /* after the answer; -1: waits for the other side */
};

enum phone_event { PHONE_RINGING, PHONE_ANSWERED, PHONE_REFUSED, PHONE_ENDED };

struct phone_config {
    struct addr at; /* port 0: any */
    /* The plan for a call to that user part; called for each INVITE that comes in. */
    struct phone_answer (*answer)(void *arg, struct str user);
    /* Reports a step of a dialled call; `status` of PHONE_REFUSED and PHONE_ENDED (0: hung up).
     * `dial` is the value that phone_dial returned. May be NULL. */
    void (*on_dialled)(void *arg, uint64_t dial, enum phone_event what, int status);
    void *arg;
};
enum { PHONE_CALLS_MAX = 256 };

MUST_USE enum err phone_open(struct loop *l, const struct phone_config *c, struct phone **ret);
void phone_close(struct phone *p);
struct addr phone_local(const struct phone *p);
MUST_USE enum err phone_dial(struct phone *p, const struct phone_dial *d, uint64_t *ret_dial);
size_t phone_calls(const struct phone *p); /* under way, both directions */
