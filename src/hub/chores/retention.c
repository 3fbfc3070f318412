/* retention: deletes events and ended calls whose retention is over, oldest first. Once an hour a
 * sweep goes through each length of retention that some account has. It begins where the last sweep
 * of that length ended, and ends when it meets only rows that are too young. A reader finds the
 * rows; the writer deletes a chunk in about ten milliseconds, then the chore rests four times as
 * long.
 *
 * An event with a pending delivery stays until the delivery has ended. There is one exception: an
 * event older than 72 hours goes together with deliveries that wait for an endpoint which is
 * switched off. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "hub/chores/kinds.h"
#include "store/rows/audit.h"
#include "store/rows/erasures.h"
#include "store/rows/expiry.h"
#include "store/rows/recoveries.h"
#include "store/rows/tokens.h"

enum {
    DAYS_MAX = 3650,
    DAY_MS = 24 * 3600 * 1000,
    PARKED_MS = 72 * 3600 * 1000,
    SWEEP_MS = 3600 * 1000,
    AUDIT_ROWS = 1000000, /* of the audit log are kept, and none longer than AUDIT_MS */
    AUDIT_CHUNK = 5000,   /* rows that one sweep deletes at most */
    ROWS = 2000,
    YOUNG_MAX =
        2000, /* young rows in a row that end a part: rows are nearly in the order of time */
    CHUNK_MIN = 20,
    CHUNK_MAX = 100,  /* each dirties a handful of pages, which a checkpoint writes again */
    CHUNK_US = 10000, /* that one transaction may take */
};

static const int64_t AUDIT_MS = 365LL * DAY_MS;

enum swept { EVENTS, CALLS, SWEPT_KINDS };

struct old_row { /* a row whose time is over */
    int64_t n;
    struct trace_id trace; /* of a call */
    bool parked;           /* its pending deliveries wait for endpoints that are switched off */
};

struct sweeper {
    struct chore chore;                       /* first */
    int64_t reach[SWEPT_KINDS][DAYS_MAX + 1]; /* rows up to here were swept, by days of retention */
    bool used[DAYS_MAX + 1];                  /* some account has so many days */
    uint64_t accounts; /* hash of each account and its days; when it changes, all begins anew */
    bool sweeping;
    unsigned days; /* where the sweep is */
    enum swept kind;
    unsigned young;              /* seen since old_n */
    int64_t at_n, old_n, held_n; /* in it; the last old one; the first that had to stay */
    const struct book *book;     /* while a reader looks */
    struct db *db;
    int64_t now_ms, cutoff_ms, parked_ms;
    unsigned chunk, looked;
    struct old_row old[CHUNK_MAX];
    size_t n, deleted;
    bool at_end;
    enum err err;
};

/* ---- the lengths of retention ---- */

static bool on_account(void *arg, const struct setting *s)
{
    struct sweeper *t = arg;
    struct json *doc = NULL;
    int64_t days = 0;
    char text[64];
    struct buf b;
    if (json_parse(s->doc, &doc, NULL, 0) == OK)
        json_int(json_get(doc, "retention_days"), &days);
    json_free(doc);
    if (days < 1 || days > DAYS_MAX)
        return true;
    t->used[days] = true;
    buf_wrap(&b, text, sizeof text);
    buf_printf(&b, "%llu %lld", (unsigned long long)s->n, (long long)days);
    t->accounts += hash64(buf_str(&b));
    return true;
}

static unsigned days_of(const struct sweeper *t, uint64_t account)
{
    const struct book_account *a = book_account(t->book, account);
    return a && a->set->retention_days ? a->set->retention_days : t->chore.config->retention_days;
}

/* Deletes the rows of recoveries and erasures that ended long ago and tokens that are no longer
 * good, then the oldest rows of the audit log. */
static enum err forget_jobs(struct chore *c, struct db *db)
{
    int64_t now = clock_wall_ms();
    int64_t before = now - (int64_t)c->config->retention_days * DAY_MS;
    enum err err = recovery_forget(db, before);
    if (err == OK)
        err = erasure_forget(db, before);
    int64_t moved = clock_moved_ms();
    if (err == OK) /* good until then by mono time: rather too late than too early */
        err = token_forget(db, moved > 0 ? now - moved : now);
    return err == OK ? audit_forget(db, now - AUDIT_MS, AUDIT_ROWS, AUDIT_CHUNK) : err;
}

