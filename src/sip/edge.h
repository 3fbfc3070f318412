/* The SIP edge as main sees it: sockets, trunks, calls, on one loop. */
#pragma once
#include "hub/messages.h"
#include "net/guard.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "sip/listen.h"

struct sip_edge;
struct trace_log;

struct sip_config {
    struct loop *loop;
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct messages *messages;
    struct resolver *resolver;
    const struct guard *guard;   /* where accounts' targets may be; NULL: anywhere */
    struct trace_log *trace_log; /* NULL: no trace is kept */
    struct sip_listens listens;
    size_t max_calls;
    size_t message_max; /* bytes of a MESSAGE's body */
    int64_t t1_ms;      /* 500; T2 and T4 scale with it */
    unsigned ring_timeout_s;
    int64_t probe_ms; /* held calls silent for so long are asked with OPTIONS */
    /* Who may say where the call goes: an endpoint, by its delivery, which is not stored yet; a
     * URL, by a question. Each answers once by sip_edge_control, with the endpoint or `asked`.
     * Wired by main, may be NULL. Edge's thread. */
    enum err (*early)(void *arg, const struct event *incoming, uint64_t endpoint,
                      unsigned sequence);
    enum err (*ask)(void *arg, const struct event *incoming, struct str url, int64_t timeout_ms,
                    uint64_t asked);
    void *ask_arg;
    int64_t
        restore_grace_ms; /* how long an unanswered call from before a restart may be repeated */
};

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
