/* trunks: each trunk's limits, counted: calls at once, and calls per second by a token bucket that
 * holds one second's worth. Counting begins with a trunk's first call. Edge's thread. */
#include <stdlib.h>

#include "sip/call.h"

static struct trunk_use *use_of(struct sip_edge *e, uint64_t trunk)
{
    struct trunk_use *u = map_get(e->trunks, str_of_u64(&trunk));
    if (u)
        return u;
    if (!(u = calloc(1, sizeof *u)))
        return NULL;
    u->trunk = trunk;
    if (map_put(e->trunks, str_of_u64(&u->trunk), u, NULL) != OK) {
        free(u);
        return NULL;
    }
    return u;
}

bool trunk_admits(struct sip_edge *e, const struct book_trunk *t)
{
    struct trunk_use *u = use_of(e, t->n);
    int64_t now = loop_now_ms(e->c.loop);
    if (!u)
        return false;
    if (t->set->max_calls && u->calls >= t->set->max_calls)
        return false;
    if (!t->set->max_cps)
        return true;
    double most = t->set->max_cps;
    u->tokens = u->bucket_at_ms ? u->tokens + (double)(now - u->bucket_at_ms) * most / 1000 : most;
    if (u->tokens > most)
        u->tokens = most;
    u->bucket_at_ms = now ? now : 1;
    if (u->tokens < 1)
        return false;
    u->tokens -= 1;
    return true;
}

void trunk_take(struct sip_edge *e, uint64_t trunk)
{
    struct trunk_use *u = use_of(e, trunk);
    if (u)
        u->calls++;
}

void trunk_release(struct sip_edge *e, uint64_t trunk)
{
    struct trunk_use *u = use_of(e, trunk);
    if (u && u->calls)
        u->calls--;
}

void trunks_free(struct sip_edge *e)
{
    struct trunk_use *u;
    for (size_t i = 0; e->trunks && (u = map_next(e->trunks, &i));)
        free(u);
    map_free(e->trunks);
}
