/* recover: carries out recoveries, one chunk at a time, endpoints in turn. A reader finds the next
 * missed events. The writer gives each a delivery in the lane of its call and writes how far the
 * recovery came, in one transaction; deliver is told after the commit. No more than PENDING_MAX
 * deliveries may wait at the endpoint meanwhile, so that its queue stays short, however long the
 * range is. */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "hub/chores/kinds.h"
#include "hub/chores/recovery.h"
#include "store/rows/expiry.h"

enum { CHUNK = 100, ROWS = 5000, PENDING_MAX = 1000, FULL_REST_MS = 200 };

struct missed_event { /* an event that goes out again */
    int64_t n;
    const struct event *event;
    struct delivery delivery;
    bool made;
};

struct recoverer {
    struct chore chore; /* first */
    uint64_t last;      /* the endpoint whose turn was last */
    bool any;           /* there is a recovery: `now` */
    struct recovery now;
    int64_t running,
        passed; /* recoveries there are; passed by in a row, as their endpoints are full */
    bool full, gone, at_end;
    int64_t at_n;
    struct missed_event missed[CHUNK];
    size_t n;
};

static void recoverer_drop_events(struct recoverer *r)
{
    for (size_t i = 0; i < r->n; i++)
        event_drop(&r->missed[i].event);
    r->n = 0;
}

static enum err recoverer_on_found(void *arg, struct db *db, int64_t event_n)
{
    struct recoverer *r = arg;
    struct event *e = NULL;
    enum err err = event_get(db, event_n, &e);
    if (err == OK)
        r->missed[r->n++] = (struct missed_event){.n = event_n, .event = e};
    if (!err_is_final(err))
        return err;
    log_error("recover", "event %lld cannot be read and is passed over: %s", (long long)event_n,
              err_text(err));
    return OK;
}

static enum err recover_find(struct recoverer *r, struct db *db, const struct book_endpoint *ep)
{
    int64_t pending = 0;
    enum err err = delivery_count_pending(db, r->now.endpoint, PENDING_MAX, &pending);
    if (err != OK)
        return err;
    r->full = pending > PENDING_MAX - CHUNK;
    if (r->full)
        return OK;
    struct recover_scan s = {.endpoint = ep,
                             .range = &r->now,
                             .at_n = r->now.at_n,
                             .rows_max = ROWS,
                             .found_max = CHUNK,
                             .on_found = recoverer_on_found,
                             .arg = r};
    err = recover_scan(db, &s);
    r->at_n = s.at_n;
    r->at_end = s.at_end;
    return err;
}

static enum err recover_look(struct chore *c, struct db *db)
{
    struct recoverer *r = (struct recoverer *)c;
    recoverer_drop_events(r);
    r->full = r->gone = r->at_end = false;
    enum err err = recovery_count_running(db, &r->running);
    if (err == OK)
        err = recovery_next(db, r->last, &r->now);
    if (err == ERR_NOT_FOUND && r->last)
        err = recovery_next(db, 0, &r->now);
    r->any = err == OK;
    if (err != OK)
        return err == ERR_NOT_FOUND ? OK : err;
    const struct book *book = book_take(c->config->books);
    const struct book_endpoint *ep = book_endpoint(book, r->now.endpoint);
    r->gone = !ep;
    if (ep)
        err = recover_find(r, db, ep);
    book_drop(&book);
    return err;
}

/* ---- on the writer ---- */

struct earlier_deliveries {
    uint64_t endpoint;
    unsigned sequence;
    bool wanted;
};

static bool earlier_deliveries_add(void *arg, const struct delivery *d)
{
    struct earlier_deliveries *b = arg;
    if (d->endpoint != b->endpoint)
        return true;
    if (d->sequence)
        b->sequence = d->sequence;
    b->wanted |= d->state == DELIVERY_PENDING || d->state == DELIVERY_DELIVERED;
    return true;
}

