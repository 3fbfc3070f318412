/* endpoint_room: counts who wants what. It goes along the account's rows, and takes from the book
 * what the book has of that version; only what this very transaction changed is parsed again.
 * Called by api/endpoints_api. */
#include "hub/endpoint_room.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"

struct wanted { /* of one number, by how many besides those that want all numbers */
    char number[NUMBER_SIZE];
    uint64_t last; /* row that was counted last: it may name the number twice */
    unsigned by[EVENT_KIND_COUNT];
};

struct room {
    const struct book *book;
    struct str id;                  /* of the endpoint that is to come */
    const struct endpoint *e;       /* the same */
    unsigned all[EVENT_KIND_COUNT]; /* by how many of those that want all numbers */
    struct map *numbers;            /* struct wanted */
    enum err err;
};

static struct wanted *number_entry(struct room *r, struct str number)
{
    struct wanted *w = map_get(r->numbers, number);
    if (w || !(w = calloc(1, sizeof *w)))
        return w;
    if (str_copy(number, w->number, sizeof w->number) != OK ||
        map_put(r->numbers, str_of(w->number), w, NULL) != OK) {
        free(w);
        return NULL;
    }
    return w;
}

static void count(unsigned by[EVENT_KIND_COUNT], event_mask events)
{
    for (unsigned k = 0; k < EVENT_KIND_COUNT; k++)
        by[k] += (events & EVENT_BIT(k)) != 0;
}

/* Of one that is there. Where the new one wants some numbers alone, others are of no interest. */
static void endpoint_count(struct room *r, uint64_t row, const struct endpoint *e)
{
    if (!(e->events & r->e->events))
        return;
    if (!e->numbers) {
        count(r->all, e->events);
        return;
    }
    for (size_t i = 0; r->err == OK && i < e->n_numbers; i++) {
        struct str number = str_of(e->numbers[i]);
        struct wanted *w = r->e->numbers ? map_get(r->numbers, number) : number_entry(r, number);
        if (w && w->last != row) {
            w->last = row;
            count(w->by, e->events);
        } else if (!w && !r->e->numbers) {
            r->err = ERR_NOMEM;
        }
    }
}

static bool on_row(void *arg, const struct setting *s)
{
    struct room *r = arg;
    struct field_error fault;
    struct json *doc = NULL;
    struct endpoint *e = NULL;
    const struct book_endpoint *known = book_endpoint(r->book, s->n);
    if (str_eq(s->id, r->id))
        return true; /* as it was before, or from a run of this job */
    if (known && known->version == s->version) {
        endpoint_count(r, s->n, known->set);
        return r->err == OK;
    }
    enum err err = json_parse(s->doc, &doc, NULL, 0);
    if (err == OK)
        err = endpoint_parse(doc, &e, &fault);
    if (err == OK)
        endpoint_count(r, s->n, e);
    else if (err == ERR_NOMEM)
        r->err = err; /* one that cannot be read gets nothing */
    json_free(doc);
    endpoint_free(e);
    return r->err == OK;
}

/* The kind of which there are enough already; EVENT_KIND_COUNT: none. */
static unsigned kind_at_limit(const struct room *r, const unsigned by[EVENT_KIND_COUNT])
{
    unsigned k = 0;
    while (k < EVENT_KIND_COUNT && !((r->e->events & EVENT_BIT(k)) &&
                                     r->all[k] + (by ? by[k] : 0) >= ENDPOINTS_PER_EVENT_MAX))
        k++;
    return k;
}

static enum err judge(const struct room *r, char *why, size_t cap)
{
    const struct wanted *w = NULL, *full = NULL;
    unsigned k = r->e->numbers ? EVENT_KIND_COUNT : kind_at_limit(r, NULL);
    for (size_t i = 0; k == EVENT_KIND_COUNT && (w = map_next(r->numbers, &i));)
        if ((k = kind_at_limit(r, w->by)) < EVENT_KIND_COUNT)
            full = w;
    if (k == EVENT_KIND_COUNT)
        return OK;
    snprintf(why, cap, "At most %d endpoints may want one event of one number; %s of %s has %d.",
             ENDPOINTS_PER_EVENT_MAX, event_kind_name((enum event_kind)k),
             full ? full->number : "all numbers", ENDPOINTS_PER_EVENT_MAX);
    return ERR_FULL;
}

enum err endpoint_room(struct db *db, const struct book *book, uint64_t account, struct str id,
                       const struct endpoint *e, char *ret_why, size_t cap)
{
    struct wanted *w;
    struct room r = {.book = book, .id = id, .e = e, .numbers = map_new()};
    if (!r.numbers)
        return ERR_NOMEM;
    for (size_t i = 0; r.err == OK && e->numbers && i < e->n_numbers; i++)
        if (!number_entry(&r, str_of(e->numbers[i])))
            r.err = ERR_NOMEM;
    enum err err = r.err;
    if (err == OK)
        err = setting_list(db, SETTING_ENDPOINT, account, 0, 0, on_row, &r);
    if (err == OK)
        err = r.err;
    if (err == OK)
        err = judge(&r, ret_why, cap);
    for (size_t i = 0; (w = map_next(r.numbers, &i));)
        free(w);
    map_free(r.numbers);
    return err;
}
