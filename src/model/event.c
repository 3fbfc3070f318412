/* event: holds the table of kinds, and makes and drops the immutable value. Any thread; the last
 * drop frees it. */
#include "model/event.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool by_default, call;
} table[] = {
#define X(id, name, by_default, call) {name, by_default, call},
    EVENT_LIST(X)
#undef X
};

event_mask event_mask_default(void)
{
    event_mask mask = 0;
    for (unsigned k = 0; k < EVENT_KIND_COUNT; k++)
        if (table[k].by_default)
            mask |= EVENT_BIT(k);
    return mask;
}

const char *event_kind_name(enum event_kind k)
{
    return (unsigned)k < EVENT_KIND_COUNT ? table[k].name : "unknown";
}

bool event_kind_parse(struct str name, enum event_kind *ret)
{
    for (unsigned k = 0; k < EVENT_KIND_COUNT; k++)
        if (str_eq(name, str_of(table[k].name))) {
            *ret = (enum event_kind)k;
            return true;
        }
    return false;
}

bool event_kind_is_call(enum event_kind k)
{
    return table[k].call;
}

static struct str event_bytes_put(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

enum err event_new(const struct event *proto, struct event **ret)
{
    if (proto->id.n == 0 || proto->id.n > EVENT_ID_MAX || proto->call_id.n > CALL_ID_MAX ||
        proto->payload.n > EVENT_PAYLOAD_MAX)
        return ERR_TOO_BIG;
    struct event *e = malloc(sizeof *e + proto->id.n + proto->number.n + proto->peer.n +
                             proto->call_id.n + proto->payload.n);
    if (!e)
        return ERR_NOMEM;
    *e = *proto;
    char *at = e->bytes;
    e->id = event_bytes_put(&at, proto->id);
    e->number = event_bytes_put(&at, proto->number);
    e->peer = event_bytes_put(&at, proto->peer);
    e->call_id = event_bytes_put(&at, proto->call_id);
    e->payload = event_bytes_put(&at, proto->payload);
    atomic_init(&e->refs, 1);
    *ret = e;
    return OK;
}

const struct event *event_hold(const struct event *e)
{
    struct event *counted = (struct event *)(uintptr_t)e; /* only the count ever changes */
    atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return e;
}

void event_drop(const struct event **e)
{
    struct event *counted = (struct event *)(uintptr_t)*e;
    *e = NULL;
    if (counted && atomic_fetch_sub_explicit(&counted->refs, 1, memory_order_acq_rel) == 1)
        free(counted);
}
