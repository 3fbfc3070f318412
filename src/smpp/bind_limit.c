/* bind_limit: counts failed binds in two tables, one by address and system_id, one by address
 * alone. A table is an array of sets; a key can only be in its set, and replaces the oldest entry
 * there. The listener calls it before and after it judges a bind. The hash is keyed, so that nobody
 * can choose a set. */
#include "smpp/bind_limit.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/id.h"

enum { SETS = 512, WAYS = 8 };

struct bind_failures {
    uint64_t key;
    int64_t since_ms; /* time of the first one; forgotten after a minute */
    unsigned n;       /* 0: free */
};

struct table {
    struct bind_failures at[SETS][WAYS];
};

struct bind_limit {
    uint8_t key[16];
    struct table named, address;
};

static uint64_t key_of(const struct bind_limit *l, const struct addr *from, struct str system_id)
{
    char mem[64];
    struct buf b;
    buf_wrap(&b, mem, sizeof mem);
    buf_putc(&b, (char)from->family);
    buf_put(&b, from->ip, from->family == 4 ? 4 : 16);
    buf_put_str(&b, str_slice(system_id, 0, 16));
    return hash_keyed(buf_str(&b), l->key);
}

static unsigned failures_count(const struct table *t, uint64_t key, int64_t now_ms)
{
    const struct bind_failures *set = t->at[key % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].n && set[i].key == key && now_ms - set[i].since_ms < BIND_LIMIT_MS)
            return set[i].n;
    return 0;
}

static void failure_add(struct table *t, uint64_t key, int64_t now_ms)
{
    struct bind_failures *set = t->at[key % SETS], *place = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].n && set[i].key == key) {
            place = &set[i];
            break;
        }
        if (!set[i].n || (place->n && set[i].since_ms < place->since_ms))
            place = &set[i];
    }
    if (!place->n || place->key != key || now_ms - place->since_ms >= BIND_LIMIT_MS)
        *place = (struct bind_failures){key, now_ms, 0};
    place->n++;
}

bool bind_limit_is_over(const struct bind_limit *l, const struct addr *from, struct str system_id,
                        int64_t now_ms)
{
    return failures_count(&l->named, key_of(l, from, system_id), now_ms) >= BIND_FAILURES_MAX ||
           failures_count(&l->address, key_of(l, from, (struct str){0}), now_ms) >=
               BIND_FAILURES_OF_ADDRESS_MAX;
}

void bind_limit_failed(struct bind_limit *l, const struct addr *from, struct str system_id,
                       int64_t now_ms)
{
    failure_add(&l->named, key_of(l, from, system_id), now_ms);
    failure_add(&l->address, key_of(l, from, (struct str){0}), now_ms);
}

enum err bind_limit_new(struct bind_limit **ret)
{
    struct bind_limit *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    crypto_random(l->key, sizeof l->key);
    *ret = l;
    return OK;
}

void bind_limit_free(struct bind_limit *l)
{
    free(l);
}
