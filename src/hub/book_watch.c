/* book_watch: keeps an index from a number to its endpoints, so that an event costs the same
 * whether an account has ten numbers or a million. The book's one writer fills and changes it. */
#include "hub/book_watch.h"

#include <stdlib.h>
#include <string.h>

static struct str watch_key_of(const void *v)
{
    return str_of_bytes((const char *)&((const struct watch *)v)->key, sizeof(struct watch_key));
}

static void watch_hold(void *v)
{
    atomic_fetch_add_explicit(&((struct watch *)v)->refs, 1, memory_order_relaxed);
}

static void watch_drop(void *v)
{
    struct watch *w = v;
    if (atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < w->n; i++)
        entry_drop(w->endpoint[i]);
    free(w);
}

const struct trie_type watches = {watch_key_of, watch_hold, watch_drop};

static struct watch_key watch_key_make(uint64_t account, struct str number)
{
    struct watch_key k;
    memset(&k, 0, sizeof k); /* padding too: its bytes are compared */
    k.account = account;
    memcpy(k.number, number.p, number.n < NUMBER_SIZE ? number.n : NUMBER_SIZE - 1);
    return k;
}

static struct watch *watch_find(const struct trie *t, const struct watch_key *k)
{
    return trie_get(t, &watches, str_of_bytes((const char *)k, sizeof *k));
}

const struct watch *watch_get(const struct trie *t, uint64_t account, struct str number)
{
    struct watch_key k = watch_key_make(account, number);
    return number.n < NUMBER_SIZE ? watch_find(t, &k) : NULL;
}

static struct watch *watch_new(const struct watch_key *k, size_t n)
{
    struct watch *w = malloc(sizeof *w + n * sizeof w->endpoint[0]);
    if (w) {
        w->refs = 1;
        w->n = 0;
        w->key = *k;
    }
    return w;
}

static void watch_put(struct watch *w, struct entry *e)
{
    w->endpoint[w->n++] = entry_hold(e);
}

static enum err watch_list_add(struct trie *t, const struct watch_key *k, struct entry *e)
{
    const struct watch *old = watch_find(t, k);
    struct watch *w = watch_new(k, old ? old->n + 1 : 1);
    uint32_t i = 0;
    if (!w)
        return ERR_NOMEM;
    for (; old && i < old->n && old->endpoint[i]->as_any.n < e->as_any.n; i++)
        watch_put(w, old->endpoint[i]);
    watch_put(w, e);
    for (; old && i < old->n; i++)
        if (old->endpoint[i] != e) /* a number that is named twice */
            watch_put(w, old->endpoint[i]);
    return trie_put(t, &watches, w);
}

static enum err watch_list_remove(struct trie *t, const struct watch_key *k, struct entry *e)
{
    const struct watch *old = watch_find(t, k);
    uint32_t at = 0;
    while (old && at < old->n && old->endpoint[at] != e)
        at++;
    if (!old || at == old->n)
        return OK;
    if (old->n == 1)
        return trie_remove(t, &watches, str_of_bytes((const char *)k, sizeof *k));
    struct watch *w = watch_new(k, old->n - 1);
    if (!w)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < old->n; i++)
        if (i != at)
            watch_put(w, old->endpoint[i]);
    return trie_put(t, &watches, w);
}

/* ---- all numbers of an endpoint ---- */

static size_t endpoint_key_count(const struct entry *e)
{
    return e->as_endpoint.set->numbers ? e->as_endpoint.set->n_numbers : 1;
}

static struct watch_key endpoint_key_at(const struct entry *e, size_t i)
{
    const struct book_endpoint *ep = &e->as_endpoint;
    return watch_key_make(ep->account, ep->set->numbers ? str_of(ep->set->numbers[i]) : STR(""));
}

static enum err endpoint_each_key(struct trie *t, struct entry *e,
                                  enum err (*change)(struct trie *, const struct watch_key *,
                                                     struct entry *))
{
    enum err err = OK;
    for (size_t i = 0; i < endpoint_key_count(e); i++) {
        const struct watch_key k = endpoint_key_at(e, i);
        enum err one = change(t, &k, e);
        err = err == OK ? one : err;
    }
    return err;
}

enum err watch_add(struct trie *t, struct entry *endpoint)
{
    return endpoint_each_key(t, endpoint, watch_list_add);
}

enum err watch_remove(struct trie *t, struct entry *endpoint)
{
    return endpoint_each_key(t, endpoint, watch_list_remove);
}

/* ---- a book that is read as a whole ---- */

enum err watch_each(struct entry *endpoint, enum err (*take)(void *arg, struct watch *w), void *arg)
{
    enum err err = OK;
    for (size_t i = 0; err == OK && i < endpoint_key_count(endpoint); i++) {
        const struct watch_key k = endpoint_key_at(endpoint, i);
        struct watch *w = watch_new(&k, 1);
        if (!w)
            return ERR_NOMEM;
        watch_put(w, endpoint);
        err = take(arg, w);
    }
    return err;
}

static int watch_compare_age(const void *a, const void *b)
{
    const struct watch *x = *(void *const *)a, *y = *(void *const *)b;
    uint64_t n = x->endpoint[0]->as_any.n, m = y->endpoint[0]->as_any.n;
    return (n > m) - (n < m);
}

/* Each of the lists has one endpoint. */
void *watch_join(void **lists, size_t n)
{
    struct watch *w = watch_new(&((const struct watch *)lists[0])->key, n);
    qsort(lists, n, sizeof *lists, watch_compare_age);
    for (size_t i = 0; i < n; i++) {
        struct watch *one = lists[i];
        if (w && (!w->n || w->endpoint[w->n - 1] != one->endpoint[0])) /* a number named twice */
            watch_put(w, one->endpoint[0]);
        watch_drop(one);
    }
    return w;
}
