/* Parses a webhook's answer to incoming_call (CONTRACT §4), for real and simulated calls. Pure. */
#pragma once
#include "model/forward.h"

enum control_action { CONTROL_DEFAULT, CONTROL_FORWARD, CONTROL_REJECT };
struct control {
    enum control_action action;
    struct forward *targets; /* CONTROL_FORWARD: the caller's to free */
    int sip_status;          /* CONTROL_REJECT */
};
/* An answer that is not exactly one of the three means default. */
void control_parse(int status, struct str body, struct control *ret);
