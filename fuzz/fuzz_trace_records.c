/* Fuzzes segments of the trace as they lie on the disk: the reader stays in its bytes, and stops
 * at a record that is not sound. The sums are set right first, so that the fuzzer gets behind
 * them. */
#include <stdlib.h>
#include <string.h>

#include "trace/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static size_t seen;

static void on_record(void *arg, size_t at, const struct trace_record *r)
{
    struct str s = trace_record_bytes(r);
    const char *end = arg;
    ASSERT(s.p + s.n <= end);
    for (size_t i = 0; i < s.n; i++)
        seen += (unsigned char)s.p[i];
    seen += at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *bytes = malloc(n ? n : 1);
    if (!bytes)
        return 0;
    memcpy(bytes, data, n);
    for (int mended = 0; mended < 2; mended++) {
        size_t end = trace_walk(bytes, n, 1, on_record, bytes + n);
        ASSERT(end <= n);
        for (size_t at = 0; at + sizeof(struct trace_record) <= n;) {
            struct trace_record *r = (struct trace_record *)(void *)(bytes + at);
            if (r->size % 8 || r->size < sizeof *r || r->size > n - at)
                break;
            r->magic = TRACE_MAGIC;
            r->segment = 1;
            r->sum = trace_record_sum(r);
            at += r->size;
        }
    }
    free(bytes);
    return 0;
}
