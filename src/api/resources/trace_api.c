/* trace_api: GET /v1/calls/{id}/trace. The store is asked first whether the key's account has such
 * a call, and only then the trace's log. Each answers by mail to the API's own thread, and no
 * thread waits. */
#include <string.h>

#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "store/rows/calls.h"

struct trace_request {
    struct trace_read read; /* first */
    struct request *request;
    bool withheld; /* the caller withholds its number */
};

static struct addr addr_of(const struct trace_addr *a)
{
    struct addr r = {.family = a->family, .port = a->port};
    memcpy(r.ip, a->ip, sizeof r.ip);
    return r;
}

static void put_addr(struct json_writer *w, const char *key, const struct trace_addr *a)
{
    char text[ADDR_TEXT_SIZE];
    struct addr addr = addr_of(a);
    size_t n = a->family ? addr_print(&addr, text) : 0;
    json_put_str(w, key, n ? str_of_bytes(text, n) : (struct str){0});
}

static void put_message(struct json_writer *w, const struct trace_record *r)
{
    static const char *const transport[] = {"udp", "tcp", "tls"};
    json_obj(w, NULL);
    put_time(w, "at", r->at_ms);
    json_put_str(w, "leg", r->leg == 'b' ? STR("b") : STR("a"));
    json_put_str(w, "direction", r->sent ? STR("out") : STR("in"));
    json_put_str(w, "transport", str_of(transport[r->transport < 3 ? r->transport : 0]));
    put_addr(w, "local", &r->local);
    put_addr(w, "remote", &r->remote);
    json_put_str(w, "message", trace_record_bytes(r));
    json_put_bool(w, "truncated", r->whole > TRACE_MESSAGE_MAX);
    json_end_obj(w);
}

static void put_trace(struct request *r, const struct trace_read *t, struct str records)
{
    struct json_writer w = {&r->http.out, false};
    list_begin(r, &w);
    for (size_t at = 0; at < records.n;) {
        const struct trace_record *rec = (const void *)(records.p + at);
        put_message(&w, rec);
        at += rec->size;
    }
    json_end_arr(&w);
    json_put_null(&w, "next_cursor"); /* as lists have it: there are no pages */
    json_put_bool(&w, "kept", t->kept);
    json_put_bool(&w, "truncated", t->truncated);
    json_end_obj(&w);
}

static void trace_on_read(struct trace_read *t)
{
    const struct trace_request *whose = (const struct trace_request *)t;
    struct request *r = whose->request;
    struct buf shown;
    buf_init(&shown, 2 * t->records.n + 4096); /* a masked one may be longer by its dots */
    enum err err = t->err;
    if (err == OK)
        err = r->api->c.trace_hide(buf_str(&t->records), whose->withheld, &shown);
    if (err == OK)
        put_trace(r, t, buf_str(&shown));
    else
        problem_of_err(r, err);
    buf_fini(&shown);
    buf_fini(&t->records);
    request_done(r);
}

static enum err trace_find_call(struct store_job *job, struct db *db)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    struct trace_request *t = r->room;
    struct call_row c;
    buf_reset(&r->mem);
    enum err err = call_get(db, request_scope(r), str_of(r->arg), &c, &r->mem);
    t->withheld = err == OK && str_eq(c.peer, STR("anonymous"));
    return err;
}

static void trace_on_found(struct store_job *job)
{
    struct request *r = (struct request *)((char *)job - offsetof(struct request, job));
    struct trace_request *t = r->room;
    struct trace_log *log = r->api->c.trace;
    enum err err = job->err;
    if (err == OK && log && trace_id_parse(str_of(r->arg), &t->read.call)) {
        err = trace_log_read(log, &t->read);
        if (err == OK)
            return; /* on_read follows */
    }
    if (err == OK)
        put_trace(r, &t->read, (struct str){0}); /* nothing is kept */
    else
        problem_of_err(r, err);
    request_done(r);
}

void calls_trace(struct request *r)
{
    struct trace_request *t = request_room(r, sizeof *t);
    enum err err = t ? OK : ERR_NOMEM;
    if (t) {
        t->request = r;
        t->read.home = r->api->home;
        t->read.done = trace_on_read;
        r->job = (struct store_job){.run = trace_find_call,
                                    .done = trace_on_found,
                                    .home = r->api->home,
                                    .owner = r->account};
        err = store_read(r->api->c.store, &r->job);
    }
    if (err == OK)
        return;
    problem_not_taken(r, err);
    request_done(r);
}
