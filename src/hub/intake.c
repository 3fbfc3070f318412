/* intake: the one door in. It decides who gets an event, writes the event, its deliveries and the
 * call's row in one job, and tells both sides after the commit. Prepare and submit: any thread. */
#include "hub/intake.h"

#include <stdlib.h>
#include <string.h>

#include "base/metrics.h"

enum { ROW_MAX = 256 * 1024 };

struct intake {
    struct store *store;
    intake_on_stored *on_stored;
    void *arg;
};

struct taking {
    struct store_job job; /* first */
    struct intake *in;
    const struct event *event;
    int64_t event_n, put_n; /* put_n: the row that a run of this job made; 0: none yet */
    bool is_new, has_row;
    struct call_row row;
    struct buf row_mem;
    intake_on_taken *on_taken;
    void *arg;
    uint64_t token;
    size_t n;
    struct delivery delivery[];
};

enum err intake_new(struct store *s, intake_on_stored *on_stored, void *arg, struct intake **ret)
{
    struct intake *in = calloc(1, sizeof *in);
    if (!in)
        return ERR_NOMEM;
    *in = (struct intake){s, on_stored, arg};
    *ret = in;
    return OK;
}

void intake_free(struct intake *in)
{
    free(in);
}

void intake_tell(struct intake *in, const struct stored *s)
{
    in->on_stored(in->arg, s);
}

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

/* The endpoint watches the event's number. */
static bool wants(const struct book_endpoint *ep, const struct event *e)
{
    return !ep->set->disabled && ep->set->events & EVENT_BIT(e->kind);
}

void taking_withdraw(const struct taking *t, struct sequences *seq)
{
    for (size_t i = 0; t && seq && i < t->n; i++)
        for (size_t k = 0; k < seq->n; k++)
            if (seq->at[k].endpoint == (uint32_t)t->delivery[i].endpoint)
                seq->at[k].count = t->delivery[i].sequence - 1;
}

static enum err row_copy(struct taking *t, const struct call_row *row)
{
    struct str *slices[] = {&t->row.call_id,     &t->row.trunk, &t->row.number, &t->row.peer,
                            &t->row.destination, &t->row.facts, &t->row.legs};
    t->row = *row;
    t->has_row = true;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        buf_put_str(&t->row_mem, *slices[i]);
    size_t at = 0;
    for (size_t i = 0; t->row_mem.err == OK && i < sizeof slices / sizeof *slices; i++) {
        slices[i]->p = t->row_mem.p + at;
        at += slices[i]->n;
    }
    return t->row_mem.err;
}

static struct taking *taking_new(struct intake *in, const struct event **e, size_t max)
{
    struct taking *t = calloc(1, sizeof *t + max * sizeof t->delivery[0]);
    if (!t) {
        event_drop(e);
        return NULL;
    }
    t->in = in;
    t->event = *e;
    *e = NULL;
    buf_init(&t->row_mem, ROW_MAX);
    return t;
}

static enum err add(struct taking *t, uint64_t endpoint, struct sequences *seq)
{
    struct delivery *d = &t->delivery[t->n];
    *d = (struct delivery){.endpoint = endpoint, .lane = lane_key(endpoint, t->event)};
    enum err err = event_kind_is_call(t->event->kind) && t->event->call_id.n
                       ? sequence_next(seq, endpoint, &d->sequence)
                       : OK;
    if (err == OK)
        t->n++;
    return err;
}

enum err intake_prepare(struct intake *in, const struct book *book, const struct event **e,
                        struct sequences *seq, const struct call_row *row, struct taking **ret)
{
    size_t wanted = 0;
    const struct book_endpoint *ep;
    const struct book_watchers all = book_watchers(book, (*e)->account, (*e)->number);
    for (struct book_watchers w = all; (ep = book_watcher_next(&w));)
        wanted += wants(ep, *e);
    struct taking *t = taking_new(in, e, wanted);
    if (!t)
        return ERR_NOMEM;
    enum err err = OK;
    for (struct book_watchers w = all; err == OK && (ep = book_watcher_next(&w));)
        if (wants(ep, t->event))
            err = add(t, ep->n, seq);
    if (err == OK && row)
        err = row_copy(t, row);
    if (err != OK) {
        taking_withdraw(t, seq);
        taking_free(t);
        return err;
    }
    *ret = t;
    return OK;
}

enum err intake_prepare_for(struct intake *in, uint64_t endpoint, const struct event **e,
                            struct taking **ret)
{
    struct taking *t = taking_new(in, e, 1);
    if (!t)
        return ERR_NOMEM;
    enum err err = add(t, endpoint, NULL);
    if (err != OK) {
        taking_free(t);
        return err;
    }
    *ret = t;
    return OK;
}

const struct delivery *taking_deliveries(const struct taking *t, size_t *ret_n)
{
    *ret_n = t->n;
    return t->delivery;
}

const struct event *taking_event(const struct taking *t)
{
    return t->event;
}

void taking_free(struct taking *t)
{
    if (!t)
        return;
    event_drop(&t->event);
    buf_fini(&t->row_mem);
    free(t);
}

