/* The scenes of the calls of `./dev bench soak`: a table, each scene with its share of the calls.
 * The called number says which scene it is, and so does the user part of the target. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum scene_reach { /* how the agent is reached */
                   BY_ADDRESS,
                   BY_TCP,
                   BY_SLOW_NAME, /* resolves when its turn is over; then another target, by address
                                  */
                   BY_NO_NAME,   /* never resolves */
                   BY_NOBODY,    /* a TCP port where nobody listens */
                   BY_WEBHOOK    /* a webhook is asked first that never answers */
};
enum scene_agent {
    ANSWERS,
    RINGS,        /* a CANCEL gets its 487 */
    RINGS_ON,     /* a CANCEL gets another 180, and nothing else */
    ANSWERS_LATE, /* rings; a CANCEL gets the call's 200 */
    REFUSES,      /* 486 */
    KEEPS_SILENT, /* not even 100 */
    CLOSES,       /* its connection, when the INVITE has come */
    CLOSES_LATER, /* its connection, when the call is up */
    VANISHES      /* answers; then both sides are silent, even to a BYE */
};
struct scene {
    const char *name;
    unsigned share; /* of all scenes' sum */
    enum scene_reach reach;
    enum scene_agent agent;
    int cancel_ms;            /* after so long, as the caller; 0: it waits */
    int hold_ms;              /* at most, from the answer on; 0: hangs up at once */
    const char *open_request; /* still unanswered when the BYE comes; NULL: none */
    bool agent_opens;         /* it is the agent's */
    bool agent_hangs_up;
};
enum { SCENES_MAX = 32, SCENE_NUMBERS = 8 };

size_t scenes_count(void);
const struct scene *scene_at(size_t s);
size_t scene_of_call(size_t call); /* in a fixed order without a pattern, by their shares */
void scene_print_number(size_t s, unsigned k, char out[24]);
size_t scene_of_user(struct str text); /* "sip:s07@…": 7; SIZE_MAX: it has none */
/* Makes numbers, their targets, and one endpoint of all their events; a refusal ends the process.
 * Without `names` (a name server of ours) the scenes with names call by address. */
void scenes_make(int http, const char *key, int agent, int hook, unsigned endpoint, bool names);
