/* What of a message passes to the other leg: its headers as sip/wire/privacy.h lets them, and its
 * body. Pure. */
#pragma once
#include "sip/wire/print.h"
#include "sip/wire/privacy.h"

/* Ends the message in `b`, whose own headers are there: headers, Content-Length, body. `hidden`:
 * the sender withholds who it is; NULL: it does not. */
void relayed_put(struct buf *b, const struct sip_msg *m, const struct secrets *hidden);
/* An SDP without what it says of a person: user name, titles, mail address, telephone number. */
void sdp_put_hidden(struct buf *b, struct str sdp, const struct secrets *hidden);
