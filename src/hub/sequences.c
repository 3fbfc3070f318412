/* sequences: counts how many events of a call each endpoint was sent, which is an event's
 * `sequence`. Called by intake, on the thread that has the call. */
#include <limits.h>
#include <stdlib.h>

#include "hub/sequences.h"

void sequences_fini(struct sequences *s)
{
    free(s->at);
    *s = (struct sequences){0};
}

enum err sequence_next(struct sequences *s, uint64_t endpoint, unsigned *ret)
{
    uint32_t i = 0;
    if (!s) {
        *ret = UINT_MAX;
        return OK;
    }
    while (i < s->n && s->at[i].endpoint != endpoint)
        i++;
    if (i == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 2;
        void *at = realloc(s->at, cap * sizeof *s->at);
        if (!at)
            return ERR_NOMEM;
        s->at = at;
        s->cap = cap;
    }
    if (i == s->n) {
        s->at[i].endpoint = (uint32_t)endpoint;
        s->at[i].count = 0;
        s->n++;
    }
    *ret = ++s->at[i].count;
    return OK;
}
