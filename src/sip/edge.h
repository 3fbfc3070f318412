/* The SIP edge as main sees it: sockets, trunks, calls, on one loop. */
#pragma once
#include "sip/core/config.h"

struct sip_edge;

/* Opens the sockets and restores the open calls of the store; before loop_start. */
MUST_USE enum err sip_edge_new(const struct sip_config *c, struct sip_edge **ret, char *ret_why,
                               size_t why_cap);
/* Mail to the loop: new calls and texts get 503 with Retry-After, held ones go on, texts that wait
 * for their commit are answered; `on_idle` once none is left or after `wait_ms`. What is left then
 * is in the store, for the next start. Any thread. */
void sip_edge_drain(struct sip_edge *e, int64_t wait_ms, void (*on_idle)(void *), void *arg);
/* After loop_stop, before the trace's log is closed: what waits for it is handed over. */
void sip_edge_end_trace(struct sip_edge *e);
void sip_edge_free(struct sip_edge *e);                              /* after loop_stop */
struct addr sip_edge_local(const struct sip_edge *e, size_t listen); /* with the real port */
/* What a webhook answered to a call's incoming_call: `status` 0: nothing came. Any thread. */
void sip_edge_control(struct sip_edge *e, struct str call_id, uint64_t asked, int status,
                      struct str body);
/* Ends a call by its id from our side (BYE to both, or CANCEL); any thread. ERR_FULL. */
MUST_USE enum err sip_edge_hangup(struct sip_edge *e, struct str call_id);
