/* Limits the requests a second of each key: a key has a bucket, which fills evenly and holds two
 * seconds' worth. Any thread. */
#pragma once
#include "base/str.h"

struct rates;

struct rate {
    bool allowed;
    unsigned per_sec;     /* 0: there is no limit, and the other members mean nothing */
    unsigned remaining;   /* requests that would be allowed right now */
    unsigned full_in_sec; /* until the bucket is full again */
    unsigned retry_in_sec;
};

MUST_USE enum err rates_new(unsigned per_sec, struct rates **ret);
void rates_free(struct rates *l); /* NULL-safe */
/* From now on; a bucket that has more than fits keeps what fits. */
void rates_set(struct rates *l, unsigned per_sec);
/* Takes one request off the bucket of the key (its row's number). */
struct rate rates_take(struct rates *l, uint64_t key);
