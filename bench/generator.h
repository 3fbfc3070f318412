/* The generator posts events by POST /v1/events over a few keep-alive connections, as a PBX sends
 * them. In a closed loop it goes as fast as it can, with a bound on undelivered events; in an open
 * loop at a fixed rate, whether or not the daemon keeps up. Runs in the caller's thread. */
#pragma once
#include <stdint.h>

#include "ledger.h"
#include "tenants.h"

struct load {
    const struct tenants *tenants;
    struct ledger *ledger;
    unsigned connections;   /* of each account */
    unsigned group;         /* calls that begin in one request; it has 3 events of each */
    double events_per_sec;  /* 0: closed loop */
    size_t undelivered_max; /* closed loop: deliveries under way at most; 0: no bound */
    int64_t run_us;         /* how long; 0: until `calls` */
    size_t calls;           /* how many at most; 0: no bound */
};
struct load_result {
    size_t events;       /* accepted: the daemon said 202 */
    size_t refused;      /* 503 and 507, which were sent again */
    size_t late;         /* open loop: requests that found no connection free when due */
    uint32_t *answer_us; /* sorted: from due to the 202; the caller frees */
    size_t n_answers;
    double cpu_us; /* the generator's own */
    int64_t took_us;
};
/* Returns when every call that was begun has its three events accepted. */
void load_run(const struct load *c, struct load_result *ret);
