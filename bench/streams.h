/* Reads event streams (Server-Sent Events over HTTP/1.1, chunked): so many connections in one
 * thread of their own. Each event is noted in the ledger when its line was read. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "ledger.h"
#include "tenants.h"

struct streams;

/* Opens a stream for each endpoint of the ledger, with its account's key: of all the account's
 * events, or, where the ledger says so, of one number's. Each has its head when this returns. A
 * failure ends the process. */
struct streams *streams_open(const struct tenants *t, struct ledger *l);
void streams_close(struct streams *s);
double streams_cpu_us(const struct streams *s);       /* of their thread, as of its last turn */
size_t streams_out_of_order(const struct streams *s); /* rows that came after a later one */
