/* Opens the trace's log as the configuration says. */
#pragma once
#include "daemon/config.h"
#include "store/store.h"
#include "trace/log.h"

/* NULL: there is none (sip.trace_bytes 0, no SIP), or its files cannot be used, which is logged;
 * calls do not depend on it. */
struct trace_log *trace_open(const struct config *c, struct store *s);
