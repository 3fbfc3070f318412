/* chain: back along the links of a call's records. Links go to lower positions alone, so that
 * what a damaged disk says cannot make a circle; a link to what the ring has overwritten ends it.
 */
#include "trace/chain.h"

#include <stdlib.h>
#include <string.h>

struct chain { /* *_begin, then while (*_next) */
    struct trace_ring *ring;
    struct trace_id id;
    uint64_t at, next; /* next 0: that was the first that there ever was */
    struct trace_record head;
};

static bool chain_next(struct chain *ch)
{
    if (!ch->next || trace_ring_head(ch->ring, ch->next, &ch->head) != OK ||
        memcmp(&ch->head.call, &ch->id, sizeof ch->id) != 0 || ch->head.before >= ch->next)
        return false;
    ch->at = ch->next;
    ch->next = ch->head.before;
    return true;
}

/* *ret_n positions, the newest first. */
static void find(struct chain *ch, struct trace_read *r, uint64_t *at, size_t *ret_n)
{
    size_t n = 0, bytes = 0;
    while (n < TRACE_READ_MESSAGES && bytes < TRACE_READ_BYTES && chain_next(ch)) {
        bytes += ch->head.size;
        if (ch->head.flags & TRACE_OMITTED)
            r->truncated = true;
        else
            at[n++] = ch->at;
    }
    if (ch->next)
        r->truncated = true; /* gone, or more than is given */
    *ret_n = n;
}

enum err chain_read(struct trace_ring *ring, const struct traced_call *c, struct trace_read *r)
{
    size_t n;
    enum err err = OK;
    if (!c || !c->last)
        return OK;
    struct chain ch = {.ring = ring, .id = c->id, .next = c->last};
    uint64_t *at = calloc(TRACE_READ_MESSAGES, sizeof *at);
    if (!at)
        return ERR_NOMEM;
    find(&ch, r, at, &n);
    while (err == OK && n) {
        err = trace_ring_read(ring, at[--n], &r->records);
        if (err == ERR_NOT_FOUND) { /* damaged: the others stand without it */
            r->truncated = true;
            err = OK;
        }
    }
    r->kept = r->records.n > 0;
    free(at);
    return err;
}

enum err chain_blank(struct trace_ring *ring, const struct traced_call *c)
{
    enum err err = OK;
    struct chain ch = {.ring = ring, .id = c->id, .next = c->last};
    while (chain_next(&ch)) {
        enum err one = trace_ring_blank(ring, ch.at);
        if (err == OK && one != ERR_NOT_FOUND)
            err = one;
    }
    return err;
}
