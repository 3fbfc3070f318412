/* Fuzzes the redaction of a message for the trace and for its reader: with any bytes it ends, in
 * about as many. */
#include <string.h>

#include "sip/trace/hide.h"
#include "trace/record.h"
#include "sip/trace/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void message_put(struct buf *records, char leg, bool sent, const uint8_t *data, size_t n)
{
    struct trace_record r = {.magic = TRACE_MAGIC, .leg = leg, .sent = sent};
    r.n = (uint32_t)(n < TRACE_MESSAGE_MAX ? n : TRACE_MESSAGE_MAX);
    r.whole = r.n;
    r.size = trace_record_size(r.n);
    buf_put(records, &r, sizeof r);
    buf_put(records, data, r.n);
    while (records->n % 8)
        buf_putc(records, '\0');
}

static size_t text_count(struct str records)
{
    size_t i = 0;
    for (size_t at = 0; at < records.n; i++)
        at += ((const struct trace_record *)(const void *)(records.p + at))->size;
    return i;
}

/* Reads the same bytes as a message of each leg, in each direction. */
static void message_hide(const uint8_t *data, size_t n)
{
    struct buf records, shown;
    buf_init(&records, 5 * (TRACE_RECORD_MAX + 8));
    buf_init(&shown, 64 * TRACE_RECORD_MAX);
    for (unsigned i = 0; i < 4; i++)
        message_put(&records, i & 1 ? 'b' : 'a', i & 2, data, n);
    for (int withheld = 0; withheld < 2; withheld++) {
        buf_reset(&shown);
        enum err err = trace_hide(buf_str(&records), withheld, &shown);
        ASSERT(err == OK && text_count(buf_str(&shown)) == 4);
    }
    buf_fini(&records);
    buf_fini(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct buf b;
    message_hide(data, n);
    buf_init(&b, 16 * n + 4096);
    trace_redact(str_of_bytes(data, n), &b);
    ASSERT(b.err == OK);
    buf_fini(&b);
    return 0;
}
