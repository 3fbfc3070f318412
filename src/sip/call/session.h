/* The session description (SDP) that each leg of a call was told last. The probe repeats it in a
 * re-INVITE. Edge's thread. */
#pragma once
#include "sip/call/call.h"

/* The other leg accepted an offer of `asker`: `offer` and `answer` as they came. Without a body in
 * the offer the ACK will have the answer to what `answer` offers: session_accept_late. */
void session_accept(struct leg *asker, const struct sip_msg *offer, const struct sip_msg *answer);
/* `offer`: the 2xx as it was sent to the asker. */
void session_accept_late(struct leg *asker, struct str offer, const struct sip_msg *ack);

/* It is in memory until the row has it; `with` carries it there. */
bool session_is_new(const struct call *c); /* nothing carries it yet */
void session_hand_in(struct call *c, const void *with);
void session_stored(struct call *c, const void *with);
void session_not_stored(struct call *c, const void *with);
bool session_at_hand(const struct leg *leg, struct str *ret); /* "": it is not known */

/* For the row: "session EXPIRES BYTES_A BYTES_B", then the bytes. Left out when it does not fit. */
void session_print(const struct call *c, struct buf *out);
/* Without such a text everything is empty. */
struct session_text {
    uint16_t expires_s;
    struct str sdp[2]; /* leg a's, leg b's */
};
void session_parse(struct str text, struct session_text *ret);
