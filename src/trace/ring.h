/* Writes and reads the files of the trace: a ring of segments in a folder of its own, written one
 * after the other; when all are full the oldest is emptied and written anew. A position counts all
 * bytes that the ring ever had room for. It names a segment and a place in it, and ends with its
 * segment. One thread. */
#pragma once
#include "base/buf.h"
#include "trace/record.h"

struct trace_ring;

enum { TRACE_SEGMENTS = 16 };
#define TRACE_BYTES_MIN (INT64_C(1) << 20)
#define TRACE_BYTES_MAX (INT64_C(16) << 30)

/* `bytes`: of all segments, at most. Makes the folder (0700). Files that cannot be read, or that
 * have another size, are emptied. ERR_IO, ERR_EXISTS: another process uses it; ret_why for people.
 */
MUST_USE enum err trace_ring_open(const char *dir, uint64_t bytes, struct trace_ring **ret,
                                  char *ret_why, size_t why_cap);
void trace_ring_close(struct trace_ring *r); /* NULL-safe */
void trace_ring_remove(const char *dir);     /* the files and the folder */

/* Gives the i-th segment that was there at the open, the newest first; 0: no more. */
uint64_t trace_ring_segment(const struct trace_ring *r, unsigned i);
/* Calls back for each record of a segment, with its position. The scan of the newest segment also
 * finds its end; nothing can be written before that. */
typedef void trace_ring_fn(void *arg, uint64_t position, const struct trace_record *rec);
MUST_USE enum err trace_ring_scan(struct trace_ring *r, uint64_t segment, trace_ring_fn *f,
                                  void *arg);

/* Gives the position of the next bytes; 0: a segment must be begun first. */
uint64_t trace_ring_at(const struct trace_ring *r);
size_t trace_ring_left(const struct trace_ring *r);     /* room in this segment */
uint64_t trace_ring_number(const struct trace_ring *r); /* of this segment */
/* Begins the next segment; positions below *ret_oldest are gone. ERR_STORE_FULL: the disk has less
 * room than the ring may take, and the store needs that; ERR_IO. */
MUST_USE enum err trace_ring_next(struct trace_ring *r, uint64_t *ret_oldest);
/* Writes whole records. The next write overwrites bytes that a failed one left. */
MUST_USE enum err trace_ring_write(struct trace_ring *r, struct str bytes);

/* Reads the head alone, and checks only its magic and segment. ERR_NOT_FOUND: it is gone. */
MUST_USE enum err trace_ring_head(struct trace_ring *r, uint64_t position,
                                  struct trace_record *ret);
/* Appends the whole sound record to `out` (aligned to 8 when out->n is). ERR_NOT_FOUND, ERR_IO. */
MUST_USE enum err trace_ring_read(struct trace_ring *r, uint64_t position, struct buf *out);
/* Overwrites the record's content. */
MUST_USE enum err trace_ring_blank(struct trace_ring *r, uint64_t position);
/* Sets the position of the call's record before this one. */
MUST_USE enum err trace_ring_link(struct trace_ring *r, uint64_t position, uint64_t before);
