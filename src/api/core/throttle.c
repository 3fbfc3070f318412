/* throttle: counts attempts to log in. Entries lie in an array, found by a map; when it is full the
 * least recent of eight places, in turn, makes room. An attacker that tries many names is held back
 * by its address. There is a mutex because requests come on several threads; it is held for a few
 * look-ups. */
#include "api/core/throttle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/map.h"

enum { TRIED_PLACES = 8, KEY_SIZE = SHA256_SIZE };

struct entry {
    uint8_t key[KEY_SIZE]; /* hash of the name or address: of one length, whatever was sent */
    bool used;             /* it is in the map */
    unsigned attempts;
    int64_t last_ms, until_ms;
};

struct throttle {
    pthread_mutex_t lock;
    struct map *by_key;
    size_t next; /* the place that is tried next */
    struct entry entry[THROTTLE_ENTRIES];
};

enum err throttle_new(struct throttle **ret)
{
    struct throttle *t = calloc(1, sizeof *t);
    if (!t || !(t->by_key = map_new())) {
        free(t);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&t->lock, NULL);
    *ret = t;
    return OK;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    map_free(t->by_key);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void throttle_key(char kind, struct str text, uint8_t out[KEY_SIZE])
{
    struct buf b;
    buf_init(&b, text.n + 1);
    buf_putc(&b, kind);
    buf_put_str(&b, text);
    crypto_sha256(buf_str(&b), out);
    buf_fini(&b);
}

static struct str throttle_key_str(const uint8_t key[KEY_SIZE])
{
    return str_of_bytes(key, KEY_SIZE);
}

static struct entry *throttle_place(struct throttle *t)
{
    struct entry *oldest = NULL;
    for (int i = 0; i < TRIED_PLACES; i++) {
        struct entry *e = &t->entry[t->next];
        t->next = (t->next + 1) % THROTTLE_ENTRIES;
        if (!e->used)
            return e;
        if (!oldest || e->last_ms < oldest->last_ms)
            oldest = e;
    }
    map_remove(t->by_key, throttle_key_str(oldest->key));
    *oldest = (struct entry){0};
    return oldest;
}

/* Finds or makes an entry. NULL: out of memory, and the attempt is let through. */
static struct entry *throttle_entry(struct throttle *t, const uint8_t key[KEY_SIZE], int64_t now)
{
    struct entry *e = map_get(t->by_key, throttle_key_str(key));
    if (!e) {
        e = throttle_place(t);
        memcpy(e->key, key, KEY_SIZE);
        if (map_put(t->by_key, throttle_key_str(e->key), e, NULL) != OK)
            return NULL;
        e->used = true;
    }
    if (now - e->last_ms > THROTTLE_FORGET_S * 1000LL) {
        e->attempts = 0;
        e->until_ms = 0;
    }
    return e;
}

static void entry_count_attempt(struct entry *e, int64_t now, unsigned free, unsigned wait_max_s)
{
    e->attempts++;
    e->last_ms = now;
    if (e->attempts <= free)
        return;
    unsigned doublings = e->attempts - free - 1;
    int64_t wait_s = doublings < 16 ? 1LL << doublings : wait_max_s;
    e->until_ms = now + (wait_s < wait_max_s ? wait_s : wait_max_s) * 1000;
}

bool throttle_begin(struct throttle *t, struct str name, struct str address, unsigned *ret_wait_s)
{
    uint8_t name_key[KEY_SIZE], address_key[KEY_SIZE];
    int64_t now = clock_mono_ms(), until = 0;
    throttle_key('n', name, name_key);
    throttle_key('a', address, address_key);
    pthread_mutex_lock(&t->lock);
    struct entry *by_name = throttle_entry(t, name_key, now),
                 *by_address = throttle_entry(t, address_key, now);
    if (by_name)
        until = by_name->until_ms;
    if (by_address && by_address->until_ms > until)
        until = by_address->until_ms;
    bool may = until <= now;
    if (may && by_name)
        entry_count_attempt(by_name, now, THROTTLE_NAME_FREE, THROTTLE_NAME_WAIT_S);
    if (may && by_address)
        entry_count_attempt(by_address, now, THROTTLE_ADDRESS_FREE, THROTTLE_ADDRESS_WAIT_S);
    pthread_mutex_unlock(&t->lock);
    *ret_wait_s = may ? 0 : (unsigned)((until - now + 999) / 1000);
    return may;
}

void throttle_forgive(struct throttle *t, struct str name, struct str address)
{
    uint8_t key[KEY_SIZE];
    pthread_mutex_lock(&t->lock);
    throttle_key('n', name, key);
    struct entry *e = map_remove(t->by_key, throttle_key_str(key));
    if (e)
        *e = (struct entry){0};
    throttle_key('a', address, key);
    if ((e = map_get(t->by_key, throttle_key_str(key))) && e->attempts > 1) {
        e->attempts--;
        e->until_ms = 0;
    }
    pthread_mutex_unlock(&t->lock);
}
