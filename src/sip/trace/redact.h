/* A message as it may be kept: without what proves who somebody is, without keys of media, and of
 * bodies other than SDP only how many bytes they were (docs/sip.md). Pure. */
#pragma once
#include "base/buf.h"

void trace_redact(struct str message, struct buf *out);
