/* record: reads records, and tells a whole one from one that was not written to its end. The sum
 * protects against power failures, not against a person who can write to the folder; in return it
 * is quick. Pure. */
#include "trace/record.h"

#include <string.h>

#include "base/id.h"

bool trace_id_parse(struct str call_id, struct trace_id *ret)
{
    uint8_t bits[16];
    *ret = (struct trace_id){0};
    if (id_parse("call", call_id, bits) != OK)
        return false;
    memcpy(ret, bits, sizeof *ret);
    return trace_id_is_set(ret);
}

/* Two lanes of multiply and shift over words: some 0.1 µs for a message. */
uint64_t trace_record_sum(const struct trace_record *r)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15;
    const char *p = (const char *)r + offsetof(struct trace_record, segment);
    size_t words = (r->size - offsetof(struct trace_record, segment)) / 8;
    uint64_t lane[2] = {r->size, odd};
    for (size_t i = 0; i < words; i++) {
        uint64_t w, *l = &lane[i & 1];
        memcpy(&w, p + 8 * i, sizeof w);
        *l = (*l ^ w) * odd;
        *l ^= *l >> 29;
    }
    return (lane[0] ^ (lane[1] << 1 | lane[1] >> 63)) * odd;
}

bool trace_record_is_sound(const struct trace_record *r, size_t n, uint64_t segment)
{
    return n >= sizeof *r && r->magic == TRACE_MAGIC && r->segment == segment &&
           r->n <= TRACE_MESSAGE_MAX && r->size == trace_record_size(r->n) && r->size <= n &&
           r->sum == trace_record_sum(r);
}

size_t trace_walk(const char *bytes, size_t n, uint64_t segment, trace_record_fn *f, void *arg)
{
    size_t at = 0;
    while (at < n) {
        const struct trace_record *r = (const void *)(bytes + at);
        if (!trace_record_is_sound(r, n - at, segment))
            break;
        if (trace_id_is_set(&r->call))
            f(arg, at, r);
        at += r->size;
    }
    return at;
}
