/* Writes the part of a message that passes to the other leg: the headers that sip/wire/privacy.h
 * lets through, and the body. Pure. */
#pragma once
#include "sip/wire/print.h"
#include "sip/wire/privacy.h"

/* Ends the message in `b`, which has our own headers already: relayed headers, Content-Length,
 * body. `hidden`: the sender withholds its identity; NULL: it does not. */
void relayed_put(struct buf *b, const struct sip_msg *m, const struct secrets *hidden);
/* Writes only what the sender says about an end: Reason (RFC 3326), User-to-User (RFC 7433), X-*. */
void relayed_put_parting(struct buf *b, const struct sip_msg *m, const struct secrets *hidden);
/* The session description in the message, as the other leg gets it; empty: there is none. `mem`
 * holds it when something was left out. */
struct str relayed_sdp(const struct sip_msg *m, const struct secrets *hidden, struct buf *mem);
/* Writes an SDP without the data of a person: user name, titles, mail address, telephone number. */
void sdp_put_hidden(struct buf *b, struct str sdp, const struct secrets *hidden);
