/* limits: each party's limits, counted: calls at once, and calls per second by a token bucket that
 * holds one second's worth. Texts have a bucket of their own with the same rate, so that neither a
 * burst of texts holds up calls nor the other way round. Counting begins with a party's first call
 * or text. Edge's thread. */
#include "sip/core/limits.h"

#include <stdlib.h>

static struct party_use *use_of(struct sip_core *core, uint64_t party)
{
    struct party_use *u = map_get(core->parties, str_of_u64(&party));
    if (u)
        return u;
    if (!(u = calloc(1, sizeof *u)))
        return NULL;
    u->party = party;
    if (map_put(core->parties, str_of_u64(&u->party), u, NULL) != OK) {
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

bool party_admits(struct sip_core *core, const struct party *p)
{
    struct party_use *u = use_of(core, party_number(p));
    uint32_t most = party_max_calls(p);
    if (!u || (most && u->calls >= most))
        return false;
    return bucket_takes(&u->call_rate, party_max_cps(p), loop_now_ms(core->c.loop));
}

bool party_admits_text(struct sip_core *core, const struct party *p)
{
    struct party_use *u = use_of(core, party_number(p));
    return u && bucket_takes(&u->text_rate, party_max_cps(p), loop_now_ms(core->c.loop));
}

void party_take(struct sip_core *core, uint64_t party)
{
    struct party_use *u = use_of(core, party);
    if (u)
        u->calls++;
}

void party_release(struct sip_core *core, uint64_t party)
{
    struct party_use *u = use_of(core, party);
    if (u && u->calls)
        u->calls--;
}

void limits_free(struct sip_core *core)
{
    struct party_use *u;
    for (size_t i = 0; core->parties && (u = map_next(core->parties, &i));)
        free(u);
    map_free(core->parties);
}
