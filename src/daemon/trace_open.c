/* trace_open: sip.trace_bytes, DATA_DIR/trace, and SIP's own knowledge of what may not be kept.
 * Called by daemon at the start. */
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

enum err trace_open(const struct config *c, struct store *s, struct trace_log **ret, char *why,
                    size_t cap)
{
    char dir[1024];
    int64_t bytes;
    *ret = NULL;
    if (config_int(c, CONFIG_SIP_TRACE_BYTES, 0, TRACE_BYTES_MAX, &bytes) != OK ||
        (bytes && bytes < TRACE_BYTES_MIN)) {
        snprintf(why, cap, "sip.trace_bytes: 0, or a whole number from %lld to %lld is needed",
                 (long long)TRACE_BYTES_MIN, (long long)TRACE_BYTES_MAX);
        return ERR_INVALID;
    }
    if (!bytes || !*config_get(c, CONFIG_SIP_LISTEN))
        return OK;
    int n = snprintf(dir, sizeof dir, "%s/trace", config_get(c, CONFIG_DATA_DIR));
    const struct trace_log_config tc = {.dir = dir,
                                        .bytes = (uint64_t)bytes,
                                        .gone = calls_are_gone,
                                        .gone_arg = s,
                                        .redact = trace_redact};
    enum err err = n < (int)sizeof dir ? trace_log_open(&tc, ret, why, cap) : ERR_TOO_BIG;
    if (err != OK)
        log_warn("trace", "no SIP messages of calls are kept: %s",
                 err == ERR_TOO_BIG ? "data_dir is too long" : why);
    return OK;
}
