/* link_states: keeps one small record a link. It has a mutex, because neither the edge nor the API
 * may wait for a mail of the other; the mutex is held for the time of a copy. */
#include "hub/link_states.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"

struct link_states {
    pthread_mutex_t lock;
    struct map *by_link;
};

enum err link_states_new(struct link_states **ret)
{
    struct link_states *s = calloc(1, sizeof *s);
    if (!s || !(s->by_link = map_new())) {
        free(s);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&s->lock, NULL);
    *ret = s;
    return OK;
}

struct link_record {
    uint64_t link; /* the key's bytes */
    struct link_state state;
};

void link_states_free(struct link_states *s)
{
    struct link_record *r;
    if (!s)
        return;
    for (size_t i = 0; (r = map_next(s->by_link, &i));)
        free(r);
    map_free(s->by_link);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

void link_states_put(struct link_states *s, uint64_t link, const struct link_state *state)
{
    pthread_mutex_lock(&s->lock);
    struct link_record *r = map_get(s->by_link, str_of_u64(&link));
    if (!r && (r = calloc(1, sizeof *r))) {
        r->link = link;
        if (map_put(s->by_link, str_of_u64(&r->link), r, NULL) != OK) {
            free(r);
            r = NULL;
        }
    }
    if (r)
        r->state = *state;
    pthread_mutex_unlock(&s->lock);
}

void link_states_remove(struct link_states *s, uint64_t link)
{
    pthread_mutex_lock(&s->lock);
    struct link_record *r = map_get(s->by_link, str_of_u64(&link));
    map_remove(s->by_link, str_of_u64(&link));
    free(r);
    pthread_mutex_unlock(&s->lock);
}

bool link_states_get(const struct link_states *s, uint64_t link, struct link_state *ret)
{
    struct link_states *w = (struct link_states *)(uintptr_t)s; /* the lock alone is written */
    pthread_mutex_lock(&w->lock);
    const struct link_record *r = map_get(s->by_link, str_of_u64(&link));
    if (r)
        *ret = r->state;
    pthread_mutex_unlock(&w->lock);
    return r != NULL;
}
