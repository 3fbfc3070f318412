/* calls_api: lists calls as the store has them, and hangs up. Reads on the store's readers. */
#include <stdio.h>

#include "api/core/query.h"
#include "api/resources/handlers.h"
#include "store/rows/calls.h"

struct calls_page {
    struct request *r;
    struct json_writer w;
    unsigned left;
};

static void put_call(struct json_writer *w, const struct call_row *c, const struct request *r)
{
    static const char *const phase[] = {"trying", "answered", "ended"};
    json_obj(w, NULL);
    json_put_str(w, "id", c->call_id);
    if (r->is_operator)
        json_put_str(w, "account", account_id(r, c->account));
    json_put_str(w, "did_number", c->number);
    json_put_str(w, "caller_id", c->peer);
    json_put_str(w, "destination", c->destination.n ? c->destination : (struct str){0});
    json_put_str(w, "state", str_of(phase[c->phase]));
    put_time(w, "started_at", c->started_at_ms);
    put_time(w, "answered_at", c->answered_at_ms);
    put_time(w, "ended_at", c->ended_at_ms);
    if (c->phase == CALL_PHASE_ENDED) {
        json_put_str(w, "end_reason", str_of(end_reason_name((enum end_reason)c->end_reason)));
        json_put_i64(w, "sip_status", c->sip_status);
    }
    if (c->simulated)
        json_put_bool(w, "simulated", true);
    json_end_obj(w);
}

static bool calls_page_on_call(void *arg, const struct call_row *c)
{
    struct calls_page *l = arg;
    if (l->left == 0)
        return false;
    l->left--;
    put_call(&l->w, c, l->r);
    return true;
}

static enum err calls_list_work(struct request *r, struct db *db)
{
    struct calls_page l = {.r = r};
    struct call_filter f = {.phase = -1, .rows_max = LIST_ROWS_MAX};
    struct list_stop stop;
    char number[NUMBER_SIZE];
    enum err err = request_page(r, CURSOR_CALLS, &l.left, &f.before_n);
    if (err == OK)
        err = request_list_scope(r, &f.account);
    if (err == OK)
        err = request_time(r, "since", &f.since_ms);
    if (err == OK)
        err = request_time(r, "until", &f.until_ms);
    if (err != OK)
        return err;
    f.number = request_did(r, number);
    list_begin(r, &l.w);
    err = call_list(db, &f, calls_page_on_call, &l, &stop);
    list_end(r, &l.w, CURSOR_CALLS, stop.at_end ? 0 : stop.at_n);
    return err;
}

void calls_list(struct request *r)
{
    request_read(r, calls_list_work);
}

static enum err calls_get_work(struct request *r, struct db *db)
{
    struct call_row c;
    struct json_writer w = {&r->http.out, false};
    enum err err = call_get(db, request_scope(r), str_of(r->arg), &c, &r->mem);
    r->http.status = 200;
    if (err == OK)
        put_call(&w, &c, r);
    return err;
}

void calls_get(struct request *r)
{
    request_read(r, calls_get_work);
}

static enum err hangup_work(struct request *r, struct db *db)
{
    struct call_row c;
    enum err err = call_get(db, request_scope(r), str_of(r->arg), &c, &r->mem);
    if (err == OK && c.phase == CALL_PHASE_ENDED) {
        r->fault_code = "call_ended";
        snprintf(r->fault.why, sizeof r->fault.why, "The call has ended already.");
        return ERR_EXISTS;
    }
    if (err == OK && r->api->c.hangup)
        err = r->api->c.hangup(r->api->c.arg, c.call_id);
    r->http.status = 202;
    buf_puts(&r->http.out, "{}");
    return err;
}

/* Hangs up, which writes nothing, so that it works while the disk is full; with an Idempotency-Key
 * its answer is kept, which needs the writer. */
void calls_hangup(struct request *r)
{
    if (r->idempotency)
        request_write(r, hangup_work, NULL);
    else
        request_read(r, hangup_work);
}
