/* Fills a store through the API itself, as it is after a while: events of five accounts (one has
 * nine tenths of them, three have the rest, one none), deliveries in every state, calls. */
#pragma once
#include "base/id.h"
#include "ledger.h"
#include "tenants.h"

enum {
    FILL_BIG,   /* accounts */
    FILL_SMALL, /* and two more */
    FILL_EMPTY = 4,
    FILL_ACCOUNTS,
    FILL_BATCH = 100,
    FILL_CALLS_MAX = 10000,
};

struct fill {
    int http, hook, pid;
    size_t n;       /* events that were posted, numbers 0 to n - 1 */
    size_t n_calls; /* simulated ones: those that /v1/calls has */
    struct ledger ledger;
    struct tenants tenants;
    char taker[ENDPOINT_ID_SIZE], idle[ENDPOINT_ID_SIZE]; /* of FILL_BIG: takes all; got nothing */
    char call_id[FILL_CALLS_MAX][ID_SIZE];
    char deep[64];      /* a cursor in the middle of FILL_BIG's events */
    int64_t at_ms[101]; /* wall time when so many of a hundred were in */
};

/* Prints the result; a failure ends the process. `events` in all. */
void fill_make(struct fill *f, size_t events);
unsigned fill_account_of(size_t event);
