/* What is sent and is no call's own: replies to requests, and messages outside of transactions;
 * each leaves its copy in the trace. Edge's thread. */
#pragma once
#include "sip/core/core.h"

/* Answers the packet at hand without keeping anything; the same request gets the same answer
 * (RFC 3261 §8.2.7). `reason` NULL: the status' usual one; `more_headers`: whole lines, or NULL. */
void core_reply(struct sip_core *core, const struct sip_msg *m, const struct path *to, int status,
                const char *reason, const char *more_headers);
/* The same, with a To tag of the caller's choice where the request has none. */
void core_reply_tagged(struct sip_core *core, const struct sip_msg *m, const struct path *to,
                       int status, struct str tag, const char *reason, const char *more_headers);
/* Answers the request `m` of the server transaction `t`. */
void core_reply_kept(struct sip_core *core, struct txn *t, const struct sip_msg *m, int status,
                     const char *reason, const char *more_headers);
/* The packet at hand is that leg's of the call: it and the replies to it are in the trace. */
void core_trace(struct sip_core *core, const struct trace_id *call, char leg,
                const struct path *from, struct str raw);
/* Sends what is no transaction's. */
void core_send(struct sip_core *core, const struct trace_id *call, char leg, struct path *path,
               struct str host, struct str bytes);
