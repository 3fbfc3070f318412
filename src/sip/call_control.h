/* Inside the edge: what a webhook's answer means (CONTRACT §4). Pure. */
#pragma once
#include "model/forward.h"

enum control_action { CONTROL_DEFAULT, CONTROL_FORWARD, CONTROL_REJECT };
struct control {
    enum control_action action;
    struct forward *targets; /* CONTROL_FORWARD: the caller's to free */
    int sip_status;          /* CONTROL_REJECT */
};
/* Anything that is not exactly one of the three is default. */
void control_parse(int status, struct str body, struct control *ret);
