/* The INVITEs of an unanswered call in its row. Edge's thread.
 *
 * "unanswered TOKEN-OF-LEG-B", then "caller TRANSPORT OWN PEER" and the Vias of its INVITE, up to an
 * empty line; then, when the target rings, "target TRANSPORT OWN PEER HOST" and the parts of that
 * INVITE, a line each. */
#pragma once
#include "sip/call/call.h"

enum invite_part { /* what a CANCEL repeats; its CSeq is 1 */
                   INVITE_URI,
                   INVITE_VIA,
                   INVITE_FROM,
                   INVITE_TO,
                   INVITE_CALL_ID,
                   INVITE_PARTS
};

/* Leaves out whatever does not fit. */
void unanswered_print(const struct call *c, struct buf *out);

struct unanswered {
    struct str token;                /* of leg b; empty: the text is of an earlier version */
    struct path from;                /* of the caller's INVITE */
    struct str vias;                 /* its Vias, a line each; empty: it cannot be answered */
    struct path to;                  /* of the target's INVITE */
    struct str host;                 /* the name that TLS verifies there */
    struct str invite[INVITE_PARTS]; /* [INVITE_URI] empty: it is not known, or cannot be reached */
};
void unanswered_parse(struct str text, struct transport *t, struct unanswered *ret);
