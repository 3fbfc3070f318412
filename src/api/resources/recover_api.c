/* recover_api: sends a time range of an endpoint again. The events are counted first, a few
 * thousand rows at a time on the readers; then the job's row is made, which the housekeeper works
 * off. */
#include <limits.h>
#include <stdio.h>

#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "hub/chores/recovery.h"

enum { COUNT_ROWS = 5000 };

static void recovery_show(struct json_writer *w, const struct request *r, const struct recovery *c)
{
    json_obj(w, NULL);
    json_put_str(w, "id", str_of(c->id));
    if (r->is_operator)
        json_put_str(w, "account", account_id(r, c->account));
    json_put_str(w, "endpoint", str_of(c->endpoint_id));
    put_time(w, "since", c->since_ms);
    put_time(w, "until", c->until_ms);
    json_put_i64(w, "count", c->expected);
    json_put_i64(w, "done", c->done);
    json_put_str(w, "state", str_of(recovery_state_name(c->state)));
    put_time(w, "created_at", c->created_at_ms);
    put_time(w, "ended_at", c->ended_at_ms);
    json_end_obj(w);
}

static const struct book_endpoint *own_endpoint(const struct request *r)
{
    const struct book_endpoint *ep = book_endpoint_by_id(r->book, str_of(r->arg));
    return ep && (r->is_operator || ep->account == r->account) ? ep : NULL;
}

