/* A call's records as they may be read: without what a party withholds (docs/sip.md). Pure. */
#pragma once
#include "base/buf.h"

/* `withheld`: the caller withholds who it is, and is left out too. `records` (struct trace_record
 * and bytes, one behind the other) is aligned to 8. */
MUST_USE enum err trace_hide(struct str records, bool withheld, struct buf *out);
