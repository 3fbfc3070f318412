/* The INVITEs of an unanswered call after a restart. Edge's thread, and before its loop starts. */
#pragma once
#include "sip/call/unanswered.h"

/* From the row. The caller's INVITE has its transaction again, and is the call's exchange: it can be
 * cancelled, refused, or repeated. The target's is cancelled in the loop's first turn. */
void call_revive(struct call *c, struct str text);
