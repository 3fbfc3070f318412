/* The files of the trace: a ring of segments in a folder of its own, written one behind the other;
 * when all are full the oldest is emptied and written anew. A position counts all bytes that the
 * ring ever had room for: it says which segment and where in it, and is gone with its segment. One
 * thread. */
#pragma once
#include "base/buf.h"
#include "trace/record.h"

struct trace_ring;

enum { TRACE_SEGMENTS = 16 };
#define TRACE_BYTES_MIN (INT64_C(1) << 20)
#define TRACE_BYTES_MAX (INT64_C(16) << 30)

/* `bytes`: of all segments, at most. Makes the folder (0700). What cannot be read, or was written
 * with another size, is emptied. ERR_IO, ERR_EXISTS: another process uses it; ret_why for people.
 */
MUST_USE enum err trace_ring_open(const char *dir, uint64_t bytes, struct trace_ring **ret,
                                  char *ret_why, size_t why_cap);
void trace_ring_close(struct trace_ring *r); /* NULL-safe */
void trace_ring_remove(const char *dir);     /* the files and the folder */

/* The segments that were there at the open, the newest first; 0: no more. */
uint64_t trace_ring_segment(const struct trace_ring *r, unsigned i);
/* Tells of each record of a segment, with its position; of the newest also learns where it ends:
 * before that nothing can be written. */
typedef void trace_ring_fn(void *arg, uint64_t position, const struct trace_record *rec);
MUST_USE enum err trace_ring_scan(struct trace_ring *r, uint64_t segment, trace_ring_fn *f,
                                  void *arg);

/* Where the next bytes go; 0: a segment has to be begun first. */
uint64_t trace_ring_at(const struct trace_ring *r);
size_t trace_ring_left(const struct trace_ring *r);     /* room in this segment */
uint64_t trace_ring_number(const struct trace_ring *r); /* of this segment */
/* Begins the next segment; positions below *ret_oldest are gone. ERR_STORE_FULL: the disk has less
 * room than the ring may take, and that is the store's; ERR_IO. */
MUST_USE enum err trace_ring_next(struct trace_ring *r, uint64_t *ret_oldest);
/* Whole records. What could not be written is written over by what comes next. */
MUST_USE enum err trace_ring_write(struct trace_ring *r, struct str bytes);

/* The head alone, unchecked but for its magic and segment. ERR_NOT_FOUND: it is gone. */
MUST_USE enum err trace_ring_head(struct trace_ring *r, uint64_t position,
                                  struct trace_record *ret);
/* Appends the whole sound record to `out` (aligned to 8 when out->n is). ERR_NOT_FOUND, ERR_IO. */
MUST_USE enum err trace_ring_read(struct trace_ring *r, uint64_t position, struct buf *out);
/* Overwrites all that it says. */
MUST_USE enum err trace_ring_blank(struct trace_ring *r, uint64_t position);
/* Sets where the same call's record before it is. */
MUST_USE enum err trace_ring_link(struct trace_ring *r, uint64_t position, uint64_t before);
