/* Calls that no carrier made, through the real path: the same events, rows, sequences, deliveries.
 * Told at once, or in two parts, where an answer to incoming_call decides in between. */
#pragma once
#include "hub/intake.h"
#include "model/simulation.h"

enum { SIMULATED_EVENTS_MAX = 3 };

struct simulated_call;

/* A call that ends now, and began as long ago as it was to ring and to last. `in`, `book` and `s`
 * are borrowed until simulated_free. */
MUST_USE enum err simulated_new(struct intake *in, const struct book *book, uint64_t account,
                                const struct simulation *s, int64_t now_ms,
                                struct simulated_call **ret);
void simulated_free(struct simulated_call *c); /* NULL-safe */
struct str simulated_id(const struct simulated_call *c);
/* The answer to incoming_call: where the call goes, looking at no more targets in all than a real
 * call does (ERR_INVALID: such a destination is too long), or that it is refused. Between begin and
 * end. */
MUST_USE enum err simulated_follow(struct simulated_call *c, const struct forward *f);
void simulated_reject(struct simulated_call *c, int sip_status);
/* incoming_call, then the rest: in order, ready for intake_submit_all; the call's row goes with
 * each. All are marked `simulated`. */
MUST_USE enum err simulated_begin(struct simulated_call *c, struct taking **ret);
MUST_USE enum err simulated_end(struct simulated_call *c,
                                struct taking *ret[SIMULATED_EVENTS_MAX - 1], size_t *ret_n);
