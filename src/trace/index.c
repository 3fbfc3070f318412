/* index: keeps an entry of some 130 bytes for each call that has a record in the ring. An entry
 * ends with the segment of its newest record; the entry of an erased call stays for two minutes,
 * since a message of that call may still be on its way. */
#include "trace/index.h"

#include <stdlib.h>

enum { FORGOTTEN_MAX = 4096 }; /* at this number, entries whose time is over are swept */

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
    struct trace_entry *c;
    if (!ix)
        return;
    for (size_t i = 0; (c = map_next(ix->calls, &i));)
        free(c);
    map_free(ix->calls);
    free(ix);
}

struct trace_entry *trace_index_get(const struct trace_index *ix, const struct trace_id *id)
{
    return map_get(ix->calls, key_of(id));
}

struct trace_entry *trace_index_make(struct trace_index *ix, const struct trace_id *id,
                                     int64_t now_ms)
{
    struct trace_entry *c = trace_index_get(ix, id);
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

bool trace_entry_admits(struct trace_entry *c, size_t bytes, int64_t now_ms)
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
    c->bytes -= (int32_t)bytes; /* the last message may go below 0 */
    return true;
}

void trace_index_remove(struct trace_index *ix, struct trace_entry *c)
{
    ix->n_forgotten -= c->forgotten_at_ms != 0;
    map_remove(ix->calls, key_of(&c->id));
    free(c);
}

static void forgotten_sweep(struct trace_index *ix, uint64_t oldest, int64_t now_ms)
{
    struct trace_entry *c;
    ix->swept_at_ms = now_ms;
    for (size_t i = 0; (c = map_next(ix->calls, &i));)
        if (c->forgotten_at_ms ? now_ms - c->forgotten_at_ms > TRACE_FORGOTTEN_MS
                               : c->last < oldest)
            trace_index_remove(ix, c);
}

void trace_index_evict(struct trace_index *ix, uint64_t oldest, int64_t now_ms)
{
    forgotten_sweep(ix, oldest, now_ms);
}

void trace_index_forget(struct trace_index *ix, struct trace_entry *c, int64_t now_ms)
{
    ix->n_forgotten += c->forgotten_at_ms == 0;
    c->forgotten_at_ms = now_ms ? now_ms : 1;
    c->last = c->first = 0;
    if (ix->n_forgotten > FORGOTTEN_MAX && now_ms - ix->swept_at_ms > TRACE_FORGOTTEN_MS / 2)
        forgotten_sweep(ix, 0, now_ms);
}

struct trace_entry *trace_index_next(const struct trace_index *ix, size_t *i)
{
    return map_next(ix->calls, i);
}

size_t trace_index_count(const struct trace_index *ix)
{
    return map_count(ix->calls);
}
