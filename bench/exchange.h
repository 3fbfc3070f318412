/* A carrier that calls and texts at a rate, and the agents that its calls reach: one thread, SIP
 * over UDP, and TCP where a scene says so. Each call plays its scene (scenes); the callbook has
 * its outcome. */
#pragma once
#include <stddef.h>

#include "callbook.h"
#include "texts.h"

struct exchange;

struct exchange_config {
    int agent, sip;                      /* ports: the agent's, and the daemon's on 127.0.0.1 */
    double calls_per_sec, texts_per_sec; /* texts: MESSAGEs to EXCHANGE_TEXT_NUMBER */
    struct callbook *book;
    struct texts *texts;
};
#define EXCHANGE_TEXT_NUMBER TEXT_NUMBER_PREFIX "0099"

struct exchange *exchange_start(const struct exchange_config *c); /* a failure ends the process */
/* No call begins any more; calls go on to their end. */
void exchange_quiet(struct exchange *x);
size_t exchange_calls_open(const struct exchange *x);
void exchange_stop(struct exchange *x); /* frees */
