/* recover_api: a time range of an endpoint sent again. The events are counted first, a few thousand
 * rows at a time on the readers; then the job's row is made, which the housekeeper works off. */
#include <limits.h>
#include <stdio.h>

#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "hub/chores/recovery.h"

enum { COUNT_ROWS = 5000 };

static void put_recovery(struct json_writer *w, const struct request *r, const struct recovery *c)
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

static void answer_error(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

/* ---- count, then begin ---- */

struct counting {         /* in r->room */
    struct store_job job; /* first */
    struct request *r;
    const struct book_endpoint *endpoint; /* of r->book */
    struct recovery recovery;
    struct recover_scan scan;
    bool placed, dry_run;
};

static enum err count_run(struct store_job *job, struct db *db)
{
    struct counting *c = (struct counting *)job;
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

static enum err begin_work(struct request *r, struct db *db)
{
    struct recovery made = ((struct counting *)r->room)->recovery;
    struct json_writer w = {&r->http.out, false};
    r->fault_code = "recovery_running";
    enum err err = recovery_put(db, &made);
    if (err != OK)
        return err;
    r->http.status = 202;
    snprintf(r->http.location, sizeof r->http.location, "/v1/recoveries/%s", made.id);
    put_recovery(&w, r, &made);
    return r->http.out.err;
}

static void wake(struct request *r)
{
    housekeeper_wake(r->api->c.housekeeper);
}

static void on_counted(struct store_job *job)
{
    struct counting *c = (struct counting *)job;
    struct request *r = c->r;
    struct json_writer w = {&r->http.out, false};
    enum err err = job->err;
    if (err == OK && !c->scan.at_end && (err = store_read(r->api->c.store, job)) == OK)
        return; /* further rows */
    if (err == ERR_AGAIN)
        err = ERR_FULL;
    if (err != OK) {
        answer_error(r, err);
    } else if (c->dry_run) {
        r->http.status = 200;
        json_obj(&w, NULL);
        json_put_i64(&w, "count", c->recovery.expected);
        json_end_obj(&w);
        request_done(r);
    } else {
        request_write(r, begin_work, wake);
    }
}

static enum err read_body(struct request *r, struct counting *c)
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
    struct counting *c = request_room(r, sizeof *c);
    const struct book_endpoint *ep = own_endpoint(r);
    enum err err = !c ? ERR_NOMEM : ep ? read_body(r, c) : ERR_NOT_FOUND;
    if (err == OK) {
        c->r = r;
        c->endpoint = ep;
        c->recovery.account = ep->account;
        c->recovery.endpoint = ep->n;
        id_new("rec", c->recovery.id);
        err = str_copy(str_of(ep->id), c->recovery.endpoint_id, sizeof c->recovery.endpoint_id);
    }
    if (err == OK) {
        c->job = (struct store_job){
            .run = count_run, .done = on_counted, .home = r->api->home, .owner = r->account};
        err = store_read(r->api->c.store, &c->job);
        if (err == ERR_AGAIN)
            err = ERR_FULL; /* which is said as 503: the count can be asked for again */
    }
    if (err != OK)
        answer_error(r, err);
}

/* ---- look, cancel ---- */

struct listing {
    struct request *r;
    struct json_writer w;
    unsigned left;
    int64_t last;
    bool more;
};

static bool on_recovery(void *arg, const struct recovery *c)
{
    struct listing *l = arg;
    if (l->left == 0) {
        l->more = true;
        return false;
    }
    l->left--;
    l->last = c->n;
    put_recovery(&l->w, l->r, c);
    return true;
}

static enum err list_work(struct request *r, struct db *db)
{
    struct listing l = {.r = r};
    int64_t before;
    const struct book_endpoint *ep = own_endpoint(r);
    enum err err = ep ? request_page(r, CURSOR_RECOVERIES, &l.left, &before) : ERR_NOT_FOUND;
    if (err != OK)
        return err;
    list_begin(r, &l.w);
    err = recovery_list(db, request_scope(r), ep->n, before, l.left + 1, on_recovery, &l);
    list_end(r, &l.w, CURSOR_RECOVERIES, l.more ? l.last : 0);
    return err;
}

void recoveries_list(struct request *r)
{
    request_read(r, list_work);
}

static enum err get_work(struct request *r, struct db *db)
{
    struct recovery c;
    struct json_writer w = {&r->http.out, false};
    enum err err = recovery_get(db, request_scope(r), str_of(r->arg), &c);
    if (err != OK)
        return err;
    r->http.status = 200;
    put_recovery(&w, r, &c);
    return r->http.out.err;
}

void recoveries_get(struct request *r)
{
    request_read(r, get_work);
}

/* What it made so far stays; one that ended stays as it ended. */
static enum err cancel_work(struct request *r, struct db *db)
{
    struct recovery c;
    enum err err = recovery_get(db, request_scope(r), str_of(r->arg), &c);
    if (err == OK)
        err = recovery_end(db, c.n, RECOVERY_CANCELED);
    return err == OK ? get_work(r, db) : err;
}

void recoveries_cancel(struct request *r)
{
    request_write(r, cancel_work, wake);
}
