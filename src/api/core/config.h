/* Inside api/: the parts and settings that main gives the API. */
#pragma once
#include "hub/feed.h"
#include "hub/chores/housekeeper.h"
#include "hub/link_states.h"
#include "hub/messages.h"
#include "hub/simulations.h"
#include "trace/log.h"

struct api_config {
    const char *listen; /* "127.0.0.1:8080" */
    struct store *store;
    struct books *books;
    struct intake *intake;
    struct housekeeper *housekeeper;
    struct feed *feed;
    const struct guard *guard;
    const struct link_states *link_states;
    struct messages *messages;
    struct simulations *simulations; /* NULL: simulated calls wait for no answer */
    const char *setup_token;         /* of the setup URL; NULL: there is no setup */
    struct trace_log *trace;         /* NULL: no SIP messages of calls are kept */
    /* Prints a trace as it may be read (sip/trace/trace.h). */
    enum err (*trace_hide)(struct str records, bool withheld, struct buf *out);
    const char *sms_fields;           /* how SMS providers name fields; "": as most do */
    unsigned threads;                 /* 0: 2 */
    unsigned connections_per_address; /* 0: no limit */
    const char *trusted_proxies;      /* CIDRs; "": none */
    const char *proxy_header;         /* the header in which they give the client's address */
    unsigned token_hours;             /* how long a log-in is good; 0: 24 */
    unsigned rate_per_sec;            /* requests of one key; 0: no limit */
    bool own_numbers;                 /* an account makes and prices numbers itself */
    int64_t heartbeat_ms;             /* how often a silent stream sends a comment */
    /* Wired by main; any may be NULL. Any thread. */
    void (*nudge)(void *arg, uint64_t endpoint); /* deliver: try this endpoint now */
    enum err (*hangup)(void *arg, struct str call_id);
    intake_on_stored *on_stored; /* deliver: new deliveries of old events (resend) */
    void *arg, *on_stored_arg;
    bool (*sip_ready)(void *arg);
};
