/* admission: decides who gets an event, and writes the event, its deliveries and the call's row. It
 * remembers an earlier run of its job, which makes a commit whose answer was lost harmless. Made on
 * any thread; put and told on the writer's. */
#include "hub/admission_inside.h"

#include <stdlib.h>

#include "base/metrics.h"

enum { ROW_MAX = 256 * 1024 };

uint64_t lane_key(uint64_t endpoint, const struct event *e)
{
    char text[512];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    buf_put_u64(&b, endpoint);
    buf_putc(&b, ' ');
    if (e->call_id.n) {
        buf_put_str(&b, e->call_id);
    } else if (e->kind == EVENT_SMS_RECEIVED) {
        buf_put_str(&b, e->number);
        buf_putc(&b, ' ');
        buf_put_str(&b, str_slice(e->peer, 0, 128));
    } else {
        buf_put_str(&b, e->id);
    }
    return hash64(buf_str(&b));
}

bool endpoint_wants(const struct book_endpoint *ep, enum event_kind kind, struct str number)
{
    if (!(ep->set->events & EVENT_BIT(kind)))
        return false;
    if (!ep->set->numbers)
        return true;
    for (size_t i = 0; i < ep->set->n_numbers; i++)
        if (str_eq(number, str_of(ep->set->numbers[i])))
            return true;
    return false;
}

/* Does the endpoint, which watches the event's number, want the event? */
static bool endpoint_wants_event(const struct book_endpoint *ep, const struct event *e)
{
    return !ep->set->disabled && ep->set->events & EVENT_BIT(e->kind);
}

void admission_withdraw(const struct admission *a, struct sequences *seq)
{
    for (size_t i = 0; a && seq && i < a->n; i++)
        for (size_t k = 0; k < seq->n; k++)
            if (seq->at[k].endpoint == (uint32_t)a->delivery[i].endpoint)
                seq->at[k].count = a->delivery[i].sequence - 1;
}

static enum err admission_copy_row(struct admission *a, const struct call_row *row)
{
    struct str *slices[] = {&a->row.call_id,     &a->row.trunk, &a->row.number, &a->row.peer,
                            &a->row.destination, &a->row.facts, &a->row.legs};
    a->row = *row;
    a->has_row = true;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        buf_put_str(&a->row_mem, *slices[i]);
    size_t at = 0;
    for (size_t i = 0; a->row_mem.err == OK && i < sizeof slices / sizeof *slices; i++) {
        slices[i]->p = a->row_mem.p + at;
        at += slices[i]->n;
    }
    return a->row_mem.err;
}

static struct admission *admission_alloc(struct intake *in, const struct event **e, size_t max)
{
    struct admission *a = calloc(1, sizeof *a + max * sizeof a->delivery[0]);
    if (!a) {
        event_drop(e);
        return NULL;
    }
    a->in = in;
    a->event = *e;
    *e = NULL;
    buf_init(&a->row_mem, ROW_MAX);
    return a;
}

static enum err admission_add(struct admission *a, uint64_t endpoint, struct sequences *seq)
{
    struct delivery *d = &a->delivery[a->n];
    *d = (struct delivery){.endpoint = endpoint, .lane = lane_key(endpoint, a->event)};
    enum err err = event_kind_is_call(a->event->kind) && a->event->call_id.n
                       ? sequence_next(seq, endpoint, &d->sequence)
                       : OK;
    if (err == OK)
        a->n++;
    return err;
}

enum err admission_new(struct intake *in, const struct book *book, const struct event **e,
                       struct sequences *seq, const struct call_row *row, struct admission **ret)
{
    size_t wanted = 0;
    const struct book_endpoint *ep;
    const struct book_watchers all = book_watchers(book, (*e)->account, (*e)->number);
    for (struct book_watchers w = all; (ep = book_watcher_next(&w));)
        wanted += endpoint_wants_event(ep, *e);
    struct admission *a = admission_alloc(in, e, wanted);
    if (!a)
        return ERR_NOMEM;
    enum err err = OK;
    for (struct book_watchers w = all; err == OK && (ep = book_watcher_next(&w));)
        if (endpoint_wants_event(ep, a->event))
            err = admission_add(a, ep->n, seq);
    if (err == OK && row)
        err = admission_copy_row(a, row);
    if (err != OK) {
        admission_withdraw(a, seq);
        admission_free(a);
        return err;
    }
    *ret = a;
    return OK;
}

enum err admission_new_for(struct intake *in, uint64_t endpoint, const struct event **e,
                           struct admission **ret)
{
    struct admission *a = admission_alloc(in, e, 1);
    if (!a)
        return ERR_NOMEM;
    enum err err = admission_add(a, endpoint, NULL);
    if (err != OK) {
        admission_free(a);
        return err;
    }
    *ret = a;
    return OK;
}

const struct delivery *admission_deliveries(const struct admission *a, size_t *ret_n)
{
    *ret_n = a->n;
    return a->delivery;
}

const struct event *admission_event(const struct admission *a)
{
    return a->event;
}

void admission_free(struct admission *a)
{
    if (!a)
        return;
    event_drop(&a->event);
    buf_fini(&a->row_mem);
    free(a);
}

enum err admission_put(struct admission *a, struct db *db)
{
    enum err err = event_put(db, a->event, &a->event_n, &a->is_new);
    /* The row is its own, with its deliveries, from a commit whose answer was lost. It counts as
     * new, otherwise it would not be delivered before the next start. */
    bool mine = err == OK && !a->is_new && a->event_n == a->put_n;
    if (err == OK && a->is_new)
        a->put_n = a->event_n;
    for (size_t i = 0; err == OK && a->is_new && i < a->n; i++) {
        a->delivery[i].event_n = a->event_n;
        err = delivery_put(db, &a->delivery[i]);
    }
    if (err == OK && a->has_row)
        err = call_put(db, &a->row);
    a->is_new |= mine;
    return err;
}

enum err admission_find(const struct admission *a, struct db *db, bool *ret_put)
{
    int64_t n = 0;
    *ret_put = false;
    if (!a->put_n)
        return OK;
    enum err err = event_find(db, a->event->account, a->event->id, &n);
    *ret_put = err == OK && n == a->put_n;
    return err == ERR_NOT_FOUND ? OK : err;
}

void admission_tell(const struct admission *a)
{
    metric_add(a->is_new ? METRIC_EVENTS_STORED : METRIC_EVENTS_DUPLICATE, 1);
    if (!a->is_new)
        return;
    struct stored s = {
        .event = a->event, .event_n = a->event_n, .deliveries = a->delivery, .n_deliveries = a->n};
    intake_tell(a->in, &s);
}

bool admission_is_new(const struct admission *a)
{
    return a->is_new;
}
