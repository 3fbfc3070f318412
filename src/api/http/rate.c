/* rate: keeps token buckets in a table of fixed size. Two keys may share a place there: each takes
 * it over from the other with a full bucket, so that a limit may be too generous for a moment,
 * never too strict. Each place has a mutex, held for an addition, because two requests of one key
 * may come on two threads. */
#include "api/http/rate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

enum { PLACES = 1024, BURST_SEC = 2 };

struct place {
    pthread_mutex_t lock;
    uint64_t key;
    int64_t at_us, micro_tokens; /* as of at_us; a request is a million of them */
};

struct rates {
    atomic_uint per_sec; /* set by one thread while others take */
    struct place place[PLACES];
};

enum err rates_new(unsigned per_sec, struct rates **ret)
{
    struct rates *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->per_sec = per_sec;
    for (size_t i = 0; i < PLACES; i++)
        pthread_mutex_init(&l->place[i].lock, NULL);
    *ret = l;
    return OK;
}

void rates_free(struct rates *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < PLACES; i++)
        pthread_mutex_destroy(&l->place[i].lock);
    free(l);
}

void rates_set(struct rates *l, unsigned per_sec)
{
    atomic_store(&l->per_sec, per_sec);
}

struct rate rates_take(struct rates *l, uint64_t key)
{
    unsigned per_sec = atomic_load(&l->per_sec);
    const int64_t one = 1000000, rate = per_sec, most = BURST_SEC * rate * one;
    struct rate ret = {.allowed = true, .per_sec = per_sec};
    if (!rate)
        return ret;
    struct place *p = &l->place[key % PLACES];
    pthread_mutex_lock(&p->lock);
    int64_t now = clock_mono_us(), passed = now - p->at_us;
    if (p->key != key || passed >= BURST_SEC * one) {
        p->key = key;
        p->micro_tokens = most;
    } else {
        p->micro_tokens += passed * rate;
        if (p->micro_tokens > most)
            p->micro_tokens = most;
    }
    p->at_us = now;
    ret.allowed = p->micro_tokens >= one;
    if (ret.allowed)
        p->micro_tokens -= one;
    int64_t left = p->micro_tokens;
    pthread_mutex_unlock(&p->lock);
    ret.remaining = (unsigned)(left / one);
    ret.full_in_sec = (unsigned)((most - left + rate * one - 1) / (rate * one));
    ret.retry_in_sec = ret.allowed ? 0 : 1; /* a whole second's worth comes within one */
    return ret;
}
