/* pool: keeps slots in pages that never move, and finds them by index and generation.
 *
 * Pages are allocated when they are needed, and kept. A slot's generation counts up when the slot
 * is given back, so that an old handle finds nothing; it skips 0, so that handle 0 is never valid.
 * Owner: one thread. */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE_SLOTS = 64 };

struct slot {
    uint32_t generation;
    uint32_t next_free; /* index + 1 while free, USED while in use */
    char bytes[] __attribute__((aligned(16)));
};
static const uint32_t used = UINT32_MAX;

struct pool {
    size_t slot_size, max, n, n_pages, next;
    uint32_t first_free; /* index + 1; 0: none */
    char **page;
};

enum err pool_new(struct pool **ret, size_t size, size_t max)
{
    ASSERT(max < UINT32_MAX - PAGE_SLOTS);
    struct pool *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    p->slot_size = (sizeof(struct slot) + size + 15) & ~(size_t)15;
    p->max = max;
    p->page = calloc(max / PAGE_SLOTS + 1, sizeof *p->page);
    if (!p->page) {
        free(p);
        return ERR_NOMEM;
    }
    *ret = p;
    return OK;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_pages; i++)
        free(p->page[i]);
    free(p->page);
    free(p);
}

static struct slot *slot_at(const struct pool *p, size_t index)
{
    return (struct slot *)(void *)(p->page[index / PAGE_SLOTS] + index % PAGE_SLOTS * p->slot_size);
}

void *pool_take(struct pool *p, handle *ret)
{
    size_t index;
    if (p->first_free) {
        index = p->first_free - 1;
        p->first_free = slot_at(p, index)->next_free;
    } else {
        if (p->next >= p->max)
            return NULL;
        if (p->next == p->n_pages * PAGE_SLOTS) {
            char *page = calloc(PAGE_SLOTS, p->slot_size);
            if (!page)
                return NULL;
            p->page[p->n_pages++] = page;
        }
        index = p->next++;
    }
    struct slot *s = slot_at(p, index);
    memset(s->bytes, 0, p->slot_size - sizeof *s);
    if (s->generation == 0)
        s->generation = 1;
    s->next_free = used;
    p->n++;
    *ret = (handle)s->generation << 32 | (index + 1);
    return s->bytes;
}

static struct slot *slot_find(const struct pool *p, handle h)
{
    size_t index = (size_t)(h & UINT32_MAX) - 1; /* 0 wraps and misses */
    if (index >= p->next)
        return NULL;
    struct slot *s = slot_at(p, index);
    return s->next_free == used && s->generation == h >> 32 ? s : NULL;
}

void *pool_at(const struct pool *p, handle h)
{
    struct slot *s = slot_find(p, h);
    return s ? s->bytes : NULL;
}

void pool_give(struct pool *p, handle h)
{
    struct slot *s = slot_find(p, h);
    ASSERT(s);
    if (++s->generation == 0)
        s->generation = 1;
    s->next_free = p->first_free;
    p->first_free = (uint32_t)(h & UINT32_MAX);
    p->n--;
}

size_t pool_count(const struct pool *p)
{
    return p->n;
}

void *pool_next(const struct pool *p, size_t *i, handle *ret)
{
    while (*i < p->next) {
        size_t index = (*i)++;
        struct slot *s = slot_at(p, index);
        if (s->next_free == used) {
            *ret = (handle)s->generation << 32 | (index + 1);
            return s->bytes;
        }
    }
    return NULL;
}
