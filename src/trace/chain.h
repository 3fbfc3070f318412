/* One call's records: each names the one before it, so that they are found from the newest back.
 * The log's thread. */
#pragma once
#include "trace/index.h"
#include "trace/log.h"
#include "trace/ring.h"

/* Fills r's kept, truncated and records. `c` NULL: there is nothing of it. ERR_NOMEM, ERR_IO. */
MUST_USE enum err chain_read(struct trace_ring *ring, const struct traced_call *c,
                             struct trace_read *r);
/* Overwrites them. The first error, after having tried all that could be found. */
MUST_USE enum err chain_blank(struct trace_ring *ring, const struct traced_call *c);
