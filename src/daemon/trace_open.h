/* The trace's log as the configuration says. */
#pragma once
#include "base/config.h"
#include "store/store.h"
#include "trace/log.h"

/* *ret NULL: none is wanted (sip.trace_bytes 0, no SIP), or its files cannot be used, which is
 * logged: calls do not depend on it. ERR_INVALID: the value is not allowed; ret_why for people. */
MUST_USE enum err trace_open(const struct config *c, struct store *s, struct trace_log **ret,
                             char *ret_why, size_t why_cap);
