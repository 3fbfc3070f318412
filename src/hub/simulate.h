/* Simulates calls that no carrier made, through the real path: the same events, rows, sequences,
 * deliveries. A call is told at once, or in two parts when an answer to incoming_call decides in
 * between. */
#pragma once
#include "hub/decision.h"
#include "hub/intake.h"
#include "model/simulation.h"

enum { SIMULATED_EVENTS_MAX = 3 };

struct simulated_call;

/* Makes a call that ends now, and began as long ago as it should ring and last. `in`, `book` and
 * `s` are borrowed until simulated_free. */
MUST_USE enum err simulated_new(struct intake *in, const struct book *book, uint64_t account,
                                const struct simulation *s, int64_t now_ms,
                                struct simulated_call **ret);
void simulated_free(struct simulated_call *c); /* NULL-safe */
struct str simulated_id(const struct simulated_call *c);
struct decision *simulated_decision(struct simulated_call *c);
/* Goes on with the decision, between begin and end. 0: it is made, and the call follows it: put
 * through to the target that a real one would be (the request's own destination comes before the
 * number's, not before an answer's), or ended as a real one would end; a call to a number without
 * targets follows the request. Otherwise the longest time to wait for an answer; then, or with the
 * answer, it is called again. `incoming`: the event that questions carry. */
int64_t simulated_decide(struct simulated_call *c, const struct askers *by,
                         const struct event *incoming, int64_t now_ms);
/* Make incoming_call, then the other events: in order, ready for intake_batch; the call's row goes
 * with each. All are marked `simulated`. */
MUST_USE enum err simulated_begin(struct simulated_call *c, struct admission **ret);
MUST_USE enum err simulated_end(struct simulated_call *c,
                                struct admission *ret[SIMULATED_EVENTS_MAX - 1], size_t *ret_n);
