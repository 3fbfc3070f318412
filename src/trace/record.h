/* Defines one message of a trace: the head before its bytes, which is the same on its way from the
 * edge and on the disk. Only the machine that wrote a record reads it, so numbers are in its own
 * byte order. */
#pragma once
#include <assert.h>

#include "base/str.h"

struct trace_id { /* the 128 bits of a call's id; all 0: no call's */
    uint64_t half[2];
};
/* Parses a call's id. False: the edge makes no such id, so there is no trace. */
bool trace_id_parse(struct str call_id, struct trace_id *ret);
static inline bool trace_id_is_set(const struct trace_id *id)
{
    return (id->half[0] | id->half[1]) != 0;
}

struct trace_addr {
    uint8_t family; /* 4, 6 or 0 */
    uint8_t zero;
    uint16_t port;
    uint8_t ip[16];
};

enum {
    TRACE_MAGIC = 0x63727468, /* "htrc" */
    TRACE_MESSAGE_MAX = 8192, /* bytes of a message that are kept */
    TRACE_OMITTED = 1,        /* a flag: messages were left out here; the record holds none */
};

struct trace_record {
    uint32_t magic;
    uint32_t size;        /* head and bytes, a multiple of 8 */
    uint64_t sum;         /* of all that is behind it */
    uint64_t segment;     /* the number of the one it was written to */
    uint64_t before;      /* position of the same call's record before; 0: none */
    struct trace_id call; /* 0: it was erased */
    int64_t at_ms;        /* wall */
    uint32_t n;           /* bytes that follow, without the padding up to `size` */
    uint32_t whole;       /* bytes that the message had, when it came or left */
    struct trace_addr local, remote;
    char leg;          /* 'a', 'b' */
    uint8_t sent;      /* by us */
    uint8_t transport; /* enum sip_transport */
    uint8_t flags;
    uint32_t zero;
};
static_assert(sizeof(struct trace_record) == 112, "no holes");

enum { TRACE_RECORD_MAX = sizeof(struct trace_record) + TRACE_MESSAGE_MAX };

static inline uint32_t trace_record_size(uint32_t n)
{
    return (uint32_t)(sizeof(struct trace_record) + (n + 7) / 8 * 8);
}
/* Computes the right `sum` of a record. */
uint64_t trace_record_sum(const struct trace_record *r);
/* True for a whole record in `n` bytes that was written to that segment. */
bool trace_record_is_sound(const struct trace_record *r, size_t n, uint64_t segment);
static inline struct str trace_record_bytes(const struct trace_record *r)
{
    return (struct str){(const char *)(r + 1), r->n};
}

/* Walks the records in `bytes`, and calls back for each that is not erased (`at`: its offset).
 * Stops at the first that is not sound or not whole, and gives its offset. Pure; `bytes` is aligned
 * to 8. */
typedef void trace_record_fn(void *arg, size_t at, const struct trace_record *r);
size_t trace_walk(const char *bytes, size_t n, uint64_t segment, trace_record_fn *f, void *arg);
