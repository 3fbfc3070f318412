/* shares: counts how much each account holds of something that all share, so that no account takes
 * it all. An account is in the table while it holds any. Connections and transactions call it when
 * one begins or ends. Edge's thread. */
#include "sip/net/shares.h"

#include <stdlib.h>

#include "base/map.h"

struct share {
    uint64_t account;
    size_t n;
};

struct shares {
    struct map *by_account;
    size_t all;
};

enum err shares_new(struct shares **ret)
{
    struct shares *s = calloc(1, sizeof *s);
    if (!s || !(s->by_account = map_new())) {
        free(s);
        return ERR_NOMEM;
    }
    *ret = s;
    return OK;
}

void shares_free(struct shares *s)
{
    struct share *one;
    if (!s)
        return;
    for (size_t i = 0; (one = map_next(s->by_account, &i));)
        free(one);
    map_free(s->by_account);
    free(s);
}

static struct share *share_of(const struct shares *s, uint64_t account)
{
    return map_get(s->by_account, str_of_u64(&account));
}

bool shares_take(struct shares *s, uint64_t account)
{
    struct share *one = share_of(s, account);
    if (!one) {
        if (!(one = calloc(1, sizeof *one)))
            return false;
        one->account = account;
        if (map_put(s->by_account, str_of_u64(&one->account), one, NULL) != OK) {
            free(one);
            return false;
        }
    }
    one->n++;
    s->all++;
    return true;
}

void shares_give(struct shares *s, uint64_t account)
{
    struct share *one = share_of(s, account);
    ASSERT(one);
    s->all--;
    if (--one->n)
        return;
    map_remove(s->by_account, str_of_u64(&one->account));
    free(one);
}

size_t shares_of(const struct shares *s, uint64_t account)
{
    const struct share *one = share_of(s, account);
    return one ? one->n : 0;
}

size_t shares_all(const struct shares *s)
{
    return s->all;
}

uint64_t shares_most(const struct shares *s, size_t *ret_n)
{
    const struct share *one, *most = NULL;
    for (size_t i = 0; (one = map_next(s->by_account, &i));)
        if (!most || one->n > most->n)
            most = one;
    *ret_n = most ? most->n : 0;
    return most ? most->account : 0;
}
