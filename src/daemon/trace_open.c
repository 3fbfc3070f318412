/* trace_open: opens the trace by sip.trace_bytes and DATA_DIR/trace, and gives it the rules of SIP
 * for what may not be kept. Called by daemon at the start. */
#include "daemon/trace_open.h"

#include <stdio.h>

#include "base/log.h"
#include "sip/trace/redact.h"
#include "store/rows/calls.h"
#include "trace/ring.h"

static enum err calls_are_gone(void *store, const struct trace_id *call, size_t n, bool *ret_gone)
{
    return calls_gone(store, n, (const uint8_t *)call, ret_gone);
}

struct trace_log *trace_open(const struct config *c, struct store *s)
{
    char dir[1024], why[256];
    int64_t bytes = config_number(c, CONFIG_SIP_TRACE_BYTES);
    struct trace_log *log = NULL;
    if (!bytes || !*config_get(c, CONFIG_SIP_LISTEN))
        return NULL;
    int n = snprintf(dir, sizeof dir, "%s/trace", config_get(c, CONFIG_DATA_DIR));
    const struct trace_log_config tc = {.dir = dir,
                                        .bytes = (uint64_t)bytes,
                                        .gone = calls_are_gone,
                                        .gone_arg = s,
                                        .redact = trace_redact};
    enum err err = n < (int)sizeof dir ? trace_log_open(&tc, &log, why, sizeof why) : ERR_TOO_BIG;
    if (err != OK)
        log_warn("trace", "no SIP messages of calls are kept: %s",
                 err == ERR_TOO_BIG ? "data_dir is too long" : why);
    return log;
}
