/* recovery: finds the events that an endpoint missed: their delivery was given up or canceled, or
 * they had none because the endpoint was switched off or did not exist. Called by the chore that
 * sends them and by the API, which counts them, on readers. */
#include "hub/chores/recovery.h"

#include "hub/intake.h"
#include "store/rows/expiry.h"

enum { SPARE_MS = 24 * 3600 * 1000 };

enum err recover_place(struct db *db, struct recovery *r)
{
    enum err err = event_before(db, r->since_ms - SPARE_MS, &r->at_n);
    return err == OK ? event_last(db, &r->last_n) : err;
}

struct scan_state {
    struct recover_scan *s;
    struct db *db;
    unsigned looked, late;
    enum err err;
};

static bool scan_on_row(void *arg, const struct walk_item *w)
{
    struct scan_state *scan = arg;
    struct recover_scan *s = scan->s;
    bool has = false;
    if (s->found == s->found_max)
        return false;
    scan->looked++;
    s->at_n = w->n;
    scan->late += w->at_ms >= s->range->until_ms + SPARE_MS;
    if (w->account != s->range->account || w->at_ms < s->range->since_ms ||
        w->at_ms >= s->range->until_ms || w->kind == EVENT_PING ||
        !endpoint_wants(s->endpoint, w->kind, w->number))
        return true;
    scan->err = delivery_wanted(scan->db, w->n, s->endpoint->n, &has);
    if (scan->err != OK || has)
        return scan->err == OK;
    s->found++;
    if (s->on_found)
        scan->err = s->on_found(s->arg, scan->db, w->n);
    return scan->err == OK;
}

enum err recover_scan(struct db *db, struct recover_scan *s)
{
    struct scan_state scan = {.s = s, .db = db};
    s->found = 0;
    enum err err = event_walk(db, s->at_n, s->range->last_n, s->rows_max, scan_on_row, &scan);
    if (err == OK)
        err = scan.err;
    s->at_end = (s->found < s->found_max && scan.looked < s->rows_max) ||
                scan.late == s->rows_max; /* the range is far behind us */
    return err;
}