static void recovery_answer_error(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

/* ---- count, then begin ---- */

struct recovery_count {   /* in r->room */
    struct store_job job; /* first */
    struct request *r;
    const struct book_endpoint *endpoint; /* of r->book */
    struct recovery recovery;
    struct recover_scan scan;
    bool placed, dry_run;
};

static enum err recovery_count_run(struct store_job *job, struct db *db)
{
    struct recovery_count *c = (struct recovery_count *)job;
    enum err err = OK;
    if (!c->placed) {
        err = recover_place(db, &c->recovery);
        c->scan = (struct recover_scan){.endpoint = c->endpoint,
                                        .range = &c->recovery,
                                        .at_n = c->recovery.at_n,
                                        .rows_max = COUNT_ROWS,
                                        .found_max = UINT_MAX};
        c->placed = true;
    }
    if (err == OK)
        err = recover_scan(db, &c->scan);
    c->recovery.expected += c->scan.found;
    return err;
}

static enum err recovery_begin_work(struct request *r, struct db *db)
{
    struct recovery made = ((struct recovery_count *)r->room)->recovery;
    struct json_writer w = {&r->http.out, false};
    r->fault_code = "recovery_running";
    enum err err = recovery_put(db, &made);
    if (err != OK)
        return err;
    r->http.status = 202;
    snprintf(r->http.location, sizeof r->http.location, "/v1/recoveries/%s", made.id);
    recovery_show(&w, r, &made);
    return r->http.out.err;
}

static void recovery_committed(struct request *r)
{
    housekeeper_wake(r->api->c.housekeeper);
}

static void recovery_on_counted(struct store_job *job)
{
    struct recovery_count *c = (struct recovery_count *)job;
    struct request *r = c->r;
    struct json_writer w = {&r->http.out, false};
    enum err err = job->err;
    if (err == OK && !c->scan.at_end && (err = store_read(r->api->c.store, job)) == OK)
        return; /* further rows */
    if (err == ERR_AGAIN)
        err = ERR_FULL;
    if (err != OK) {
        recovery_answer_error(r, err);
    } else if (c->dry_run) {
        r->http.status = 200;
        json_obj(&w, NULL);
        json_put_i64(&w, "count", c->recovery.expected);
        json_end_obj(&w);
        request_done(r);
    } else {
        request_write(r, recovery_begin_work, recovery_committed);
    }
}

static enum err recovery_read_body(struct request *r, struct recovery_count *c)
{
    const struct json *v;
    struct recovery *rec = &c->recovery;
    int64_t now = clock_wall_ms(); /* events are chosen by when they occurred */
    enum err err = request_members(r, "since, until, dry_run");
    if (err != OK)
        return err;
    if ((v = json_get(r->json, "dry_run")) && !json_bool(v, &c->dry_run))
        return request_refuse(r, "dry_run", "true or false");
    err = request_body_time(r, "since", &rec->since_ms);
    if (err == OK)
        err = request_body_time(r, "until", &rec->until_ms);
    if (err != OK)
        return err;
    if (!rec->since_ms)
        return request_refuse(r, "since",
                              "a time like 2024-11-15T14:32:00Z, or milliseconds since 1970");
    if (!rec->until_ms || rec->until_ms > now)
        rec->until_ms = now;
    return rec->since_ms < rec->until_ms ? OK : request_refuse(r, "until", "a time after since");
}

void endpoints_recover(struct request *r)
{
    struct recovery_count *c = request_room(r, sizeof *c);
    const struct book_endpoint *ep = own_endpoint(r);
    enum err err = !c ? ERR_NOMEM : ep ? recovery_read_body(r, c) : ERR_NOT_FOUND;
    if (err == OK) {
        c->r = r;
        c->endpoint = ep;
        c->recovery.account = ep->account;
        c->recovery.endpoint = ep->n;
        id_new("rec", c->recovery.id);
        err = str_copy(str_of(ep->id), c->recovery.endpoint_id, sizeof c->recovery.endpoint_id);
    }
    if (err == OK) {
        c->job = (struct store_job){.run = recovery_count_run,
                                    .done = recovery_on_counted,
                                    .home = r->api->home,
                                    .owner = r->account};
        err = store_read(r->api->c.store, &c->job);
        if (err == ERR_AGAIN)
            err = ERR_FULL; /* which is said as 503: the count can be asked for again */
    }
    if (err != OK)
        recovery_answer_error(r, err);
}

/* ---- look, cancel ---- */

struct recoveries_page {
    struct request *r;
    struct json_writer w;
    unsigned left;
    int64_t last;
    bool more;
};

static bool recoveries_page_on_row(void *arg, const struct recovery *c)
{
    struct recoveries_page *l = arg;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->left--;
    l->last = c->n;
    recovery_show(&l->w, l->r, c);
    return true;
}

static enum err recoveries_list_work(struct request *r, struct db *db)
{
    struct recoveries_page l = {.r = r};
    int64_t before;
    const struct book_endpoint *ep = own_endpoint(r);
    enum err err = ep ? request_page(r, CURSOR_RECOVERIES, &l.left, &before) : ERR_NOT_FOUND;
    if (err != OK)
        return err;
    list_begin(r, &l.w);
    err =
        recovery_list(db, request_scope(r), ep->n, before, l.left + 1, recoveries_page_on_row, &l);
    list_end(r, &l.w, CURSOR_RECOVERIES, l.more ? l.last : 0);
    return err;
}

void recoveries_list(struct request *r)
{
    request_read(r, recoveries_list_work);
}

static enum err recovery_get_work(struct request *r, struct db *db)
{
    struct recovery c;
    struct json_writer w = {&r->http.out, false};
    enum err err = recovery_get(db, request_scope(r), str_of(r->arg), &c);
    if (err != OK)
        return err;
    r->http.status = 200;
    recovery_show(&w, r, &c);
    return r->http.out.err;
}

void recoveries_get(struct request *r)
{
    request_read(r, recovery_get_work);
}

/* Cancels a recovery. Its deliveries so far stay; one that ended stays as it ended. */
static enum err recovery_cancel_work(struct request *r, struct db *db)
{
    struct recovery c;
    enum err err = recovery_get(db, request_scope(r), str_of(r->arg), &c);
    if (err == OK)
        err = recovery_end(db, c.n, RECOVERY_CANCELED);
    return err == OK ? recovery_get_work(r, db) : err;
}

void recoveries_cancel(struct request *r)
{
    request_write(r, recovery_cancel_work, recovery_committed);
}
