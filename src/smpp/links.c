/* links: follows the book. Twice a second it reads the book's number; when that changed, it gives
 * each link of mode client its new settings, and ends links that are gone. A link stays here until
 * its last session has unbound. edge.c calls it, on the edge's loop. */
#include "smpp/links.h"

#include <stdlib.h>

#include "base/log.h"
#include "smpp/link.h"

enum { TICK_MS = 500, DRAIN_TICK_MS = 20 };

static enum err links_tls_make(struct links *l)
{
    struct tls_config c = {.ca_file = l->c.ca_file};
    return l->tls ? OK : tls_new(&c, &l->tls);
}

static struct link *link_of(struct links *l, const struct book_smpp_link *from)
{
    struct link *k = map_get(l->by_n, str_of_u64(&from->n));
    if (k || !(k = link_new(l, from)))
        return k;
    if (map_put(l->by_n, str_of_u64(&k->n), k, NULL) == OK)
        return k;
    link_free(k);
    return NULL;
}

static void links_drop_gone(struct links *l, const struct book *book)
{
    struct link *k;
    for (size_t i = 0; (k = map_next(l->by_n, &i));) {
        const struct book_smpp_link *now = book_smpp_link(book, k->n);
        if (now && now->set->mode == SMPP_CLIENT)
            continue;
        if (k->ours) {
            link_set(k, NULL, false);
            if (!now) /* else the listener has it now, and tells its state */
                link_states_remove(l->c.states, k->n);
        }
        if (link_is_empty(k)) {
            map_remove(l->by_n, str_of_u64(&k->n));
            link_free(k);
        }
    }
}

/* Updates the links from the book. After ERR_NOMEM and the like the next tick tries again. */
static enum err links_follow_book(struct links *l, const struct book *book)
{
    const struct book_smpp_link *from;
    enum err all = OK;
    for (struct trie_walk walk = {0}; (from = book_smpp_link_next(book, &walk));) {
        if (from->set->mode != SMPP_CLIENT)
            continue;
        struct link *k = link_of(l, from);
        enum err err = !k ? ERR_NOMEM : from->set->tls ? links_tls_make(l) : OK;
        if (err == OK)
            link_set(k, from, true);
        else
            all = err;
    }
    return all;
}

static bool links_are_idle(const struct links *l)
{
    struct link *k;
    for (size_t i = 0; (k = map_next(l->by_n, &i));)
        if (!link_is_empty(k))
            return false;
    return true;
}

static void links_on_tick(struct timer *t)
{
    struct links *l = t->arg;
    struct link *k;
    uint64_t generation = books_generation(l->c.books);
    const struct book *book = book_take(l->c.books);
    if (generation != l->generation && !l->draining && links_follow_book(l, book) == OK)
        l->generation = generation;
    links_drop_gone(l, book);
    book_drop(&book);
    for (size_t i = 0; (k = map_next(l->by_n, &i));)
        link_show(k); /* messages were counted meanwhile */
    if (l->draining && links_are_idle(l)) {
        l->on_idle(l->on_idle_arg);
        return;
    }
    loop_timer(l->c.loop, &l->tick, l->draining ? DRAIN_TICK_MS : TICK_MS, links_on_tick, l);
}

enum err links_new(const struct links_config *c, struct links **ret)
{
    enum err err = OK;
    struct links *l = calloc(1, sizeof *l);
    if (!l || !(l->by_n = map_new())) {
        free(l);
        return ERR_NOMEM;
    }
    l->c = *c;
    l->generation = UINT64_MAX;
    if (c->ca_file && (err = links_tls_make(l)) != OK) {
        links_free(l);
        return err;
    }
    loop_timer(c->loop, &l->tick, 0, links_on_tick, l);
    *ret = l;
    return OK;
}

void links_drain(struct links *l, void (*on_idle)(void *), void *arg)
{
    struct link *k;
    l->draining = true;
    l->on_idle = on_idle;
    l->on_idle_arg = arg;
    for (size_t i = 0; (k = map_next(l->by_n, &i));)
        link_set(k, NULL, false);
    loop_timer(l->c.loop, &l->tick, 0, links_on_tick, l);
}

void links_free(struct links *l)
{
    struct link *k;
    if (!l)
        return;
    timer_stop(&l->tick);
    for (size_t i = 0; (k = map_next(l->by_n, &i));)
        link_free(k);
    map_free(l->by_n);
    tls_free(l->tls);
    free(l);
}
