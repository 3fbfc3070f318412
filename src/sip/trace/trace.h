/* Gives a copy of each call's messages to the trace (trace/log.h), in batches. Edge's thread. */
#pragma once
#include "sip/net/transport.h"
#include "trace/log.h"

struct trace;

struct trace_label {      /* whose message it is */
    struct trace_id call; /* 0: no call's */
    char leg;             /* 'a', 'b' */
};

MUST_USE enum err trace_new(struct loop *l, struct transport *tp, struct trace_log *log,
                            struct trace **ret);
/* Frees it, and drops the messages of the open batch; NULL-safe. */
void trace_free(struct trace *t);
/* `sent`: by us, else received; over that path. Nothing when t is NULL or it is no call's. */
void trace_put(struct trace *t, const struct trace_label *whose, bool sent, const struct path *path,
               struct str message);
void trace_flush(struct trace *t); /* hands over what there is; NULL-safe */
