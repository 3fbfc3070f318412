/* Runs simulated calls that wait for answers to their incoming_call (CONTRACT §4), like real ones:
 * asked before the commit, decided after it. On one loop; any thread may call. */
#pragma once
#include "hub/simulate.h"
#include "model/control.h"
#include "net/loop.h"

struct simulations;

struct simulations_config {
    struct loop *loop;
    struct intake *intake;
    struct askers askers; /* as the SIP edge has them; each answers by simulations_control */
};
MUST_USE enum err simulations_new(const struct simulations_config *c, struct simulations **ret);
void simulations_free(struct simulations *s); /* after loop_stop; NULL-safe */

/* Is there a webhook whose answer may decide about this call? */
bool simulation_asks(struct simulated_call *call, const struct admission *incoming);

/* Stores `incoming` (takes it), waits for the answers, and makes the call follow them. `done` comes
 * once, on the loop's thread; `call` is borrowed until then. ERR_FULL. */
typedef void simulation_done(void *arg, enum err err, const struct control *outcome);
MUST_USE enum err simulations_run(struct simulations *s, struct simulated_call *call,
                                  struct admission **incoming, simulation_done *done, void *arg);

/* Takes an answer about a call; the call of another part is passed over. Any thread. */
void simulations_control(struct simulations *s, struct str call_id, uint64_t asked, int status,
                         struct str body);
