/* What a trace keeps of a message: whatever the bytes, it ends, in about as many. */
#include "sip/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b;
    buf_init(&b, 16 * n + 4096);
    trace_redact(str_of_bytes(data, n), &b);
    ASSERT(b.err == OK);
    buf_fini(&b);
    return 0;
}
