/* call: the object and its life. Everything that happens to a call happens on the edge's thread;
 * what waits for the store or DNS holds the call's handle, never its address. */
#include "sip/call/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"

static const char *const state_name[] = {
    [CALL_TAKING] = "TAKING",
    [CALL_DECIDING] = "DECIDING",
    [CALL_ROUTING] = "ROUTING",
    [CALL_RINGING] = "RINGING",
    [CALL_UP] = "UP",
    [CALL_ANSWERING] = "ANSWERING",
    [CALL_ENDING] = "ENDING",
    [CALL_OVER] = "OVER",
    [CALL_RESTORED] = "RESTORED",
};

const char *call_state_name(enum call_state s)
{
    return state_name[s];
}

/* The one setter: it knows which moves there are. */
void call_set_state(struct call *c, enum call_state to)
{
#define BIT(s) (1u << (s))
    static const unsigned may_go_to[] = {
        [CALL_TAKING] = BIT(CALL_DECIDING) | BIT(CALL_ROUTING) | BIT(CALL_ENDING) | BIT(CALL_OVER),
        [CALL_DECIDING] = BIT(CALL_ROUTING) | BIT(CALL_ENDING),
        [CALL_ROUTING] = BIT(CALL_DECIDING) | BIT(CALL_RINGING) | BIT(CALL_ENDING),
        [CALL_RINGING] = BIT(CALL_ROUTING) | BIT(CALL_ANSWERING) | BIT(CALL_ENDING),
        [CALL_ANSWERING] = BIT(CALL_UP) | BIT(CALL_ENDING),
        [CALL_UP] = BIT(CALL_ENDING),
        [CALL_ENDING] = BIT(CALL_OVER),
        [CALL_OVER] = 0,
        [CALL_RESTORED] = BIT(CALL_ROUTING) | BIT(CALL_ENDING) | BIT(CALL_UP),
    };
#undef BIT
    ASSERT(may_go_to[c->state] >> to & 1);
    log_debug("sip", "%s{%s → %s}", c->call_id, state_name[c->state], state_name[to]);
    c->state = (uint8_t)to;
}

struct call *call_new(struct calls *calls)
{
    handle h;
    struct call *c = pool_take(calls->pool, &h);
    if (!c)
        return NULL;
    c->core = calls->core;
    c->calls = calls;
    c->self = h;
    c->reason = END_FAILED;
    c->by = ENDED_BY_SYSTEM;
    c->verified = 'n';
    leg_init(&c->a, c, 'a');
    leg_init(&c->b, c, 'b');
    c->heard_at_ms = loop_now_ms(c->core->c.loop);
    token_print(h, crypto_random_u64(), c->token);
    return c;
}

bool calls_are_full(const struct calls *calls)
{
    return pool_count(calls->pool) >= calls->core->c.max_calls;
}

static void end_txn(struct sip_core *core, handle h)
{
    struct txn *t = txn_at(core->txns, h);
    if (t)
        t->call = 0; /* it ends by its own timers */
}

void call_free(struct call *c)
{
    struct sip_core *core = c->core;
    struct calls *calls = c->calls;
    ASSERT(!c->storing);
    call_route_drop(c);
    timer_stop(&c->invite_timer);
    timer_stop(&c->store_timer);
    timer_stop(&c->probe_timer);
    end_txn(core, c->x.server);
    end_txn(core, c->x.client);
    end_txn(core, c->bye);
    block_give(core->blocks, &c->x.answer);
    block_give(core->blocks, &c->x.ack);
    admission_free(c->again);
    while (c->pending) {
        struct call_event *ev = c->pending;
        c->pending = ev->next;
        event_drop(&ev->event);
        free(ev);
    }
    leg_fini(&c->a);
    leg_fini(&c->b);
    sequences_fini(&c->sequences);
    if (map_get(calls->by_id, str_of(c->call_id)) == c)
        map_remove(calls->by_id, str_of(c->call_id));
    if (c->trunk)
        trunk_release(core, c->trunk);
    free(c->trunk_id);
    free(c->headers);
    free(c->destination);
    free(c->bye_reason);
    book_drop(&c->book);
    pool_give(calls->pool, c->self);
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(calls->pool));
    if (pool_count(calls->pool) == 0)
        calls->on_none(calls->arg);
}

bool call_is_restored(const struct call *c)
{
    return map_get(c->calls->restored, str_of(c->a.dialog.token)) == &c->a;
}

struct leg *call_leg(struct call *c, char name)
{
    return name == 'a' ? &c->a : &c->b;
}

void call_heard(struct call *c)
{
    c->heard_at_ms = loop_now_ms(c->core->c.loop);
}
