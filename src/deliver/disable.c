/* disable: switches off an endpoint that answered 410, or failed for five days. Its setting changes
 * in the store, and so in the book, and endpoint_disabled goes to the endpoints that want it. Its
 * pending deliveries stay until a person enables or deletes it. Tells of endpoints that fail and
 * recover as well. */
#include "deliver/disable.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "store/rows/audit.h"

struct disable_job {
    struct courier_job job; /* first */
    uint64_t endpoint, account;
    char id[ID_SIZE], why[64], audit_id[ID_SIZE];
    struct setting setting; /* as it stands after the change */
    struct buf mem, doc;
};

static enum err change(struct disable_job *d)
{
    struct json *doc = NULL;
    struct endpoint *ep = NULL;
    struct field_error fault;
    enum err err = json_parse(d->setting.doc, &doc, NULL, 0);
    if (err == OK)
        err = endpoint_parse(doc, &ep, &fault);
    if (err == OK) {
        ep->disabled = true;
        ep->disabled_why = d->why;
        buf_reset(&d->doc);
        endpoint_print(ep, &d->doc);
        err = d->doc.err;
        d->setting.doc = buf_str(&d->doc);
    }
    endpoint_free(ep);
    json_free(doc);
    return err;
}

/* Writes the audit log's row, which says that the daemon did it. */
static enum err disable_log_change(struct disable_job *d, struct db *db)
{
    struct buf after;
    struct json_writer w = {&after, false};
    char text[256];
    buf_wrap(&after, text, sizeof text);
    json_obj(&w, NULL);
    json_put_bool(&w, "disabled", true);
    json_put_str(&w, "disabled_why", str_of(d->why));
    json_end_obj(&w);
    const struct audit a = {.id = str_of(d->audit_id),
                            .at_ms = clock_wall_ms(),
                            .account = d->account,
                            .who = STR("system"),
                            .who_name = STR("hookswitch"),
                            .address = STR(""),
                            .kind = SETTING_ENDPOINT,
                            .target = str_of(d->id),
                            .action = STR("disabled"),
                            .changed = STR("disabled,disabled_why"),
                            .before = STR("{\"disabled\":false}"),
                            .after = after.err == OK ? buf_str(&after) : STR("{}")};
    return audit_put(db, &a);
}

static enum err disable_run(struct store_job *job, struct db *db)
{
    struct disable_job *d = (struct disable_job *)job;
    buf_reset(&d->mem);
    enum err err =
        setting_get(db, SETTING_ENDPOINT, d->account, str_of(d->id), &d->setting, &d->mem);
    if (err == OK)
        err = change(d);
    if (err == OK)
        err = setting_change(db, &d->setting);
    return err == OK ? disable_log_change(d, db) : err;
}

static void disable_committed(struct store_job *job)
{
    struct disable_job *d = (struct disable_job *)job;
    books_changed(d->job.courier->deliver->c.books, &d->setting, false);
}

/* Submits an event to the endpoints that name its kind. */
static enum err news_submit(struct courier *c, const struct book *book, struct event *made)
{
    const struct event *e = made;
    struct admission *t = NULL;
    enum err err = admission_new(c->deliver->c.intake, book, &e, NULL, NULL, &t);
    if (err == OK)
        err = courier_submit(c, &t);
    admission_free(t);
    return err;
}

void endpoint_tell(struct queue *t, enum event_kind kind, const struct outcome *last)
{
    const struct book *book = courier_book(t->courier);
    const struct book_endpoint *ep = book_endpoint(book, t->endpoint);
    struct event *made = NULL;
    if (!ep)
        return;
    const char *error = last->err == OK ? NULL : *last->detail ? last->detail : err_text(last->err);
    const struct endpoint_news n = {.kind = kind,
                                    .account = ep->account,
                                    .endpoint = str_of(ep->id),
                                    .url = str_of(ep->set->url),
                                    .last_error = str_of(error),
                                    .last_status =
                                        kind == EVENT_ENDPOINT_FAILING ? last->status : 0,
                                    .waiting = (int64_t)t->pending};
    enum err err = event_of_endpoint_news(&n, clock_wall_ms(), &made);
    if (err == OK)
        err = news_submit(t->courier, book, made);
    if (err != OK)
        log_error("deliver", "%s: %s is not sent: %s", ep->id, event_kind_name(kind),
                  err_text(err));
}

/* Sends endpoint_disabled to the endpoints that name the kind. */
static void disable_tell(struct disable_job *d)
{
    struct courier *c = d->job.courier;
    struct event *made = NULL;
    const struct book *book = book_take(c->deliver->c.books);
    const struct book_endpoint *ep = book_endpoint(book, d->endpoint);
    enum err err = ep ? event_of_endpoint_disabled(d->account, str_of(d->id), str_of(ep->set->url),
                                                   str_of(d->why), clock_wall_ms(), &made)
                      : ERR_NOT_FOUND;
    if (err == OK)
        err = news_submit(c, book, made);
    book_drop(&book);
    if (err != OK)
        log_error("deliver", "%s: endpoint_disabled is not sent: %s", d->id, err_text(err));
}

static void on_disabled(struct courier_job *job)
{
    struct disable_job *d = (struct disable_job *)job;
    if (d->job.job.err == OK)
        disable_tell(d);
    else
        log_error("deliver", "%s could not be disabled: %s", d->id, err_text(d->job.job.err));
    buf_fini(&d->mem);
    buf_fini(&d->doc);
    free(d);
}

void endpoint_disable(struct courier *c, uint64_t endpoint, const char *why)
{
    const struct book *book = book_take(c->deliver->c.books);
    const struct book_endpoint *ep = book_endpoint(book, endpoint);
    struct disable_job *d = ep && !ep->set->disabled ? calloc(1, sizeof *d) : NULL;
    if (d) {
        log_warn("deliver", "endpoint %s is disabled: %s", ep->id, why);
        d->job = (struct courier_job){.job = {.run = disable_run, .committed = disable_committed},
                                      .done = on_disabled};
        d->endpoint = endpoint;
        d->account = ep->account;
        snprintf(d->id, sizeof d->id, "%s", ep->id);
        snprintf(d->why, sizeof d->why, "%s", why);
        id_new("aud", d->audit_id);
        buf_init(&d->mem, 1 << 20);
        buf_init(&d->doc, 1 << 20);
        if (courier_write(c, &d->job) != OK) {
            buf_fini(&d->mem);
            buf_fini(&d->doc);
            free(d);
        }
    }
    book_drop(&book);
}
