/* endpoint_room: counts the endpoints that want an event, by the book's index from a number to its
 * endpoints, and by the changes of other jobs of the same transaction. Called by
 * api/core/endpoint_kind. */
#include "hub/endpoint_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct change { /* of the transaction under way */
    uint64_t account;
    char id[ID_SIZE];
    struct endpoint *e;
};

struct endpoint_room {
    uint64_t begun; /* the transaction that `change` belongs to */
    size_t n, cap;
    struct change *change;
};

enum err endpoint_room_new(struct endpoint_room **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : ERR_NOMEM;
}

static void room_forget(struct endpoint_room *r)
{
    for (size_t i = 0; i < r->n; i++)
        endpoint_free(r->change[i].e);
    r->n = 0;
}

void endpoint_room_free(struct endpoint_room *r)
{
    if (!r)
        return;
    room_forget(r);
    free(r->change);
    free(r);
}

static struct change *room_change_of(const struct endpoint_room *r, struct str id)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(str_of(r->change[i].id), id))
            return &r->change[i];
    return NULL;
}

static enum err room_remember(struct endpoint_room *r, uint64_t account, struct str id,
                              struct endpoint **e)
{
    struct change *c = room_change_of(r, id);
    if (!c && r->n == r->cap) {
        size_t cap = r->cap ? 2 * r->cap : 8;
        void *more = realloc(r->change, cap * sizeof *r->change);
        if (!more)
            return ERR_NOMEM;
        r->change = more;
        r->cap = cap;
    }
    if (!c) {
        c = &r->change[r->n];
        c->e = NULL;
        enum err err = str_copy(id, c->id, sizeof c->id);
        if (err != OK)
            return err;
        r->n++;
    }
    endpoint_free(c->e);
    c->account = account;
    c->e = *e;
    *e = NULL;
    return OK;
}

/* ---- counting ---- */

struct question {
    const struct endpoint_room *room;
    const struct book *book;
    uint64_t account;
    struct str id; /* of the endpoint to be stored */
    const struct endpoint *e;
};

static bool endpoint_names(const struct endpoint *e, struct str number)
{
    if (!e->numbers)
        return true;
    for (size_t i = 0; i < e->n_numbers; i++)
        if (number.n && str_eq(number, str_of(e->numbers[i])))
            return true;
    return false;
}

static void events_count(unsigned by[EVENT_KIND_COUNT], event_mask events)
{
    for (unsigned k = 0; k < EVENT_KIND_COUNT; k++)
        by[k] += (events & EVENT_BIT(k)) != 0;
}

/* Finds an event of the number that enough others want; EVENT_KIND_COUNT: none. `number` "": those
 * that want all numbers. */
static unsigned question_full_kind(const struct question *q, struct str number)
{
    unsigned by[EVENT_KIND_COUNT] = {0}, k = 0;
    const struct book_endpoint *ep;
    for (struct book_watchers w = book_watchers(q->book, q->account, number);
         (ep = book_watcher_next(&w));)
        if (!str_eq(str_of(ep->id), q->id) && !room_change_of(q->room, str_of(ep->id)))
            events_count(by, ep->set->events);
    for (size_t i = 0; i < q->room->n; i++) {
        const struct change *c = &q->room->change[i];
        if (c->account == q->account && !str_eq(str_of(c->id), q->id) &&
            endpoint_names(c->e, number))
            events_count(by, c->e->events);
    }
    while (k < EVENT_KIND_COUNT &&
           !(q->e->events & EVENT_BIT(k) && by[k] >= ENDPOINTS_PER_EVENT_MAX))
        k++;
    return k;
}

static bool question_is_full(const struct question *q, struct str number, char *why, size_t cap)
{
    unsigned k = question_full_kind(q, number);
    if (k == EVENT_KIND_COUNT)
        return false;
    snprintf(why, cap, "At most %d endpoints may want one event of one number; %s of %.*s has %d.",
             ENDPOINTS_PER_EVENT_MAX, event_kind_name((enum event_kind)k),
             STR_FMT(number.n ? number : STR("all numbers")), ENDPOINTS_PER_EVENT_MAX);
    return true;
}

/* Is any number full? An endpoint that wants all numbers is one more for each that others name. */
static bool question_any_is_full(const struct question *q, char *why, size_t cap)
{
    struct trie_walk walk = {0};
    struct str number;
    uint64_t account;
    if (question_is_full(q, STR(""), why, cap))
        return true;
    while (book_watched_next(q->book, &walk, &account, &number))
        if (account == q->account && question_is_full(q, number, why, cap))
            return true;
    for (size_t i = 0; i < q->room->n; i++) {
        const struct change *c = &q->room->change[i];
        for (size_t k = 0; c->account == q->account && c->e->numbers && k < c->e->n_numbers; k++)
            if (question_is_full(q, str_of(c->e->numbers[k]), why, cap))
                return true;
    }
    return false;
}

static bool count_on_row(void *arg, const struct setting *s)
{
    ++*(unsigned *)arg;
    return true;
}

/* Has the whole account no more endpoints than may want one event? */
static enum err account_is_small(struct db *db, uint64_t account, bool *ret)
{
    unsigned n = 0;
    enum err err =
        setting_list(db, SETTING_ENDPOINT, account, 0, ENDPOINTS_PER_EVENT_MAX, count_on_row, &n);
    *ret = n < ENDPOINTS_PER_EVENT_MAX;
    return err;
}

static enum err question_judge(const struct question *q, struct db *db, char *why, size_t cap)
{
    bool full = false, small = false;
    enum err err = account_is_small(db, q->account, &small);
    if (err != OK || small)
        return err;
    if (!q->e->numbers)
        full = question_any_is_full(q, why, cap);
    for (size_t i = 0; !full && q->e->numbers && i < q->e->n_numbers; i++)
        full = question_is_full(q, str_of(q->e->numbers[i]), why, cap);
    return full ? ERR_FULL : OK;
}

enum err endpoint_room_take(struct endpoint_room *r, struct db *db, const struct book *book,
                            uint64_t account, struct str id, struct endpoint **e, char *ret_why,
                            size_t cap)
{
    if (r->begun != db_transaction(db))
        room_forget(r); /* the changes are in the book, or were not committed */
    r->begun = db_transaction(db);
    const struct question q = {r, book, account, id, *e};
    enum err err = question_judge(&q, db, ret_why, cap);
    if (err == OK)
        err = room_remember(r, account, id, e);
    endpoint_free(*e);
    *e = NULL;
    return err;
}
