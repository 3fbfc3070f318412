/* Copies a call's records as they may be read: without the identity that a party withholds
 * (docs/sip.md). Pure. */
#pragma once
#include "base/buf.h"

/* `withheld`: the caller withholds its identity, and is masked too. `records` (struct trace_record
 * and bytes, one behind the other) is aligned to 8. */
MUST_USE enum err trace_hide(struct str records, bool withheld, struct buf *out);
