/* erasures_api: deletes a number's data. It makes the erasure's row, which the housekeeper works
 * off. */
#include <stdio.h>

#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "store/rows/erasures.h"

static void erasure_show(struct json_writer *w, const struct request *r, const struct erasure *e)
{
    json_obj(w, NULL);
    json_put_str(w, "id", str_of(e->id));
    if (r->is_operator)
        json_put_str(w, "account", account_id(r, e->account));
    json_put_str(w, "number", str_of(e->number));
    json_put_i64(w, "events", e->events);
    json_put_i64(w, "calls", e->calls);
    json_put_str(w, "state", e->finished ? STR("finished") : STR("running"));
    put_time(w, "created_at", e->created_at_ms);
    put_time(w, "ended_at", e->ended_at_ms);
    json_end_obj(w);
}

static enum err erasure_make_work(struct request *r, struct db *db)
{
    struct erasure made = *(const struct erasure *)r->room;
    struct json_writer w = {&r->http.out, false};
    enum err err = erasure_put(db, &made);
    if (err != OK)
        return err;
    r->http.status = 202;
    snprintf(r->http.location, sizeof r->http.location, "/v1/erasures/%s", made.id);
    erasure_show(&w, r, &made);
    return r->http.out.err;
}

static void erasure_committed(struct request *r)
{
    housekeeper_wake(r->api->c.housekeeper);
}

void numbers_erase(struct request *r)
{
    struct erasure *e = request_room(r, sizeof *e);
    const struct book_number *number = book_number(r->book, str_of(r->arg));
    enum err err = !e                                                            ? ERR_NOMEM
                   : number && (r->is_operator || number->account == r->account) ? OK
                                                                                 : ERR_NOT_FOUND;
    if (err == OK)
        err = str_copy(str_of(r->arg), e->number, sizeof e->number);
    if (err == OK) {
        e->account = number->account;
        id_new("era", e->id);
        request_write(r, erasure_make_work, erasure_committed);
        return;
    }
    problem_of_err(r, err);
    request_done(r);
}

static enum err erasure_get_work(struct request *r, struct db *db)
{
    struct erasure e;
    struct json_writer w = {&r->http.out, false};
    enum err err = erasure_get(db, request_scope(r), str_of(r->arg), &e);
    if (err != OK)
        return err;
    r->http.status = 200;
    erasure_show(&w, r, &e);
    return r->http.out.err;
}

void erasures_get(struct request *r)
{
    request_read(r, erasure_get_work);
}
