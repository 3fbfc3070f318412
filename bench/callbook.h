/* The benchmarks' book of SIP calls: the answers that the carrier heard for each, and the events
 * of it that the receiver got. Carrier and receiver are two threads; shared members are atomic.
 * Each call has a caller of its own, by whom the receiver knows it. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { CALLER_SIZE = 16, CALLBOOK_MAX = 10000000 /* callers have seven digits */ };
enum call_told { /* bits: the answers that the carrier heard */
                 TOLD_TAKEN = 1,
                 TOLD_ANSWERED = 2,
                 TOLD_REFUSED = 4, /* 404, 482, 503: no call */
                 TOLD_OVER = 8
};

struct callbook {
    size_t max;
    _Atomic size_t n; /* begun: the next one's number */
    _Atomic uint8_t *told, *seen;
    uint64_t *end; /* the receiver's: a hash of the id of the call_ended that came */
    _Atomic size_t taken, answered, refused, over;
    _Atomic size_t arrived, ended, repeated, ended_twice, strange;
};

void callbook_init(struct callbook *b, size_t max); /* no memory: ends */
void callbook_fini(struct callbook *b);
void callbook_print_caller(size_t i, char out[CALLER_SIZE]); /* "+19170000042" */
size_t callbook_call_of(struct str text);                    /* by its caller; SIZE_MAX: none */
/* The carrier's thread. The same answer may be told again. */
void callbook_tell(struct callbook *b, size_t i, enum call_told told);
/* The receiver's thread. Takes a POST, head and body. */
void callbook_arrived(struct callbook *b, struct str request);
/* Counts accepted calls without their incoming_call, call_ended or, answered, call_answered. */
size_t callbook_missing(const struct callbook *b);
/* Prints one line: complete, or the missing events. True when it is complete. */
bool callbook_say(const struct callbook *b);
