/* The events that the API's benchmarks post: three of a call and a text message in turns, each told
 * by its number alone. Pure. */
#pragma once
#include <stddef.h>

#include "base/buf.h"

enum {
    TRAFFIC_TURN = 4,     /* three events of a call, one message */
    TRAFFIC_NUMBERS = 50, /* of an account: the ledger's */
    TRAFFIC_PEERS = 2000, /* who call and write */
};

unsigned traffic_number_of(size_t event);
void traffic_print_peer(size_t event, char out[24]);
void traffic_print_event(unsigned account, size_t event, struct buf *out); /* JSON */
/* [first … first + n - 1], an array; of one, the object alone. */
void traffic_print_events(unsigned account, size_t first, size_t n, struct buf *out);
/* A whole POST to `path`. `idempotency_key` 0: without. */
void traffic_print_post(const char *path, const char *key, size_t idempotency_key, struct str body,
                        struct buf *out);
