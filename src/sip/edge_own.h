/* Inside the edge: its parts, for edge.c and the tests. */
#pragma once
#include "sip/call/calls.h"
#include "sip/core/core.h"
#include "sip/edge.h"
#include "sip/text/text_in.h"

struct sip_edge {
    struct sip_core core;
    struct calls calls;
    struct texts texts;
    void (*on_idle)(void *arg); /* of a drain; NULL: none is under way */
    void *on_idle_arg;
    struct timer drain;
};