static enum err read_accounts(struct chore *c, struct db *db)
{
    struct sweeper *t = (struct sweeper *)c;
    uint64_t before = t->accounts;
    t->accounts = 0;
    memset(t->used, 0, sizeof t->used);
    t->used[c->config->retention_days] = true;
    enum err err = setting_list(db, SETTING_ACCOUNT, 0, 0, 0, on_account, t);
    if (t->accounts != before)
        memset(t->reach, 0, sizeof t->reach);
    return err;
}

/* ---- a reader looks ---- */

struct pending_deliveries {
    const struct sweeper *t;
    bool any, parked;
};

static bool pending_deliveries_add(void *arg, const struct delivery *d)
{
    struct pending_deliveries *p = arg;
    const struct book_endpoint *ep = book_endpoint(p->t->book, d->endpoint);
    if (d->state != DELIVERY_PENDING)
        return true;
    p->any = true;
    p->parked &= !ep || ep->set->disabled;
    return true;
}

static void old_rows_add(struct sweeper *t, const struct walk_item *w, bool parked)
{
    struct old_row *o = &t->old[t->n++];
    *o = (struct old_row){.n = w->n, .parked = parked};
    if (t->kind == CALLS)
        (void)!trace_id_parse(w->call_id, &o->trace);
}

static bool sweeper_on_row(void *arg, const struct walk_item *w)
{
    struct sweeper *t = arg;
    struct pending_deliveries p = {t, false, w->at_ms < t->parked_ms};
    if (t->n == t->chunk)
        return false;
    t->looked++;
    t->at_n = w->n;
    if (w->at_ms >= t->cutoff_ms && w->at_ms < t->now_ms + DAY_MS)
        return ++t->young < YOUNG_MAX;
    t->young = 0;
    t->old_n = w->n;
    if (w->at_ms >= t->cutoff_ms || days_of(t, w->account) != t->days)
        return true;
    if (t->kind == EVENTS)
        t->err = delivery_list_of_event(t->db, w->n, pending_deliveries_add, &p);
    bool stays = t->kind == EVENTS ? p.any && !p.parked : !w->ended;
    if (!stays)
        old_rows_add(t, w, p.any);
    else if (!t->held_n)
        t->held_n = w->n;
    return t->err == OK;
}

static enum err retention_look(struct chore *c, struct db *db)
{
    struct sweeper *t = (struct sweeper *)c;
    t->now_ms = clock_wall_ms(); /* days of people, counted from wall times of rows */
    t->cutoff_ms = t->now_ms - (int64_t)t->days * DAY_MS;
    t->parked_ms = t->now_ms - PARKED_MS;
    t->n = t->looked = 0;
    t->err = OK;
    t->db = db;
    t->book = book_take(c->config->books);
    enum err err = (t->kind == EVENTS ? event_walk : call_walk)(db, t->at_n, INT64_MAX, ROWS,
                                                                sweeper_on_row, t);
    book_drop(&t->book);
    t->at_end = (t->looked < ROWS && t->n < t->chunk) || t->young >= YOUNG_MAX;
    return err != OK ? err : t->err;
}

/* ---- the writer deletes ---- */

static bool on_pending(void *arg, const struct delivery *d)
{
    *(bool *)arg |= d->state == DELIVERY_PENDING;
    return true;
}

static enum err old_event_delete(struct sweeper *t, struct db *db, const struct old_row *o)
{
    bool pending = false; /* sent again, since the reader looked */
    enum err err = o->parked ? OK : delivery_list_of_event(db, o->n, on_pending, &pending);
    if (err == OK && !pending)
        err = event_delete(db, o->n);
    t->deleted += !pending;
    return err;
}

static enum err old_rows_delete(struct chore *c, struct db *db)
{
    struct sweeper *t = (struct sweeper *)c;
    enum err err = OK;
    t->deleted = 0;
    for (size_t i = 0; err == OK && i < t->n; i++) {
        if (t->kind == EVENTS) {
            err = old_event_delete(t, db, &t->old[i]);
        } else {
            err = call_delete(db, t->old[i].n);
            t->deleted++;
        }
    }
    return err;
}

