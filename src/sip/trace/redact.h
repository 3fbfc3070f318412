/* Copies a message as it may be kept: without credentials and media keys, and with only the size of
 * bodies other than SDP (docs/sip.md). Pure. */
#pragma once
#include "base/buf.h"

void trace_redact(struct str message, struct buf *out);
