/* The text messages of `./dev bench sms` and the fate of each: the log of the carrier
 * (acknowledged) and that of the receiver (arrived) in one table, from which the figures are made.
 * Carrier and receiver are two threads; shared members are atomic. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    TEXT_DATA_MAX = 140,
    TEXT_PARTS = 2,    /* of a long one */
    TEXT_NUMBERS = 16, /* of the daemon's: the prefix, and 0000 to 0015 */
};
#define TEXT_NUMBER_PREFIX "44791100"

struct texts {
    size_t max;
    _Atomic size_t n;            /* begun: the next one's number */
    unsigned long_percent;       /* so many of a hundred are Unicode in two parts */
    _Atomic size_t acknowledged; /* messages, whole */
    uint8_t *parts_taken;
    int64_t *sent_us;           /* when its last part was due */
    _Atomic uint32_t *after_us; /* from there to its webhook, + 1; 0: not there */
    _Atomic size_t arrived, repeated, strange;
};

struct text_part {
    uint8_t esm_class, data_coding, n;
    char data[TEXT_DATA_MAX];
};

void texts_init(struct texts *t, size_t max, unsigned long_percent); /* no memory: ends */
void texts_fini(struct texts *t);

/* Pure, of message i. */
unsigned text_parts(const struct texts *t, size_t i);
void text_part_print(const struct texts *t, size_t i, unsigned part, struct text_part *ret);
void text_print_to(size_t i, char out[16]);   /* "447911000007": one of TEXT_NUMBERS */
void text_print_from(size_t i, char out[16]); /* "19170000042": its own */

/* The other side has accepted a part; with the last one the message is acknowledged. */
void texts_acknowledged(struct texts *t, size_t i);
/* Takes a request that carries a message: JSON, or a query with text=. */
void texts_arrived(struct texts *t, struct str request, int64_t now_us);
/* Counts, from `first` on, the messages that are acknowledged and have not arrived. */
size_t texts_missing(const struct texts *t, size_t first);
/* Prints whether each acknowledged message arrived once; true when none is missing or unknown. */
bool texts_say(const struct texts *t, size_t first);
size_t texts_latencies(const struct texts *t, size_t first, uint32_t **ret_sorted);
