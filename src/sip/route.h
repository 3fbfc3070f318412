/* Inside the call: the way through its number's targets, while it lasts. */
#pragma once
#include "net/resolver.h"
#include "sip/call.h"

enum { ROUTE_DEPTH_MAX = 8, ASKED_MAX = 4 };

struct route {
    struct call *call;
    /* Where we are: in the number's targets, or deeper, in those of an access_number. */
    size_t depth;
    struct {
        const struct forward *forward;    /* of the book the call holds, or `own` */
        const struct book_number *number; /* NULL: an answer's */
        size_t next;                      /* target to look at next */
    } level[ROUTE_DEPTH_MAX];
    struct forward *own;         /* what a webhook answered */
    unsigned asked;              /* webhooks */
    const struct target *target; /* under way */
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
