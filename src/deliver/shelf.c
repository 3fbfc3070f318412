/* shelf: a binary heap of lanes by due time, and the set of the same lanes, so that "does this lane
 * wait in the store?" is one probe. Both are flat arrays: a million lanes that wait for an endpoint
 * that is down take some 40 MB and no allocation each. Pure. */
#include "deliver/shelf.h"

#include <stdlib.h>

#include "base/crypto.h"

enum { CAP_MIN = 16 };

/* Lanes are SipHash values already, but under a key that is no secret: the salt keeps those who
 * choose their call ids from choosing their place. */
static size_t place(const struct shelf *s, uint64_t lane)
{
    return (size_t)((lane * s->salt) >> 20) & (s->set_cap - 1);
}

static uint64_t key_of(uint64_t lane)
{
    return lane ? lane : UINT64_MAX; /* 0 marks what is free */
}

static size_t find(const struct shelf *s, uint64_t key)
{
    size_t i = place(s, key);
    while (s->set[i] && s->set[i] != key)
        i = (i + 1) & (s->set_cap - 1);
    return i;
}

static enum err set_resize(struct shelf *s, size_t cap)
{
    struct shelf next = *s;
    next.set_cap = cap;
    next.set = calloc(cap, sizeof *next.set);
    if (!next.set)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->set_cap; i++)
        if (s->set[i])
            next.set[find(&next, s->set[i])] = s->set[i];
    free(s->set);
    *s = next;
    return OK;
}

/* Backward shift: what stands behind the hole moves up unless it is at home already. */
static void set_remove(struct shelf *s, uint64_t key)
{
    size_t hole = find(s, key), mask = s->set_cap - 1;
    for (size_t i = (hole + 1) & mask; s->set[i]; i = (i + 1) & mask)
        if (((i - place(s, s->set[i])) & mask) >= ((i - hole) & mask)) {
            s->set[hole] = s->set[i];
            hole = i;
        }
    s->set[hole] = 0;
}

static void sift_up(struct shelf *s, size_t i)
{
    struct shelf_entry one = s->heap[i];
    for (; i > 0 && s->heap[(i - 1) / 2].due_ms > one.due_ms; i = (i - 1) / 2)
        s->heap[i] = s->heap[(i - 1) / 2];
    s->heap[i] = one;
}

static void sift_down(struct shelf *s, size_t i)
{
    struct shelf_entry one = s->heap[i];
    for (size_t k; (k = 2 * i + 1) < s->n; i = k) {
        if (k + 1 < s->n && s->heap[k + 1].due_ms < s->heap[k].due_ms)
            k++;
        if (s->heap[k].due_ms >= one.due_ms)
            break;
        s->heap[i] = s->heap[k];
    }
    s->heap[i] = one;
}

/* What a burst took is given back when it is over. */
static void shrink(struct shelf *s)
{
    if (s->n == 0) {
        shelf_fini(s);
    } else if (s->cap > 4 * CAP_MIN && s->n < s->cap / 4) {
        struct shelf_entry *heap = realloc(s->heap, s->cap / 2 * sizeof *heap);
        if (heap) {
            s->heap = heap;
            s->cap /= 2;
        }
        if (s->set_cap > 8 * s->n)
            (void)!set_resize(s, s->set_cap / 2); /* later, then */
    }
}

static enum err grow(struct shelf *s)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap + s->cap / 2 : CAP_MIN;
        struct shelf_entry *heap = realloc(s->heap, cap * sizeof *heap);
        if (!heap)
            return ERR_NOMEM;
        s->heap = heap;
        s->cap = cap;
    }
    if (!s->salt)
        s->salt = crypto_random_u64() | 1;
    if ((s->n + 1) * 4 > s->set_cap * 3)
        return set_resize(s, s->set_cap ? s->set_cap * 2 : 2 * CAP_MIN);
    return OK;
}

void shelf_fini(struct shelf *s)
{
    free(s->heap);
    free(s->set);
    *s = (struct shelf){0};
}

enum err shelf_put(struct shelf *s, const struct shelf_entry *one)
{
    uint64_t key = key_of(one->lane);
    enum err err = grow(s);
    if (err != OK)
        return err;
    s->heap[s->n] = *one;
    s->set[find(s, key)] = key;
    sift_up(s, s->n++);
    return OK;
}

bool shelf_has(const struct shelf *s, uint64_t lane)
{
    return s->n && s->set[find(s, key_of(lane))];
}

int64_t shelf_due_ms(const struct shelf *s)
{
    return s->n ? s->heap[0].due_ms : INT64_MAX;
}

bool shelf_take(struct shelf *s, int64_t now_ms, struct shelf_entry *ret)
{
    if (shelf_due_ms(s) > now_ms || s->n == 0)
        return false;
    *ret = s->heap[0];
    set_remove(s, key_of(ret->lane));
    s->heap[0] = s->heap[--s->n];
    if (s->n)
        sift_down(s, 0);
    shrink(s);
    return true;
}

void shelf_all_due(struct shelf *s)
{
    for (size_t i = 0; i < s->n; i++)
        s->heap[i].due_ms = 0; /* equal ones are a heap in any order */
}
