/* recover: sends recoveries, one chunk at a time, endpoints in turn. A reader finds the next
 * events, the writer gives each a delivery in the lane of its call and writes how far the recovery
 * came, in one transaction; deliver is told after the commit. No more than PENDING_MAX deliveries
 * may wait at the endpoint meanwhile: its queue stays short, whatever the range. */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/metrics.h"
#include "hub/chores/kinds.h"
#include "hub/chores/recovery.h"
#include "store/rows/expiry.h"

enum { CHUNK = 100, ROWS = 5000, PENDING_MAX = 1000, FULL_REST_MS = 200 };

struct missed { /* an event that goes out again */
    int64_t n;
    const struct event *event;
    struct delivery delivery;
    bool made;
};

struct recovering {
    struct chore chore; /* first */
    uint64_t last;      /* the endpoint whose turn was last */
    bool any;           /* there is a recovery: `now` */
    struct recovery now;
    int64_t running, passed; /* how many there are; passed by in a row, their endpoints full */
    bool full, gone, at_end;
    int64_t at_n;
    struct missed missed[CHUNK];
    size_t n;
};

static void drop_missed(struct recovering *r)
{
    for (size_t i = 0; i < r->n; i++)
        event_drop(&r->missed[i].event);
    r->n = 0;
}

static enum err on_found(void *arg, struct db *db, int64_t event_n)
{
    struct recovering *r = arg;
    struct event *e = NULL;
    enum err err = event_get(db, event_n, &e);
    if (err == OK)
        r->missed[r->n++] = (struct missed){.n = event_n, .event = e};
    if (!err_is_final(err))
        return err;
    log_error("recover", "event %lld cannot be read and is passed over: %s", (long long)event_n,
              err_text(err));
    return OK;
}

static enum err find(struct recovering *r, struct db *db, const struct book_endpoint *ep)
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
                             .on_found = on_found,
                             .arg = r};
    err = recover_scan(db, &s);
    r->at_n = s.at_n;
    r->at_end = s.at_end;
    return err;
}

static enum err look(struct chore *c, struct db *db)
{
    struct recovering *r = (struct recovering *)c;
    drop_missed(r);
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
        err = find(r, db, ep);
    book_drop(&book);
    return err;
}

/* ---- on the writer ---- */

struct before {
    uint64_t endpoint;
    unsigned sequence;
    bool wanted;
};

static bool on_delivery(void *arg, const struct delivery *d)
{
    struct before *b = arg;
    if (d->endpoint != b->endpoint)
        return true;
    if (d->sequence)
        b->sequence = d->sequence;
    b->wanted |= d->state == DELIVERY_PENDING || d->state == DELIVERY_DELIVERED;
    return true;
}

/* What changed since the reader looked counts: erased, or sent again by a person. */
static enum err put_one(struct recovering *r, struct db *db, struct missed *m)
{
    struct before before = {.endpoint = r->now.endpoint};
    const struct event *e = m->event;
    int64_t n = 0;
    m->made = false;
    enum err err = event_find(db, e->account, e->id, &n);
    if (err == ERR_NOT_FOUND || (err == OK && n != m->n))
        return OK;
    if (err == OK)
        err = delivery_list_of_event(db, m->n, on_delivery, &before);
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

static enum err put(struct chore *c, struct db *db)
{
    struct recovering *r = (struct recovering *)c;
    int64_t made = 0;
    if (r->gone)
        return recovery_end(db, r->now.n, RECOVERY_CANCELED);
    enum err err = recovery_step(db, &r->now, r->at_n, 0);
    for (size_t i = 0; err == OK && i < r->n; i++) {
        err = put_one(r, db, &r->missed[i]);
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

static void committed(struct chore *c)
{
    struct recovering *r = (struct recovering *)c;
    for (size_t i = 0; i < r->n; i++) {
        const struct missed *m = &r->missed[i];
        if (!m->made)
            continue;
        struct stored s = {
            .event = m->event, .event_n = m->n, .deliveries = &m->delivery, .n_deliveries = 1};
        intake_tell(c->config->intake, &s);
        metric_add(METRIC_EVENTS_RECOVERED, 1);
    }
}

static void after_put(struct chore *c, enum err err)
{
    struct recovering *r = (struct recovering *)c;
    drop_missed(r);
    if (err == OK && (r->at_end || r->gone))
        log_info("recover", "%s to %s: %s", r->now.id, r->now.endpoint_id,
                 r->gone ? "canceled, the endpoint is gone" : "finished");
    if (err == OK || err == ERR_AGAIN) /* canceled meanwhile */
        chore_rest_in_proportion(c);
    else
        chore_rest(c, CHORE_RETRY_MS);
}

static void after_look(struct chore *c, enum err err)
{
    struct recovering *r = (struct recovering *)c;
    if (err != OK) {
        drop_missed(r);
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
        chore_write(c, put, committed, after_put);
        return;
    }
    bool all = ++r->passed >= r->running;
    if (all)
        r->passed = 0;
    chore_rest(c, all ? FULL_REST_MS : 0);
}

static void begin(struct chore *c)
{
    c->woken = false;
    chore_read(c, look, after_look);
}

struct chore *recover_chore(void)
{
    struct recovering *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->chore.begin = begin;
    return &r->chore;
}
