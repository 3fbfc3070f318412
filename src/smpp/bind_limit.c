/* bind_limit: two tables of failures, by who came and under which name. A table is an array of
 * sets; a key can only be in its set, and takes the place there that is oldest. Called by the
 * listener before and after it judges a bind. The hash is keyed: nobody chooses his set. */
#include "smpp/bind_limit.h"

#include <stdlib.h>

#include "base/crypto.h"
#include "base/id.h"

enum { SETS = 512, WAYS = 8 };

struct failures {
    uint64_t key;
    int64_t since_ms; /* the first of them; over a minute later they are forgotten */
    unsigned n;       /* 0: free */
};

struct table {
    struct failures at[SETS][WAYS];
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

static unsigned count(const struct table *t, uint64_t key, int64_t now_ms)
{
    const struct failures *set = t->at[key % SETS];
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].n && set[i].key == key && now_ms - set[i].since_ms < BIND_LIMIT_MS)
            return set[i].n;
    return 0;
}

static void add(struct table *t, uint64_t key, int64_t now_ms)
{
    struct failures *set = t->at[key % SETS], *place = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].n && set[i].key == key) {
            place = &set[i];
            break;
        }
        if (!set[i].n || (place->n && set[i].since_ms < place->since_ms))
            place = &set[i];
    }
    if (!place->n || place->key != key || now_ms - place->since_ms >= BIND_LIMIT_MS)
        *place = (struct failures){key, now_ms, 0};
    place->n++;
}

bool bind_limit_is_over(const struct bind_limit *l, const struct addr *from, struct str system_id,
                        int64_t now_ms)
{
    return count(&l->named, key_of(l, from, system_id), now_ms) >= BIND_FAILURES_MAX ||
           count(&l->address, key_of(l, from, (struct str){0}), now_ms) >=
               BIND_FAILURES_OF_ADDRESS_MAX;
}

void bind_limit_failed(struct bind_limit *l, const struct addr *from, struct str system_id,
                       int64_t now_ms)
{
    add(&l->named, key_of(l, from, system_id), now_ms);
    add(&l->address, key_of(l, from, (struct str){0}), now_ms);
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
