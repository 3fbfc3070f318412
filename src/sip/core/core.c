/* core: makes and frees what calls and texts share, and keeps the book the present one. Edge's
 * thread. */
#include "sip/core/core.h"

#include <stdio.h>
#include <stdlib.h>

#include "hub/book.h"
#include "sip/core/limits.h"

void core_book_renew(struct sip_core *core)
{
    uint64_t now = books_generation(core->c.books);
    if (core->book && now == core->generation)
        return;
    book_drop(&core->book);
    core->generation = now;
    core->book = book_take(core->c.books);
    const struct book_account *own = book_account_named(core->book, STR("default"));
    core->operators = own ? own->n : 0;
}

struct buf core_scratch(struct sip_core *core)
{
    struct buf b;
    buf_wrap(&b, core->scratch, SCRATCH_MAX);
    return b;
}

struct buf core_scratch_reply(struct sip_core *core)
{
    struct buf b;
    buf_wrap(&b, core->scratch, BLOCK_MAX);
    return b;
}

enum err core_init(struct sip_core *core, const struct sip_config *c, size_t calls,
                   const struct transport_user *tu, const struct transaction_user *xu, char *why,
                   size_t cap)
{
    enum err err = OK;
    core->c = *c;
    core->txns_max = TXNS_LEAST + calls * TXNS_PER_CALL;
    snprintf(why, cap, "%s", err_text(ERR_NOMEM));
    core->scratch = malloc(BLOCK_MAX);
    core->parties = map_new();
    if (!core->scratch || !core->parties)
        err = ERR_NOMEM;
    if (err == OK)
        err = blocks_new(&core->blocks);
    if (err == OK)
        err = transport_new(c->loop, c->guard, &c->listens, tu, &core->transport, why, cap);
    if (err == OK && c->trace_log)
        err = trace_new(c->loop, core->transport, c->trace_log, &core->trace);
    if (err == OK)
        err = transactions_new(c->loop, core->transport, core->blocks, core->txns_max, c->t1_ms, xu,
                               &core->txns);
    if (err == OK)
        core_book_renew(core);
    return err;
}

void core_fini(struct sip_core *core)
{
    transactions_free(core->txns);
    core->txns = NULL;
    trace_free(core->trace);
    transport_free(core->transport);
    blocks_free(core->blocks);
    limits_free(core);
    book_drop(&core->book);
    free(core->scratch);
}
