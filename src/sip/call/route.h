/* Inside the call: the way through its number's targets, while it lasts. */
#pragma once
#include "hub/target_walk.h"
#include "net/resolver.h"
#include "sip/call/call.h"

enum { ASKED_MAX = 4 /* webhooks that are targets of one call */ };

struct route {
    struct call *call;
    struct target_walk walk;     /* in the book that the call holds, and `own` */
    struct forward *own;         /* what a webhook answered */
    unsigned asked;              /* webhooks */
    const struct target *target; /* whose turn it is; call_leave_target ends it */
    unsigned failed;             /* targets that did not take it: ordinal of their events */
    unsigned attempts;           /* INVITEs sent: makes each Call-ID its own */
    int last_status;             /* of the target before; 0: none yet */
    struct lookup *lookup;
    struct resolved at;
    size_t next_address;
    bool rang;     /* a provisional answer came: no other address after that */
    handle client; /* the INVITE under way */
    char ruri[DESTINATION_MAX + NUMBER_SIZE + 16];
    char host[256];
    struct path path;
};

/* Sends to route->path; false when there is no transaction to be had. */
bool route_invite(struct call *c);
/* Ends the target's turn: the look-up, the INVITE, the early dialogs, the question to a webhook and
 * the timer that it began. Nothing of them is heard of afterwards. */
void call_leave_target(struct call *c);
