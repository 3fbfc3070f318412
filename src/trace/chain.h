/* Reads one call's records. Each names the one before it, so that they are found from the newest
 * back. The log's thread. */
#pragma once
#include "trace/index.h"
#include "trace/log.h"
#include "trace/ring.h"

/* Fills r's kept, truncated and records. `c` NULL: the trace has nothing of the call. ERR_NOMEM,
 * ERR_IO. */
MUST_USE enum err chain_read(struct trace_ring *ring, const struct trace_entry *c,
                             struct trace_read *r);
/* Overwrites the call's records. It tries all that it finds, and returns the first error. */
MUST_USE enum err chain_blank(struct trace_ring *ring, const struct trace_entry *c);
