/* call: the object and its life. Everything that happens to a call happens on the edge's thread;
 * what waits for the store or DNS holds the call's handle, never its address. */
#include "sip/call/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/decision.h"

static void on_time(struct timer *t)
{
    struct call *c = t->arg;
    c->calls->states[c->state].on_time(c);
}

void call_wait_no_more(struct call *c)
{
    timer_stop(&c->timer);
}

void call_wait(struct call *c, int64_t ms)
{
    ASSERT(c->calls->states[c->state].on_time);
    loop_timer(c->core->c.loop, &c->timer, ms, on_time, c);
}

bool call_takes(const struct call *c, enum call_input input)
{
    return c->calls->states[c->state].inputs >> input & 1;
}

/* The one setter: the table knows which moves there are. */
void call_set_state(struct call *c, enum call_state to)
{
    const struct state_rule *from = &c->calls->states[c->state], *rule = &c->calls->states[to];
    ASSERT(from->next >> to & 1);
    log_debug("sip", "%s{%s → %s}", c->call_id, from->name, rule->name);
    c->state = (uint8_t)to;
    if (!rule->keeps_time)
        call_wait_no_more(c);
    if (rule->enter)
        rule->enter(c);
}

/* Nobody frees a call within one of its own functions. */
void call_reap_later(struct call *c)
{
    c->next_over = c->calls->over;
    c->calls->over = c;
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
    c->state = CALL_TAKING;
    c->verified = 'n';
    leg_init(&c->a, c, 'a');
    leg_init(&c->b, c, 'b');
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

static char *put_name(char **at, struct str name)
{
    char *put = *at;
    memcpy(put, name.p ? name.p : "", name.n);
    *at += name.n + 1;
    return put;
}

enum err call_keep_names(struct call *c, const struct call_names *n)
{
    char *mem = calloc(1, n->trunk_id.n + n->trunk.n + n->caller.n + n->caller_name.n + 4);
    if (!mem)
        return ERR_NOMEM;
    c->trunk_id = put_name(&mem, n->trunk_id);
    c->trunk_name = put_name(&mem, n->trunk);
    c->caller = put_name(&mem, n->caller);
    c->caller_name = put_name(&mem, n->caller_name);
    return OK;
}

void call_free(struct call *c)
{
    struct sip_core *core = c->core;
    struct calls *calls = c->calls;
    ASSERT(!outbox_is_handed_in(c) && !c->route);
    timer_stop(&c->timer);
    timer_stop(&c->x.timer);
    end_txn(core, c->x.server);
    end_txn(core, c->x.client);
    end_txn(core, c->bye);
    block_give(core->blocks, &c->x.answer);
    block_give(core->blocks, &c->x.said);
    outbox_free(c);
    forks_end(c);
    leg_fini(&c->a);
    leg_fini(&c->b);
    decision_free(c->decision);
    sequences_fini(&c->sequences);
    if (map_get(calls->by_id, str_of(c->call_id)) == c)
        map_remove(calls->by_id, str_of(c->call_id));
    if (c->party)
        party_release(core, c->party);
    free(c->trunk_id);
    free(c->headers);
    free(c->destination);
    free(c->phrase);
    free(c->refers);
    free(c->session);
    free(c->probe);
    book_drop(&c->book);
    pool_give(calls->pool, c->self);
    metric_set(METRIC_CALLS_ACTIVE, (int64_t)pool_count(calls->pool));
    if (pool_count(calls->pool) == 0)
        calls->on_none(calls->arg);
}

struct leg *call_leg(struct call *c, char name)
{
    return name == 'a' ? &c->a : &c->b;
}
