/* Fuzzes the edge with whole calls: a sequence of steps of carriers, agents, name servers,
 * webhooks, the store, the clock and a kill, on a clock that stands still (edge_sequence.h). */
#include "edge_sequence.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    edge_sequence(data, n);
    return 0;
}
