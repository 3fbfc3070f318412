/* Knows which calls the trace has, and where the newest record of each is. It is in memory, and
 * made anew from the records at each start. It counts what a call may still write, so that one
 * endless call does not push out all others. One thread. */
#pragma once
#include "base/map.h"
#include "trace/record.h"

/* The messages and bytes that a call may write at once, and how much of that comes back each
 * TRACE_REFILL_MS. */
enum {
    TRACE_CALL_MESSAGES = 500,
    TRACE_CALL_BYTES = 256 * 1024,
    TRACE_REFILL_MS = 10000,
    TRACE_REFILL_BYTES = 1024,   /* and one message */
    TRACE_FORGOTTEN_MS = 120000, /* for so long an erased call writes nothing */
};

struct trace_entry {
    struct trace_id id;
    uint64_t last;   /* position of its newest record; 0: none */
    uint64_t first;  /* its first record of this run, while older ones may still be found; else 0 */
    uint64_t linked; /* the segment in which older records were found; 0: none */
    int32_t messages, bytes;                 /* left to write */
    int64_t refilled_at_ms, forgotten_at_ms; /* mono; forgotten 0: it is not */
    bool omits;                              /* messages are being left out */
    bool found;                              /* it was there at the start */
    bool live;                               /* it wrote something since then */
};

struct trace_index;

struct trace_index *trace_index_new(void); /* NULL: no memory */
void trace_index_free(struct trace_index *ix);
struct trace_entry *trace_index_get(const struct trace_index *ix, const struct trace_id *id);
/* Gives the call's entry, and makes it when there is none. NULL: no memory. */
struct trace_entry *trace_index_make(struct trace_index *ix, const struct trace_id *id,
                                     int64_t now_ms);
/* Tells whether the call may write a message of so many bytes; if so, counts it. */
bool trace_entry_admits(struct trace_entry *c, size_t bytes, int64_t now_ms);
/* Drops all entries whose newest record is gone. */
void trace_index_evict(struct trace_index *ix, uint64_t oldest, int64_t now_ms);
/* Forgets an erased call: it has no records, and writes nothing for a while. */
void trace_index_forget(struct trace_index *ix, struct trace_entry *c, int64_t now_ms);
void trace_index_remove(struct trace_index *ix, struct trace_entry *c);
/* for (size_t i = 0; (c = trace_index_next(ix, &i));): no entry may be made meanwhile. */
struct trace_entry *trace_index_next(const struct trace_index *ix, size_t *i);
size_t trace_index_count(const struct trace_index *ix);
