/* Parses a webhook's answer to incoming_call (CONTRACT §4), for real and simulated calls. Pure. */
#pragma once
#include "base/json.h"
#include "model/forward.h"

enum control_action { CONTROL_DEFAULT, CONTROL_FORWARD, CONTROL_REJECT };
struct control {
    enum control_action action;
    struct forward *targets; /* CONTROL_FORWARD: the caller's to free */
    int sip_status;          /* CONTROL_REJECT */
    /* CONTROL_DEFAULT that was not asked for: why the answer does not count, for people, and the
     * member that it is about, or "". Both static; why NULL: the answer counts. */
    const char *why, *field;
};
extern const char control_is_late[]; /* why, where no answer came in time */
const char *control_action_name(enum control_action a);
/* An answer that is not exactly one of the three means default, and says why. `status` 0: none. */
void control_parse(int status, struct str body, struct control *ret);
/* Writes "decision" and "decision_reason": null where the answer counts. */
void control_print(const struct control *c, struct json_writer *w);
