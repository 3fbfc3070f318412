/* feed: holds the ring of the newest events and its readers, and wakes them.
 *
 * The writer must not wait until a thousand readers are woken: it leaves a note in a mailbox, and
 * only while there are readers. The feed's thread moves notes into the ring and wakes the readers
 * whose filter lets the event through. The ring has no gap: it holds every row with from < n <=
 * last, or it is empty. A missing number (a note that found no room, rows of a commit whose answer
 * was lost) empties it, and readers go to the store.
 *
 * There is a mutex because many threads read the ring; the writer never takes it. */
#include "hub/feed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/share.h"
#include "store/rows/expiry.h"

enum {
    OWN_FIRST = 16,       /* readers that an owner may always have, however many others have */
    RING = 4096,          /* events, a power of two */
    RING_BYTES = 8 << 20, /* of payloads */
    NOTES_MAX = 16384,    /* on their way to our thread */
    PAGE_ROWS = 4096,     /* looked at in one go */
    PAGE_FOUND = 256,
    PAGES_MAX =
        8, /* read at once, so that a list of events need not wait behind a thousand streams */
    EVENT_BYTES = 512, /* that an event has about besides its payload */
};

struct feed {
    struct feed_config c;
    struct mailbox *notes;
    pthread_t thread;
    _Atomic int64_t told; /* the newest row the writer spoke of; it alone writes it */
    _Atomic int64_t lost; /* the newest row whose note found no room */
    atomic_size_t n_readers;
    pthread_mutex_t lock; /* all below */
    int64_t from, last;
    size_t bytes;
    bool closed;
    struct feed_reader *readers, *queue, **queue_tail; /* the queue waits for pages */
    unsigned pages;                                    /* that are being read, or granted */
    const struct event *ring[RING];                    /* of row n at n % RING */
};

struct note {
    struct mail mail; /* first */
    struct feed *feed;
    int64_t n;
    const struct event *event;
};

/* ---- the ring; with the lock held ---- */

static const struct event **ring_slot(struct feed *f, int64_t n)
{
    return &f->ring[(uint64_t)n % RING];
}

static size_t bytes_of(const struct event *e)
{
    return e->payload.n + EVENT_BYTES;
}

static void ring_drop_oldest(struct feed *f)
{
    const struct event **at = ring_slot(f, ++f->from);
    f->bytes -= bytes_of(*at);
    event_drop(at);
}

/* Empties the ring: rows up to n come from the store. */
static void ring_reset(struct feed *f, int64_t n)
{
    while (f->from < f->last)
        ring_drop_oldest(f);
    f->from = f->last = n;
}

static void ring_put(struct feed *f, int64_t n, const struct event *e)
{
    if (n <= f->last)
        return; /* readers have had it from the store */
    if (n != f->last + 1)
        ring_reset(f, n - 1);
    *ring_slot(f, n) = event_hold(e);
    f->last = n;
    f->bytes += bytes_of(e);
    while (f->last - f->from > RING - 1 || (f->bytes > RING_BYTES && f->last - f->from > 1))
        ring_drop_oldest(f);
}

/* ---- the writer's side ---- */

static void on_note(struct mail *m)
{
    struct note *note = (struct note *)m;
    ring_put(note->feed, note->n, note->event);
    event_drop(&note->event);
    free(note);
}

void feed_told(struct feed *f, const struct stored *s)
{
    if (s->event_n <= atomic_load(&f->told))
        return;
    /* `told` is written before n_readers is read, and feed_join does it the other way round. So
     * either the reader is seen here, or the row is seen there. */
    atomic_store(&f->told, s->event_n);
    if (atomic_load(&f->n_readers) == 0)
        return;
    struct note *note = malloc(sizeof *note);
    if (note) {
        *note = (struct note){
            .mail = {.open = on_note}, .feed = f, .n = s->event_n, .event = event_hold(s->event)};
        if (mailbox_put(f->notes, &note->mail) == OK)
            return;
        event_drop(&note->event);
        free(note);
    }
    atomic_store(&f->lost, s->event_n);
}

int64_t feed_last(const struct feed *f)
{
    return atomic_load(&f->told);
}

void feed_forget(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    ring_reset(f, f->last);
    pthread_mutex_unlock(&f->lock);
}

/* ---- readers ---- */

bool feed_filter_fits(const struct feed_filter *filter, const struct event *e)
{
    return (!filter->account || e->account == filter->account) &&
           (filter->kind < 0 || (enum event_kind)filter->kind == e->kind) &&
           e->occurred_at_ms >= filter->since_ms &&
           (!filter->number[0] || str_eq(e->number, str_of(filter->number))) &&
           (!filter->call_id[0] || str_eq(e->call_id, str_of(filter->call_id)));
}

