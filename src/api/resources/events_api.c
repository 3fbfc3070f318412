/* events_api: shows events with their deliveries and attempts, and sends one again. Reads on the
 * store's readers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/event_state.h"
#include "api/resources/handlers.h"
#include "hub/resend.h"
#include "model/control.h"
#include "api/core/query.h"

/* Prints the payload's members, then the daemon's own; the object stays open. */
static void event_show(struct json_writer *w, const struct request *r, const struct event *e,
                       const char *state)
{
    json_obj(w, NULL);
    if (e->payload.n > 2) {
        buf_put_str(w->b, str_slice(e->payload, 1, e->payload.n - 2));
        w->more = true;
    }
    if (r->is_operator)
        json_put_str(w, "account", account_id(r, e->account));
    json_put_str(w, "state", str_of(state));
}

struct events_page {
    struct request *r;
    struct db *db;
    struct json_writer w;
    unsigned left;
    bool is_incoming_call; /* the event whose deliveries are shown */
    enum err err;
};

static bool events_page_on_event(void *arg, int64_t n, const struct event *e)
{
    struct events_page *l = arg;
    const char *state;
    if (l->left == 0)
        return false;
    l->left--;
    l->err = event_state(l->db, n, &state);
    event_show(&l->w, l->r, e, state);
    json_end_obj(&l->w);
    return l->err == OK;
}

/* Reads the part of the filter about deliveries. *ret_none: nothing can fit. */
static enum err filter_read_deliveries(struct request *r, struct event_filter *f, bool *ret_none)
{
    enum delivery_state state;
    struct str st = request_query(r, "state"), endpoint = request_query(r, "endpoint");
    *ret_none = false;
    f->state = -1;
    if (str_eq(st, STR("none")))
        f->state = EVENT_UNDELIVERED;
    else if (st.n && !delivery_state_parse(st, &state))
        return request_refuse(r, "state", "pending, delivered, given_up, canceled or none");
    else if (st.n)
        f->state = (int)state;
    if (!endpoint.n)
        return OK;
    const struct book_endpoint *ep = book_endpoint_by_id(r->book, endpoint);
    *ret_none = !ep || (!r->is_operator && ep->account != r->account);
    f->endpoint = *ret_none ? 0 : ep->n;
    return OK;
}

static enum err filter_read(struct request *r, struct event_filter *f, char number[NUMBER_SIZE],
                            bool *ret_none)
{
    enum event_kind kind;
    struct str type = request_query(r, "type");
    enum err err = request_list_scope(r, &f->account);
    if (err == OK)
        err = request_time(r, "since", &f->since_ms);
    if (err == OK)
        err = request_time(r, "until", &f->until_ms);
    if (err == OK && type.n && !event_kind_parse(type, &kind))
        err = request_refuse(r, "type", "the name of an event");
    if (err == OK)
        err = filter_read_deliveries(r, f, ret_none);
    f->q = request_query(r, "q");
    if (err == OK && f->q.n > EVENT_QUERY_MAX)
        err = request_refuse(r, "q", "at most 256 bytes");
    if (err != OK)
        return err;
    f->kind = type.n ? (int)kind : -1;
    f->number = request_did(r, number);
    f->call_id = request_query(r, "call_id");
    return OK;
}

static enum err events_list_work(struct request *r, struct db *db)
{
    struct events_page l = {.r = r, .db = db};
    struct event_filter f = {.rows_max = LIST_ROWS_MAX};
    struct list_stop stop = {.at_end = true};
    char number[NUMBER_SIZE];
    bool none;
    enum err err = request_page(r, CURSOR_EVENTS, &l.left, &f.before_n);
    if (err == OK)
        err = filter_read(r, &f, number, &none);
    if (err != OK)
        return err;
    list_begin(r, &l.w);
    if (!none)
        err = event_list(db, &f, events_page_on_event, &l, &stop);
    list_end(r, &l.w, CURSOR_EVENTS, stop.at_end ? 0 : stop.at_n);
    return err != OK ? err : l.err;
}

void events_list(struct request *r)
{
    request_read(r, events_list_work);
}

struct attempt_rows { /* of one delivery */
    struct json_writer *w;
    int64_t control_timeout_ms; /* 0: nobody waited for its answer */
    bool decided;
    struct control outcome; /* of the first attempt, which is the one that a call waits for */
};

/* The call's verdict on the answer; it is read as it was then, but of a body its first 4 KiB. */
static void attempt_decide(struct attempt_rows *rows, const struct attempt *a)
{
    rows->decided = true;
    control_parse(a->err == OK ? a->status : 0, a->body, &rows->outcome);
    forward_free(rows->outcome.targets);
    rows->outcome.targets = NULL;
    if (a->duration_ms >= rows->control_timeout_ms)
        rows->outcome = (struct control){.why = control_is_late, .field = ""};
}

static bool attempt_on_row(void *arg, const struct attempt *a)
{
    struct attempt_rows *rows = arg;
    struct json_writer *w = rows->w;
    if (a->number == 1 && rows->control_timeout_ms)
        attempt_decide(rows, a);
    json_obj(w, NULL);
    json_put_i64(w, "number", a->number);
    put_time(w, "at", a->at_ms);
    if (a->status)
        json_put_i64(w, "status", a->status);
    else
        json_put_null(w, "status");
    if (a->err != OK)
        json_put_str(w, "error", a->detail.n ? a->detail : str_of(err_text(a->err)));
    else
        json_put_null(w, "error");
    json_put_i64(w, "duration_ms", a->duration_ms);
    json_put_str(w, "response_body", a->body);
    json_end_obj(w);
    return true;
}

