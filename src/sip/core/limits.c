/* limits: each trunk's limits, counted: calls at once, and calls per second by a token bucket that
 * holds one second's worth. Texts have a bucket of their own with the same rate, so that neither a
 * burst of texts holds up calls nor the other way round. Counting begins with a trunk's first call
 * or text. Edge's thread. */
#include "sip/core/limits.h"

#include <stdlib.h>

static struct trunk_use *use_of(struct sip_core *core, uint64_t trunk)
{
    struct trunk_use *u = map_get(core->trunks, str_of_u64(&trunk));
    if (u)
        return u;
    if (!(u = calloc(1, sizeof *u)))
        return NULL;
    u->trunk = trunk;
    if (map_put(core->trunks, str_of_u64(&u->trunk), u, NULL) != OK) {
        free(u);
        return NULL;
    }
    return u;
}

/* `per_sec` 0: no limit. */
static bool bucket_takes(struct bucket *b, uint32_t per_sec, int64_t now_ms)
{
    double most = per_sec;
    if (!per_sec)
        return true;
    b->tokens = b->at_ms ? b->tokens + (double)(now_ms - b->at_ms) * most / 1000 : most;
    if (b->tokens > most)
        b->tokens = most;
    b->at_ms = now_ms ? now_ms : 1;
    if (b->tokens < 1)
        return false;
    b->tokens -= 1;
    return true;
}

bool trunk_admits(struct sip_core *core, const struct book_trunk *t)
{
    struct trunk_use *u = use_of(core, t->n);
    if (!u || (t->set->max_calls && u->calls >= t->set->max_calls))
        return false;
    return bucket_takes(&u->call_rate, t->set->max_cps, loop_now_ms(core->c.loop));
}

bool trunk_admits_text(struct sip_core *core, const struct book_trunk *t)
{
    struct trunk_use *u = use_of(core, t->n);
    return u && bucket_takes(&u->text_rate, t->set->max_cps, loop_now_ms(core->c.loop));
}

void trunk_take(struct sip_core *core, uint64_t trunk)
{
    struct trunk_use *u = use_of(core, trunk);
    if (u)
        u->calls++;
}

void trunk_release(struct sip_core *core, uint64_t trunk)
{
    struct trunk_use *u = use_of(core, trunk);
    if (u && u->calls)
        u->calls--;
}

void limits_free(struct sip_core *core)
{
    struct trunk_use *u;
    for (size_t i = 0; core->trunks && (u = map_next(core->trunks, &i));)
        free(u);
    map_free(core->trunks);
}
