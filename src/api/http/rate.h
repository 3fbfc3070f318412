/* How many requests a second a key may make: a bucket for each key, which fills evenly and holds
 * two seconds' worth. Any thread. */
#pragma once
#include "base/str.h"

struct rates;

struct rate {
    bool allowed;
    unsigned per_sec;     /* 0: there is no limit, and the rest says nothing */
    unsigned remaining;   /* requests that would be taken right now */
    unsigned full_in_sec; /* until the bucket is full again */
    unsigned retry_in_sec;
};

MUST_USE enum err rates_new(unsigned per_sec, struct rates **ret);
void rates_free(struct rates *l); /* NULL-safe */
/* Takes one request of that key (its row's number) off its bucket. */
struct rate rates_take(struct rates *l, uint64_t key);