/* ---- the sweep ---- */

static void sweep_go_on(struct chore *c);

static bool sweep_failed(struct chore *c, enum err err)
{
    struct sweeper *t = (struct sweeper *)c;
    if (err == OK)
        return false;
    t->sweeping = false; /* from where the last whole one ended */
    chore_rest(c, CHORE_RETRY_MS);
    return true;
}

/* Goes on to the next length that is in use, events first; false: the sweep is over. */
static bool sweep_next_part(struct sweeper *t)
{
    if (t->kind == EVENTS) {
        t->kind = CALLS;
    } else {
        t->kind = EVENTS;
        do
            t->days++;
        while (t->days <= DAYS_MAX && !t->used[t->days]);
    }
    if (t->days > DAYS_MAX)
        return false;
    t->at_n = t->old_n = t->reach[t->kind][t->days];
    t->held_n = t->young = 0;
    return true;
}

static void sweep_part_done(struct chore *c)
{
    struct sweeper *t = (struct sweeper *)c;
    t->reach[t->kind][t->days] = t->held_n ? t->held_n - 1 : t->old_n;
    t->sweeping = sweep_next_part(t);
    chore_rest(c, t->sweeping || c->woken ? CHORE_REST_MIN_MS : SWEEP_MS);
}

static void sweep_tell_gone(const struct sweeper *t)
{
    const struct housekeeper_config *hc = t->chore.config;
    struct trace_id trace[CHUNK_MAX];
    for (size_t i = 0; i < t->n; i++)
        trace[i] = t->old[i].trace;
    if (hc->on_calls_gone && t->kind == CALLS)
        hc->on_calls_gone(hc->arg, trace, t->n);
}

static void sweep_after_delete(struct chore *c, enum err err)
{
    struct sweeper *t = (struct sweeper *)c;
    if (sweep_failed(c, err))
        return;
    metric_add(t->kind == EVENTS ? METRIC_EVENTS_EXPIRED : METRIC_CALLS_EXPIRED,
               (int64_t)t->deleted);
    sweep_tell_gone(t);
    if (c->ran_us > CHUNK_US)
        t->chunk = t->chunk / 2 > CHUNK_MIN ? t->chunk / 2 : CHUNK_MIN;
    else if (c->ran_us < CHUNK_US / 2)
        t->chunk = t->chunk * 2 < CHUNK_MAX ? t->chunk * 2 : CHUNK_MAX;
    if (t->at_end)
        sweep_part_done(c);
    else
        chore_rest_in_proportion(c);
}

static void sweep_after_look(struct chore *c, enum err err)
{
    struct sweeper *t = (struct sweeper *)c;
    if (sweep_failed(c, err))
        return;
    if (t->n)
        chore_write(c, old_rows_delete, NULL, sweep_after_delete);
    else if (t->at_end)
        sweep_part_done(c);
    else
        chore_rest_in_proportion(c);
}

static void sweep_go_on(struct chore *c)
{
    chore_read(c, retention_look, sweep_after_look);
}

static void sweep_after_forget(struct chore *c, enum err err)
{
    struct sweeper *t = (struct sweeper *)c;
    if (sweep_failed(c, err))
        return;
    t->days = 0;
    t->kind = CALLS;
    t->sweeping = sweep_next_part(t);
    sweep_go_on(c);
}

static void sweep_after_accounts(struct chore *c, enum err err)
{
    if (!sweep_failed(c, err))
        chore_write(c, forget_jobs, NULL, sweep_after_forget);
}

static void retention_begin(struct chore *c)
{
    struct sweeper *t = (struct sweeper *)c;
    if (t->sweeping) {
        sweep_go_on(c);
        return;
    }
    c->woken = false;
    chore_read(c, read_accounts, sweep_after_accounts);
}

struct chore *retention_chore(void)
{
    struct sweeper *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->chore.begin = retention_begin;
    t->chunk = CHUNK_MIN;
    return &t->chore;
}
