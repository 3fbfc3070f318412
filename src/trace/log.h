/* Keeps the trace: the SIP messages of calls, for a while, in files of their own beside the store
 * (docs/decisions/trace.md). It promises no durability and costs calls next to nothing: the edge
 * gives batches to one thread, and batches that it cannot take are dropped and counted. The same
 * thread reads the trace, and forgets erased calls. */
#pragma once
#include "base/buf.h"
#include "base/mailbox.h"
#include "trace/record.h"

struct trace_log;

struct trace_log_config {
    const char *dir;
    uint64_t bytes; /* TRACE_BYTES_MIN … TRACE_BYTES_MAX (trace/ring.h) */
    /* Tells for each of the n calls whether the store no longer has it. The log calls it after the
     * start, for the calls in its files, a few at a time; NULL: it is not called. It may block. The
     * log's thread. */
    enum err (*gone)(void *arg, const struct trace_id *call, size_t n, bool *ret_gone);
    void *gone_arg;
    /* Writes a message without its secrets. Main sets it, since only the edge knows SIP; NULL:
     * messages are kept as they are. The log's thread. */
    void (*redact)(struct str message, struct buf *out);
};
/* Opens the files and starts the thread, which reads them in the background. ret_why for people. */
MUST_USE enum err trace_log_open(const struct trace_log_config *c, struct trace_log **ret,
                                 char *ret_why, size_t why_cap);
void trace_log_close(struct trace_log *l); /* writes all batches; before store_close; NULL-safe */

/* Records on their way: each a head with magic, call, at, n, whole, addresses, leg and so on filled
 * in, and n bytes behind it, filled up to trace_record_size(n). */
enum { TRACE_BATCH_BYTES = 64 * 1024, TRACE_BATCHES_MAX = 256 };
struct trace_batch {
    struct mail mail; /* first */
    struct trace_log *log;
    uint32_t n, count; /* bytes, records */
    _Alignas(8) char bytes[TRACE_BATCH_BYTES];
};
/* Takes the batch (from malloc), or drops it and counts its records. Any thread. */
void trace_log_put(struct trace_log *l, struct trace_batch **batch);

enum { TRACE_READ_MESSAGES = 1000, TRACE_READ_BYTES = 1 << 20 };
struct trace_read {   /* embedded in the caller's own struct */
    struct mail mail; /* first */
    struct trace_log *log;
    struct trace_read *next; /* while it waits for the index */
    struct trace_id call;
    struct mailbox *home;
    void (*done)(struct trace_read *r); /* on the thread that empties `home`, exactly once */
    /* Out: */
    enum err err;       /* OK, ERR_NOMEM, ERR_IO */
    bool kept;          /* the trace has records of the call */
    bool truncated;     /* some are missing: the oldest, or those beyond a limit */
    struct buf records; /* struct trace_record and its bytes, oldest first; freed by the reader */
};
/* Reads the newest TRACE_READ_MESSAGES at most. ERR_FULL: not taken. Any thread. */
MUST_USE enum err trace_log_read(struct trace_log *l, struct trace_read *r);

/* Overwrites the records of calls that were deleted from the store. Any thread. */
void trace_log_forget(struct trace_log *l, const struct trace_id *call, size_t n);