/* Has the reader something to do? Its cursor passes events that it need not see. */
static bool reader_has_news(struct feed *f, struct feed_reader *r)
{
    if (r->cursor < f->from)
        return !r->queued; /* the store knows */
    while (r->cursor < f->last) {
        if (feed_filter_fits(&r->filter, *ring_slot(f, r->cursor + 1)))
            return true;
        r->cursor++;
    }
    return false;
}

static void reader_wake(struct feed_reader *r)
{
    r->waits = false;
    r->wake(r);
}

static void readers_wake_due(struct feed *f)
{
    int64_t now = clock_mono_ms();
    for (struct feed_reader *r = f->readers; r; r = r->next)
        if (r->waits && (f->closed || r->wake_at_mono <= now || reader_has_news(f, r)))
            reader_wake(r);
}

/* ---- pages of the store, a few at a time, in turn; with the lock held ---- */

static void queue_put(struct feed *f, struct feed_reader *r)
{
    r->queued = true;
    r->queue_next = NULL;
    *f->queue_tail = r;
    f->queue_tail = &r->queue_next;
}

static void queue_remove(struct feed *f, struct feed_reader *r)
{
    struct feed_reader **at = &f->queue;
    while (*at != r)
        at = &(*at)->queue_next;
    *at = r->queue_next;
    if (f->queue_tail == &r->queue_next)
        f->queue_tail = at;
    r->queued = false;
}

static void page_over(struct feed *f, struct feed_reader *r)
{
    r->granted = false;
    f->pages--;
    while (f->queue && f->pages < PAGES_MAX) {
        struct feed_reader *next = f->queue;
        queue_remove(f, next);
        if (!next->waits)
            continue; /* it is busy with its client, and comes again */
        next->granted = true;
        f->pages++;
        reader_wake(next);
    }
}

/* May the reader read a page now? Otherwise it is put into the queue. */
static bool reader_may_read(struct feed *f, struct feed_reader *r)
{
    if (!r->granted && !r->queued) {
        if (f->pages < PAGES_MAX && !f->queue) {
            r->granted = true;
            f->pages++;
        } else {
            queue_put(f, r);
        }
    }
    return r->granted;
}

static enum feed_entry feed_room_for(const struct feed *f, const struct feed_reader *r)
{
    size_t all = 0, own = 0;
    for (const struct feed_reader *k = f->readers; k; k = k->next) {
        all++;
        own += k->owner == r->owner;
    }
    const struct share share = {.max = f->c.max, .first = OWN_FIRST};
    bool shared = f->c.max_of_one < f->c.max; /* otherwise the operator lets one have all */
    if (f->closed)
        return FEED_CLOSED;
    if (all >= f->c.max)
        return FEED_FULL;
    return own >= f->c.max_of_one || (shared && !share_allows(&share, own, all)) ? FEED_OWNER_FULL
                                                                                 : FEED_JOINED;
}

enum feed_entry feed_join(struct feed *f, struct feed_reader *r, int64_t after)
{
    pthread_mutex_lock(&f->lock);
    enum feed_entry joined = feed_room_for(f, r);
    if (joined == FEED_JOINED) {
        bool first = atomic_fetch_add(&f->n_readers, 1) == 0;
        int64_t told = atomic_load(&f->told);
        if (first && told > f->last)
            ring_reset(f, told); /* there were no notes until now */
        r->cursor = after < 0 || after > told ? told : after;
        r->waits = r->queued = r->granted = false;
        r->prev = NULL;
        r->next = f->readers;
        if (r->next)
            r->next->prev = r;
        f->readers = r;
    }
    pthread_mutex_unlock(&f->lock);
    metric_add(joined == FEED_JOINED ? METRIC_STREAMS : METRIC_STREAMS_REFUSED, 1);
    return joined;
}

void feed_leave(struct feed *f, struct feed_reader *r)
{
    pthread_mutex_lock(&f->lock);
    if (r->prev)
        r->prev->next = r->next;
    else
        f->readers = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->waits = false;
    if (r->queued)
        queue_remove(f, r);
    if (r->granted)
        page_over(f, r);
    if (atomic_fetch_sub(&f->n_readers, 1) == 1)
        ring_reset(f, f->last);
    pthread_mutex_unlock(&f->lock);
    metric_add(METRIC_STREAMS, -1);
}

