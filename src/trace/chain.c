/* chain: follows the links of a call's records back. Links lead only to lower positions, so that a
 * damaged disk cannot make a circle; a link to an overwritten record ends the chain. */
#include "trace/chain.h"

#include <stdlib.h>
#include <string.h>

struct chain { /* *_begin, then while (*_next) */
    struct trace_ring *ring;
    struct trace_id id;
    uint64_t at, next; /* next 0: that was the call's first record */
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

/* Finds the *ret_n positions of the chain, the newest first. */
static void chain_find(struct chain *ch, struct trace_read *r, uint64_t *at, size_t *ret_n)
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
        r->truncated = true; /* gone, or more than the reader gets */
    *ret_n = n;
}

enum err chain_read(struct trace_ring *ring, const struct trace_entry *c, struct trace_read *r)
{
    size_t n;
    enum err err = OK;
    if (!c || !c->last)
        return OK;
    struct chain ch = {.ring = ring, .id = c->id, .next = c->last};
    uint64_t *at = calloc(TRACE_READ_MESSAGES, sizeof *at);
    if (!at)
        return ERR_NOMEM;
    chain_find(&ch, r, at, &n);
    while (err == OK && n) {
        err = trace_ring_read(ring, at[--n], &r->records);
        if (err == ERR_NOT_FOUND) { /* damaged: the others are kept without it */
            r->truncated = true;
            err = OK;
        }
    }
    r->kept = r->records.n > 0;
    free(at);
    return err;
}

enum err chain_blank(struct trace_ring *ring, const struct trace_entry *c)
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
