/* The benchmarks' book of SIP calls: what the carrier was told about each, and which of its events
 * the receiver has got. The carrier and the receiver are two threads; what both touch is atomic.
 * Each call has a caller of its own, by whom the receiver knows it. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { CALLER_SIZE = 16, CALLBOOK_MAX = 10000000 /* callers have seven digits */ };
enum call_told { /* bits: what the carrier heard */
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
/* The carrier's thread. Telling the same again is fine. */
void callbook_tell(struct callbook *b, size_t i, enum call_told told);
/* The receiver's: a POST, head and body. */
void callbook_arrived(struct callbook *b, struct str request);
/* Calls that were taken and lack their incoming_call, call_ended or, answered, call_answered. */
size_t callbook_missing(const struct callbook *b);
/* One line: complete, or what is not. True when it is. */
bool callbook_say(const struct callbook *b);
