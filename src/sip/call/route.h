/* Inside the call: the way through its number's targets, while it lasts. */
#pragma once
#include "hub/decision.h"
#include "net/resolver.h"
#include "sip/call/call.h"

struct route {
    struct call *call;
    const struct target *target; /* whose turn it is; call_leave_target ends it */
    unsigned failed;             /* targets that did not take it: ordinal of their events */
    unsigned attempts;           /* INVITEs sent: makes each Call-ID its own */
    struct lookup *lookup;
    struct resolved at;
    size_t next_address;
    bool rang;         /* a provisional answer came: no other address after that but for 503 */
    bool told_ringing; /* call_ringing of this target was told */
    bool in_row;       /* the call's row tells of the INVITE that rings */
    int64_t until_ms;  /* the target's turn lasts so long: the loop's time */
    handle client;     /* the INVITE under way */
    /* The caller's answer if nobody else takes the call: the last target's refusal with what it
     * says, as an answer to the caller's INVITE; empty when the target said nothing. */
    struct block refusal;
    int refused_with; /* the target's own status */
    char ruri[DESTINATION_MAX + NUMBER_SIZE + 16];
    char host[256];
    struct path path;
};

/* Sends to route->path; false when there is no transaction to be had. */
bool route_invite(struct call *c);
/* Ends the target's turn: the look-up, the INVITE, the early dialogs, the question to a webhook and
 * the timer that it began. Nothing of them is heard of afterwards. */
void call_leave_target(struct call *c);

/* control.c: the questions to webhooks, and the answers. */
bool call_decision_make(struct call *c);       /* once, by the call's book; false without memory */
void call_ask(struct call *c, struct str url); /* the target's turn: decision_ask */
/* The next target is due when the answer came, or after that time. */
void call_wait_for_answer(struct call *c, int64_t at_most_ms);
