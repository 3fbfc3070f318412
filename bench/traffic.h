/* Makes the events that the API's benchmarks post: three of a call and a text message in turns.
 * The number of an event determines it. Pure. */
#pragma once
#include <stddef.h>

#include "base/buf.h"

enum {
    TRAFFIC_TURN = 4,     /* three events of a call, one message */
    TRAFFIC_NUMBERS = 50, /* of an account: the ledger's */
    TRAFFIC_PEERS = 2000, /* callers and senders */
};

unsigned traffic_number_of(size_t event);
void traffic_print_peer(size_t event, char out[24]);
void traffic_print_event(unsigned account, size_t event, struct buf *out); /* JSON */
/* Prints the events first … first + n - 1 as an array; one event as the object alone. */
void traffic_print_events(unsigned account, size_t first, size_t n, struct buf *out);
/* Prints a whole POST to `path`. `idempotency_key` 0: without. */
void traffic_print_post(const char *path, const char *key, size_t idempotency_key, struct str body,
                        struct buf *out);