/* Looks at the event again, because it may have been erased, or sent by a person, since the reader
 * found it. */
static enum err recover_write_one(struct recoverer *r, struct db *db, struct missed_event *m)
{
    struct earlier_deliveries before = {.endpoint = r->now.endpoint};
    const struct event *e = m->event;
    int64_t n = 0;
    m->made = false;
    enum err err = event_find(db, e->account, e->id, &n);
    if (err == ERR_NOT_FOUND || (err == OK && n != m->n))
        return OK;
    if (err == OK)
        err = delivery_list_of_event(db, m->n, earlier_deliveries_add, &before);
    if (err != OK || before.wanted)
        return err;
    bool counts = event_kind_is_call(e->kind) && e->call_id.n;
    m->delivery = (struct delivery){.event_n = m->n,
                                    .endpoint = r->now.endpoint,
                                    .lane = lane_key(r->now.endpoint, e),
                                    .sequence = before.sequence ? before.sequence
                                                : counts        ? UINT_MAX
                                                                : 0};
    err = delivery_put(db, &m->delivery);
    m->made = err == OK;
    return err;
}

static enum err recover_write(struct chore *c, struct db *db)
{
    struct recoverer *r = (struct recoverer *)c;
    int64_t made = 0;
    if (r->gone)
        return recovery_end(db, r->now.n, RECOVERY_CANCELED);
    enum err err = recovery_step(db, &r->now, r->at_n, 0);
    for (size_t i = 0; err == OK && i < r->n; i++) {
        err = recover_write_one(r, db, &r->missed[i]);
        made += r->missed[i].made;
    }
    struct recovery at = r->now;
    at.at_n = r->at_n;
    if (err == OK && made)
        err = recovery_step(db, &at, r->at_n, made);
    if (err == OK && r->at_end)
        err = recovery_end(db, r->now.n, RECOVERY_FINISHED);
    return err;
}

static void recover_on_committed(struct chore *c)
{
    struct recoverer *r = (struct recoverer *)c;
    for (size_t i = 0; i < r->n; i++) {
        const struct missed_event *m = &r->missed[i];
        if (!m->made)
            continue;
        struct stored s = {
            .event = m->event, .event_n = m->n, .deliveries = &m->delivery, .n_deliveries = 1};
        intake_tell(c->config->intake, &s);
        metric_add(METRIC_EVENTS_RECOVERED, 1);
    }
}

static void recover_after_write(struct chore *c, enum err err)
{
    struct recoverer *r = (struct recoverer *)c;
    recoverer_drop_events(r);
    if (err == OK && (r->at_end || r->gone))
        log_info("recover", "%s to %s: %s", r->now.id, r->now.endpoint_id,
                 r->gone ? "canceled, the endpoint is gone" : "finished");
    if (err == OK || err == ERR_AGAIN) /* canceled meanwhile */
        chore_rest_in_proportion(c);
    else
        chore_rest(c, CHORE_RETRY_MS);
}

static void recover_after_look(struct chore *c, enum err err)
{
    struct recoverer *r = (struct recoverer *)c;
    if (err != OK) {
        recoverer_drop_events(r);
        chore_rest(c, CHORE_RETRY_MS);
        return;
    }
    metric_set(METRIC_RECOVERIES_RUNNING, r->running);
    if (!r->any) {
        r->last = 0;
        chore_sleep(c);
        return;
    }
    r->last = r->now.endpoint;
    if (!r->full) {
        r->passed = 0;
        chore_write(c, recover_write, recover_on_committed, recover_after_write);
        return;
    }
    bool all = ++r->passed >= r->running;
    if (all)
        r->passed = 0;
    chore_rest(c, all ? FULL_REST_MS : 0);
}

static void recover_begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, recover_look, recover_after_look);
}

struct chore *recover_chore(void)
{
    struct recoverer *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->chore.begin = recover_begin;
    return &r->chore;
}
