/* Reads Server-Sent Events as a client (WHATWG HTML §9.2.6). Pure; bytes may come in any pieces. */
#pragma once
#include "base/buf.h"

enum { SSE_ID_MAX = 64, SSE_LINE_MAX = 512 * 1024 };

struct sse {
    struct buf line, data;
    char event[64], id[SSE_ID_MAX + 1];
    char last_id[SSE_ID_MAX + 1]; /* where to go on: of the last whole block */
    int64_t retry_ms;             /* as the server wishes; 0: it has not said */
    bool after_cr, started;
};

/* An event with data; slices are valid during the call. */
typedef void sse_on_event(void *arg, struct str event, struct str id, struct str data);

void sse_init(struct sse *s);
void sse_fini(struct sse *s);
void sse_restart(struct sse *s); /* a new connection: forgets the incomplete event */
/* ERR_TOO_BIG: a line or an event's data beyond SSE_LINE_MAX; ERR_NOMEM. */
MUST_USE enum err sse_feed(struct sse *s, struct str bytes, sse_on_event *on_event, void *arg);
