/* Everything the edge is told at the start. */
#pragma once
#include "hub/messages.h"
#include "net/guard.h"
#include "net/resolver.h"
#include "sip/net/listen.h"

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
