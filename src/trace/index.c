/* index: an entry for each call that has a record in the ring, some 130 bytes. Entries go
 * with the segment that has their newest record; those of erased calls stay for two minutes, since
 * a message of theirs may still be on its way. */
#include "trace/index.h"

#include <stdlib.h>

enum { FORGOTTEN_MAX = 4096 }; /* so many, and those whose time is over are looked for */

struct trace_index {
    struct map *calls;
    size_t n_forgotten;
    int64_t swept_at_ms;
};

static struct str key_of(const struct trace_id *id)
{
    return str_of_bytes(id, sizeof *id);
}

struct trace_index *trace_index_new(void)
{
    struct trace_index *ix = calloc(1, sizeof *ix);
    if (ix && !(ix->calls = map_new())) {
        free(ix);
        return NULL;
    }
    return ix;
}

void trace_index_free(struct trace_index *ix)
{
    struct traced_call *c;
    if (!ix)
        return;
    for (size_t i = 0; (c = map_next(ix->calls, &i));)
        free(c);
    map_free(ix->calls);
    free(ix);
}

struct traced_call *trace_index_get(const struct trace_index *ix, const struct trace_id *id)
{
    return map_get(ix->calls, key_of(id));
}

struct traced_call *trace_index_make(struct trace_index *ix, const struct trace_id *id,
                                     int64_t now_ms)
{
    struct traced_call *c = trace_index_get(ix, id);
    if (c || !(c = calloc(1, sizeof *c)))
        return c;
    c->id = *id;
    c->messages = TRACE_CALL_MESSAGES;
    c->bytes = TRACE_CALL_BYTES;
    c->refilled_at_ms = now_ms;
    if (map_put(ix->calls, key_of(&c->id), c, NULL) != OK) {
        free(c);
        return NULL;
    }
    return c;
}

bool traced_call_admits(struct traced_call *c, size_t bytes, int64_t now_ms)
{
    int64_t times = (now_ms - c->refilled_at_ms) / TRACE_REFILL_MS;
    if (times > 0) {
        int64_t messages = c->messages + times, room = c->bytes + times * TRACE_REFILL_BYTES;
        c->messages = messages < TRACE_CALL_MESSAGES ? (int32_t)messages : TRACE_CALL_MESSAGES;
        c->bytes = room < TRACE_CALL_BYTES ? (int32_t)room : TRACE_CALL_BYTES;
        c->refilled_at_ms += times * TRACE_REFILL_MS;
    }
    if (c->messages < 1 || c->bytes < 1)
        return false;
    c->messages--;
    c->bytes -= (int32_t)bytes; /* the last may go below */
    return true;
}

void trace_index_remove(struct trace_index *ix, struct traced_call *c)
{
    ix->n_forgotten -= c->forgotten_at_ms != 0;
    map_remove(ix->calls, key_of(&c->id));
    free(c);
}

static void sweep(struct trace_index *ix, uint64_t oldest, int64_t now_ms)
{
    struct traced_call *c;
    ix->swept_at_ms = now_ms;
    for (size_t i = 0; (c = map_next(ix->calls, &i));)
        if (c->forgotten_at_ms ? now_ms - c->forgotten_at_ms > TRACE_FORGOTTEN_MS
                               : c->last < oldest)
            trace_index_remove(ix, c);
}

void trace_index_evict(struct trace_index *ix, uint64_t oldest, int64_t now_ms)
{
    sweep(ix, oldest, now_ms);
}

void trace_index_forget(struct trace_index *ix, struct traced_call *c, int64_t now_ms)
{
    ix->n_forgotten += c->forgotten_at_ms == 0;
    c->forgotten_at_ms = now_ms ? now_ms : 1;
    c->last = c->first = 0;
    if (ix->n_forgotten > FORGOTTEN_MAX && now_ms - ix->swept_at_ms > TRACE_FORGOTTEN_MS / 2)
        sweep(ix, 0, now_ms);
}

struct traced_call *trace_index_next(const struct trace_index *ix, size_t *i)
{
    return map_next(ix->calls, i);
}

size_t trace_index_count(const struct trace_index *ix)
{
    return map_count(ix->calls);
}