enum err taking_put(struct taking *t, struct db *db)
{
    enum err err = event_put(db, t->event, &t->event_n, &t->is_new);
    /* Its own row, with its deliveries, from a commit whose answer was lost: new all the same, or
     * nobody would deliver it before the next start. */
    bool mine = err == OK && !t->is_new && t->event_n == t->put_n;
    if (err == OK && t->is_new)
        t->put_n = t->event_n;
    for (size_t i = 0; err == OK && t->is_new && i < t->n; i++) {
        t->delivery[i].event_n = t->event_n;
        err = delivery_put(db, &t->delivery[i]);
    }
    if (err == OK && t->has_row)
        err = call_put(db, &t->row);
    t->is_new |= mine;
    return err;
}

enum err taking_find(const struct taking *t, struct db *db, bool *ret_put)
{
    int64_t n = 0;
    *ret_put = false;
    if (!t->put_n)
        return OK;
    enum err err = event_find(db, t->event->account, t->event->id, &n);
    *ret_put = err == OK && n == t->put_n;
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err taking_run(struct store_job *job, struct db *db)
{
    return taking_put((struct taking *)job, db);
}

void taking_tell(const struct taking *t)
{
    metric_add(t->is_new ? METRIC_EVENTS_STORED : METRIC_EVENTS_DUPLICATE, 1);
    if (!t->is_new)
        return;
    struct stored s = {
        .event = t->event, .event_n = t->event_n, .deliveries = t->delivery, .n_deliveries = t->n};
    intake_tell(t->in, &s);
}

static void taking_committed(struct store_job *job)
{
    taking_tell((struct taking *)job);
}

static void taking_done(struct store_job *job)
{
    struct taking *t = (struct taking *)job;
    enum err err = t->job.err;
    t->on_taken(t->arg, t->token, &t, err, err == OK && !t->is_new);
    taking_free(t);
}

enum err intake_submit(struct intake *in, struct taking **t, struct mailbox *home,
                       intake_on_taken *on_taken, void *arg, uint64_t token)
{
    if (!store_is_writable(in->store))
        return ERR_STORE;
    struct taking *k = *t;
    k->on_taken = on_taken;
    k->arg = arg;
    k->token = token;
    k->job = (struct store_job){
        .run = taking_run, .committed = taking_committed, .done = taking_done, .home = home};
    enum err err = store_write(in->store, &k->job);
    if (err == OK)
        *t = NULL;
    return err;
}

/* ---- many at once ---- */

struct takings {
    struct store_job job; /* first */
    intake_on_taken *on_taken;
    void *arg;
    struct intake_companion with;
    bool skipped;
    size_t n;
    struct taking *t[];
};

static enum err takings_run(struct store_job *job, struct db *db)
{
    struct takings *all = (struct takings *)job;
    all->skipped = false;
    enum err err = all->with.before ? all->with.before(all->with.arg, db, &all->skipped) : OK;
    if (err != OK || all->skipped)
        return err;
    for (size_t i = 0; err == OK && i < all->n; i++)
        err = taking_put(all->t[i], db);
    if (err == OK && all->with.after)
        err = all->with.after(all->with.arg, db, (const struct taking *const *)all->t, all->n);
    return err;
}

static void takings_committed(struct store_job *job)
{
    struct takings *all = (struct takings *)job;
    for (size_t i = 0; !all->skipped && i < all->n; i++)
        taking_tell(all->t[i]);
}

static void takings_done(struct store_job *job)
{
    struct takings *all = (struct takings *)job;
    for (size_t i = 0; i < all->n; i++) {
        struct taking *t = all->t[i];
        bool duplicate = job->err == OK && (all->skipped || !t->is_new);
        all->on_taken(all->arg, i, NULL, job->err, duplicate);
        taking_free(t);
    }
    free(all);
}

enum err intake_submit_all(struct intake *in, struct taking **t, size_t n, struct mailbox *home,
                           intake_on_taken *on_taken, void *arg)
{
    static const struct intake_companion none = {0};
    return intake_submit_all_with(in, t, n, &none, home, on_taken, arg);
}

enum err intake_submit_all_with(struct intake *in, struct taking **t, size_t n,
                                const struct intake_companion *with, struct mailbox *home,
                                intake_on_taken *on_taken, void *arg)
{
    if (!store_is_writable(in->store))
        return ERR_STORE;
    struct takings *all = malloc(sizeof *all + n * sizeof all->t[0]);
    if (!all)
        return ERR_NOMEM;
    *all = (struct takings){.job = {.run = takings_run,
                                    .committed = takings_committed,
                                    .done = takings_done,
                                    .home = home,
                                    .weight = (unsigned)n},
                            .on_taken = on_taken,
                            .arg = arg,
                            .with = *with,
                            .n = n};
    memcpy(all->t, t, n * sizeof all->t[0]);
    enum err err = store_write(in->store, &all->job);
    if (err == OK)
        memset(t, 0, n * sizeof t[0]);
    else
        free(all);
    return err;
}

bool taking_is_new(const struct taking *t)
{
    return t->is_new;
}
