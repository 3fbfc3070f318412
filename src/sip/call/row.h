/* The text about a call's legs in its row, beside the call's events. Edge's thread. */
#pragma once
#include "sip/call/session.h"

void call_put_legs(const struct call *c, bool answered, struct buf *out);
/* The session changed: the row gets it. What cannot be written now stays in memory, and is written
 * with the next change or when the call is probed. */
void row_write_session(struct call *c);
/* The target rings: the row gets its INVITE, if it can be written now. */
void row_write_ringing(struct call *c);
/* Reads what that leg was told last; "": the row does not know. False: not now. `then` comes later,
 * once, unless the call is over. */
typedef void row_session_then(struct leg *leg, struct str sdp);
bool row_read_session(struct leg *leg, row_session_then *then);
