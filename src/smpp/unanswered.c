/* unanswered: keeps for each link a ring of content hashes, which drops the oldest, with a chain
 * for each bucket. inbound puts a hash when an answer could not be written, and asks for each
 * message while there is any. inbound makes the hashes with a key, so that nobody outside can
 * choose a bucket. */
#include "smpp/unanswered.h"

#include <stdlib.h>

#include "base/map.h"

enum { NONE = UINT16_MAX };

struct entry {
    uint64_t what; /* 0: free */
    int64_t until_ms;
    uint16_t next; /* in its bucket */
};

struct ring { /* of one link */
    uint64_t link;
    size_t n;
    uint16_t at; /* the next place: the oldest's */
    uint16_t bucket[UNANSWERED_MAX];
    struct entry entry[UNANSWERED_MAX];
};

struct unanswered {
    struct map *by_link;
    size_t n;
};

static void entry_drop(struct unanswered *u, struct ring *r, uint16_t i)
{
    uint16_t *from = &r->bucket[r->entry[i].what % UNANSWERED_MAX];
    while (*from != i)
        from = &r->entry[*from].next;
    *from = r->entry[i].next;
    r->entry[i].what = 0;
    r->n--;
    u->n--;
}

static struct ring *ring_get(struct unanswered *u, uint64_t link)
{
    struct ring *r = map_get(u->by_link, str_of_u64(&link));
    if (r || !(r = calloc(1, sizeof *r)))
        return r;
    r->link = link;
    for (size_t i = 0; i < UNANSWERED_MAX; i++)
        r->bucket[i] = NONE;
    if (map_put(u->by_link, str_of_u64(&r->link), r, NULL) == OK)
        return r;
    free(r);
    return NULL;
}

enum err unanswered_new(struct unanswered **ret)
{
    struct unanswered *u = calloc(1, sizeof *u);
    if (!u || !(u->by_link = map_new())) {
        free(u);
        return ERR_NOMEM;
    }
    *ret = u;
    return OK;
}

void unanswered_free(struct unanswered *u)
{
    struct ring *r;
    if (!u)
        return;
    for (size_t i = 0; (r = map_next(u->by_link, &i));)
        free(r);
    map_free(u->by_link);
    free(u);
}

void unanswered_put(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms)
{
    struct ring *r = what ? ring_get(u, link) : NULL;
    if (!r)
        return;
    struct entry *e = &r->entry[r->at];
    uint16_t *bucket = &r->bucket[what % UNANSWERED_MAX];
    if (e->what)
        entry_drop(u, r, r->at);
    *e = (struct entry){what, now_ms + UNANSWERED_MS, *bucket};
    *bucket = r->at;
    r->at = (uint16_t)((r->at + 1) % UNANSWERED_MAX);
    r->n++;
    u->n++;
}

static bool ring_take(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms)
{
    struct ring *r = map_get(u->by_link, str_of_u64(&link));
    uint16_t i = r ? r->bucket[what % UNANSWERED_MAX] : NONE, next;
    for (; i != NONE; i = next) {
        struct entry *e = &r->entry[i];
        bool is_it = e->what == what && e->until_ms > now_ms;
        next = e->next;
        if (is_it || e->until_ms <= now_ms)
            entry_drop(u, r, i);
        if (is_it)
            return true;
    }
    return false;
}

bool unanswered_take(struct unanswered *u, uint64_t link, uint64_t what, int64_t now_ms)
{
    if (!what || u->n == 0)
        return false;
    return ring_take(u, link, what, now_ms) || ring_take(u, UNANSWERED_ANY_LINK, what, now_ms);
}

size_t unanswered_count(const struct unanswered *u)
{
    return u->n;
}
