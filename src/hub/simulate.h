/* Calls that no carrier made, through the real path: the same events, rows, sequences, deliveries.
 */
#pragma once
#include "hub/intake.h"
#include "model/simulation.h"

enum { SIMULATED_EVENTS_MAX = 3 };

/* The events of a call that ends now, in order, ready for intake_submit_all; its row goes with
 * each. All are marked `simulated`. */
MUST_USE enum err simulate_call(struct intake *in, const struct book *book, uint64_t account,
                                const struct simulation *s, int64_t now_ms,
                                char ret_call_id[ID_SIZE], struct taking *ret[SIMULATED_EVENTS_MAX],
                                size_t *ret_n);