static bool delivery_on_row(void *arg, const struct delivery *d)
{
    struct events_page *l = arg;
    struct json_writer *w = &l->w;
    struct attempt_rows rows = {.w = w};
    const struct book_endpoint *ep = book_endpoint(l->r->book, d->endpoint);
    if (ep && !l->r->is_operator && ep->account != l->r->account)
        ep = NULL; /* it was given to another account since */
    json_obj(w, NULL);
    json_put_str(w, "endpoint", ep ? str_of(ep->id) : (struct str){0});
    json_put_str(w, "url", ep ? str_of(ep->set->url) : (struct str){0});
    json_put_str(w, "state", str_of(delivery_state_name(d->state)));
    if (d->sequence)
        json_put_i64(w, "sequence", d->sequence);
    json_put_bool(w, "resend", d->resend);
    put_time(w, "next_attempt_at", d->state == DELIVERY_PENDING ? d->next_at_ms : 0);
    if (l->is_incoming_call && ep && ep->set->control && !d->resend)
        rows.control_timeout_ms = ep->set->control_timeout_ms;
    json_arr(w, "attempts");
    l->err = attempt_list(l->db, d->n, attempt_on_row, &rows);
    json_end_arr(w);
    if (rows.decided)
        control_print(&rows.outcome, w);
    json_end_obj(w);
    return l->err == OK;
}

static enum err events_get_work(struct request *r, struct db *db)
{
    struct events_page l = {.r = r, .db = db, .w = {&r->http.out, false}};
    const char *state;
    struct event *e = NULL;
    int64_t n;
    enum err err = event_find(db, request_scope(r), str_of(r->arg), &n);
    if (err == OK)
        err = event_get(db, n, &e);
    if (err == OK)
        err = event_state(db, n, &state);
    if (err != OK)
        return err;
    r->http.status = 200;
    l.is_incoming_call = e->kind == EVENT_INCOMING_CALL;
    event_show(&l.w, r, e, state);
    json_arr(&l.w, "deliveries");
    err = delivery_list_of_event(db, n, delivery_on_row, &l);
    json_end_arr(&l.w);
    json_end_obj(&l.w);
    const struct event *gone = e;
    event_drop(&gone);
    return err != OK ? err : l.err;
}

void events_get(struct request *r)
{
    request_read(r, events_get_work);
}

/* ---- resend ---- */

enum { ENDPOINTS_FIRST = 64 };

struct resend { /* in r->room */
    const struct event *event;
    int64_t event_n;
    uint64_t endpoint[ENDPOINTS_FIRST]; /* that it goes to */
    struct delivery delivery[ENDPOINTS_FIRST];
    size_t n_endpoints, n_deliveries;
};

static bool resend_on_delivery(void *arg, const struct delivery *d)
{
    struct resend *s = arg;
    for (size_t i = 0; i < s->n_endpoints; i++)
        if (s->endpoint[i] == d->endpoint)
            return true;
    if (s->n_endpoints < ENDPOINTS_FIRST)
        s->endpoint[s->n_endpoints++] = d->endpoint;
    return true;
}

/* Finds the endpoint that is given, or all that the event went to before. */
static enum err resend_find_endpoints(struct request *r, struct db *db, struct resend *s)
{
    struct str id;
    const struct json *named = json_get(r->json, "endpoint");
    s->n_endpoints = 0;
    if (!named)
        return delivery_list_of_event(db, s->event_n, resend_on_delivery, s);
    const struct book_endpoint *ep = json_str(named, &id) ? book_endpoint_by_id(r->book, id) : NULL;
    if (!ep || ep->account != s->event->account)
        return request_refuse(r, "endpoint", "the id of an endpoint of the event's account");
    s->endpoint[s->n_endpoints++] = ep->n;
    return OK;
}

static enum err resend_read_event(struct request *r, struct db *db, struct resend *s)
{
    struct event *e = NULL;
    enum err err = event_find(db, request_scope(r), str_of(r->arg), &s->event_n);
    if (err == OK)
        err = event_get(db, s->event_n, &e);
    event_drop(&s->event); /* of a run before */
    s->event = e;
    return err;
}

static enum err resend_work(struct request *r, struct db *db)
{
    struct resend *s = r->room;
    struct json_writer w = {&r->http.out, false};
    enum err err = resend_read_event(r, db, s);
    if (err == OK)
        err = resend_find_endpoints(r, db, s);
    s->n_deliveries = 0;
    for (size_t i = 0; err == OK && i < s->n_endpoints; i++)
        if (book_endpoint(r->book, s->endpoint[i]))
            err = resend_put(db, s->event_n, s->event, s->endpoint[i],
                             &s->delivery[s->n_deliveries++]);
    if (err != OK)
        return err;
    if (!s->n_deliveries)
        return request_refuse(r, "endpoint",
                              "needed here: the event went to no endpoint that still is");
    r->http.status = 202;
    json_obj(&w, NULL);
    json_put_i64(&w, "deliveries", (int64_t)s->n_deliveries);
    json_end_obj(&w);
    return OK;
}

static void resend_committed(struct request *r)
{
    const struct resend *s = r->room;
    const struct stored stored = {.event = s->event,
                                  .event_n = s->event_n,
                                  .deliveries = s->delivery,
                                  .n_deliveries = s->n_deliveries};
    intake_tell(r->api->c.intake, &stored);
}

static void resend_over(struct request *r)
{
    event_drop(&((struct resend *)r->room)->event);
}

void events_resend(struct request *r)
{
    enum err err = request_members(r, "endpoint");
    if (err == OK && !request_room(r, sizeof(struct resend)))
        err = ERR_NOMEM;
    if (err == OK) {
        r->over = resend_over;
        request_write(r, resend_work, resend_committed);
        return;
    }
    problem_of_err(r, err);
    request_done(r);
}