enum feed_state feed_take(struct feed *f, struct feed_reader *r, int64_t wake_at_mono,
                          struct feed_item item[FEED_TAKE_MAX], size_t *ret_n)
{
    enum feed_state state = FEED_ITEMS;
    size_t n = 0, bytes = 0;
    pthread_mutex_lock(&f->lock);
    while (n < FEED_TAKE_MAX && bytes < FEED_TAKE_BYTES && r->cursor >= f->from &&
           reader_has_news(f, r)) {
        item[n].n = ++r->cursor;
        item[n].event = event_hold(*ring_slot(f, r->cursor));
        bytes += item[n++].event->payload.n;
    }
    if (f->closed)
        state = n ? FEED_ITEMS : FEED_ENDED;
    else if (n == 0 && r->cursor < f->from)
        state = reader_may_read(f, r) ? FEED_BEHIND : FEED_WAIT;
    else if (n == 0)
        state = FEED_WAIT;
    r->waits = state == FEED_WAIT;
    r->wake_at_mono = wake_at_mono;
    pthread_mutex_unlock(&f->lock);
    *ret_n = n;
    return state;
}

struct page {
    event_row *row;
    void *arg;
    int64_t at;
    unsigned found;
    bool stopped;
};

static bool page_on_row(void *arg, int64_t n, const struct event *e)
{
    struct page *p = arg;
    p->at = n;
    p->found++;
    p->stopped = !p->row(p->arg, n, e);
    return !p->stopped;
}

enum err feed_page(const struct feed *f, const struct feed_reader *r, struct db *db, event_row *row,
                   void *arg, int64_t *ret_cursor)
{
    /* Everything up to `told` is committed, and the job's view of the store is younger. */
    int64_t told = feed_last(f), after = r->cursor;
    int64_t until = told - after > PAGE_ROWS ? after + PAGE_ROWS : told;
    struct page p = {.row = row, .arg = arg};
    struct event_range range = {.account = r->filter.account,
                                .number = str_of(r->filter.number),
                                .call_id = str_of(r->filter.call_id),
                                .kind = r->filter.kind,
                                .since_ms = r->filter.since_ms,
                                .after_n = after,
                                .until_n = until,
                                .limit = PAGE_FOUND};
    *ret_cursor = after;
    if (until <= after)
        return OK;
    enum err err = event_list_after(db, &range, page_on_row, &p);
    if (err == OK)
        *ret_cursor = p.stopped || p.found == PAGE_FOUND ? p.at : until;
    return err;
}

void feed_went(struct feed *f, struct feed_reader *r, int64_t cursor)
{
    pthread_mutex_lock(&f->lock);
    r->cursor = cursor;
    page_over(f, r);
    pthread_mutex_unlock(&f->lock);
}

void feed_seek(struct feed *f, struct feed_reader *r, int64_t cursor)
{
    pthread_mutex_lock(&f->lock);
    r->cursor = cursor;
    pthread_mutex_unlock(&f->lock);
}

int64_t feed_cursor(struct feed *f, const struct feed_reader *r)
{
    pthread_mutex_lock(&f->lock);
    int64_t cursor = r->cursor;
    pthread_mutex_unlock(&f->lock);
    return cursor;
}

/* ---- the thread ---- */

static void *feed_main(void *arg)
{
    struct feed *f = arg;
    bool closed = false;
    pthread_setname_np(pthread_self(), "feed");
    while (!closed) {
        struct mail *batch = mailbox_wait_for(f->notes, f->c.tick_ms, &closed);
        pthread_mutex_lock(&f->lock);
        mail_open_all(batch);
        int64_t lost = atomic_load(&f->lost);
        if (lost > f->last)
            ring_reset(f, lost);
        if (!f->readers)
            ring_reset(f, f->last);
        readers_wake_due(f);
        pthread_mutex_unlock(&f->lock);
    }
    return NULL;
}

struct last_job {
    struct store_job job; /* first */
    int64_t n;
};

static enum err last_run(struct store_job *job, struct db *db)
{
    return event_last(db, &((struct last_job *)job)->n);
}

enum err feed_start(const struct feed_config *c, struct feed **ret)
{
    struct last_job last = {.job = {.run = last_run}};
    struct feed *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->c = *c;
    f->queue_tail = &f->queue;
    pthread_mutex_init(&f->lock, NULL);
    enum err err = store_read_now(c->store, &last.job);
    if (err == OK)
        err = mailbox_new(&f->notes, NOTES_MAX, NULL, NULL);
    f->from = f->last = last.n;
    atomic_init(&f->told, last.n);
    if (err == OK && pthread_create(&f->thread, NULL, feed_main, f) != 0)
        err = ERR_NOMEM;
    if (err != OK) {
        if (f->notes)
            mailbox_free(f->notes);
        pthread_mutex_destroy(&f->lock);
        free(f);
        return err;
    }
    *ret = f;
    return OK;
}

void feed_close(struct feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->closed = true;
    readers_wake_due(f);
    pthread_mutex_unlock(&f->lock);
}

void feed_stop(struct feed *f)
{
    if (!f)
        return;
    feed_close(f);
    mailbox_close(f->notes);
    pthread_join(f->thread, NULL);
    ASSERT(!f->readers);
    mailbox_free(f->notes);
    ring_reset(f, f->last);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
