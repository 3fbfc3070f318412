/* Parses the request for a simulated call or text message, without a carrier. Pure. */
#pragma once
#include "model/settings.h"

enum { SIMULATED_RING_MAX_SEC = 600, SIMULATED_DURATION_MAX_SEC = 86400 };

struct simulation {
    bool sms; /* else a call */
    char number[NUMBER_SIZE];
    char from[65]; /* E.164, `anonymous`, `unknown`; an SMS's sender may have letters */
    /* a call's */
    enum end_reason outcome; /* END_COMPLETED: it was answered */
    uint32_t ring_sec, duration_sec;
    char caller_name[129], destination[257];
    /* a message's */
    char *message;
};

/* {"kind":"call"|"sms", "number", "from", …}; `outcome` is answered (default), busy, no_answer,
 * canceled, rejected or failed. ERR_INVALID with *ret_fault. */
MUST_USE enum err simulation_parse(const struct json *doc, struct simulation **ret,
                                   struct field_error *ret_fault);
void simulation_free(struct simulation *s); /* NULL-safe */
