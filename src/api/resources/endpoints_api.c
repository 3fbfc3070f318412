/* endpoints_api: handles endpoints, to which events are sent, and the verbs rotate-secret, enable
 * and test. Handlers on the HTTP server's threads, work on the store's. */
#include <stdio.h>
#include <string.h>

#include "api/core/audit.h"
#include "api/core/endpoint_kind.h"
#include "api/resources/handlers.h"
#include "api/core/idempotency.h"
#include "base/crypto.h"

RESOURCE_HANDLERS(endpoints, endpoints)

void endpoints_patch(struct request *r)
{
    resource_patch(r, &endpoints);
}

void endpoints_delete(struct request *r)
{
    resource_delete(r, &endpoints);
}

/* Changes an endpoint by a function, and shows it. */
static enum err endpoint_change_by(struct request *r, struct db *db, const char *action,
                                   void (*change)(struct record *, struct endpoint *))
{
    struct record *rec = r->record;
    struct endpoint *e = NULL;
    struct json_writer w = {&r->http.out, false};
    enum err err = record_get(rec, db, request_scope(r), str_of(r->arg));
    const struct setting before = rec->setting;
    if (err == OK)
        err = endpoint_parse(rec->was, &e, &r->fault);
    if (err == OK) {
        change(rec, e);
        err = record_print_endpoint(rec, e);
    }
    if (err == OK)
        err = json_parse(rec->setting.doc, &rec->now, NULL, 0);
    if (err == OK)
        err = setting_change(db, &rec->setting);
    if (err == OK)
        err = request_audit(r, db, rec, &before, &rec->setting, action);
    endpoint_free(e);
    r->http.status = 200;
    return err == OK ? resource_put(r, rec, &w) : err;
}

enum { KEEP_OLD_SEC = 24 * 3600, KEEP_OLD_MAX_SEC = 30 * KEEP_OLD_SEC };

/* Gives a new secret; the old one signs beside it for a while, so that receivers can change over, or
 * ends now. */
static void endpoint_rotate_secret(struct record *rec, struct endpoint *e)
{
    e->secret[1] = rec->keep_old_ms ? e->secret[0] : "";
    e->secret_old_until_ms = rec->keep_old_ms ? clock_wall_ms() + rec->keep_old_ms : 0;
    if (!rec->secret[0])
        secret_new(rec->secret);
    e->secret[0] = rec->secret;
}

static enum err endpoint_rotate_work(struct request *r, struct db *db)
{
    return endpoint_change_by(r, db, "rotated", endpoint_rotate_secret);
}

static enum err request_read_keep_old(struct request *r)
{
    const struct json *v = json_get(r->json, "keep_old_s");
    int64_t sec = KEEP_OLD_SEC;
    if (v && (!json_int(v, &sec) || sec < 0 || sec > KEEP_OLD_MAX_SEC))
        return request_refuse(r, "keep_old_s", "a whole number from 0 to 2592000");
    r->record->keep_old_ms = sec * 1000;
    return OK;
}

/* Reads the new secret, when the request gives one. */
static enum err request_read_secret(struct request *r)
{
    struct str s;
    struct secret parsed;
    const struct json *v = json_get(r->json, "secret");
    enum err err = request_members(r, "secret, keep_old_s");
    if (err == OK)
        err = request_read_keep_old(r);
    if (err != OK || !v)
        return err;
    if (!json_str(v, &s) || secret_parse(s, &parsed) != OK ||
        str_copy(s, r->record->secret, SECRET_SIZE) != OK)
        return request_refuse(r, "secret", "whsec_ and base64 of 24 to 64 bytes");
    return OK;
}

static void endpoint_refuse(struct request *r, enum err err)
{
    problem_of_err(r, err);
    request_done(r);
}

void endpoints_rotate(struct request *r)
{
    r->record = record_new(r, &endpoints);
    enum err err = r->record ? request_read_secret(r) : ERR_NOMEM;
    if (err == OK)
        request_write(r, endpoint_rotate_work, setting_committed);
    else
        endpoint_refuse(r, err);
}

static void endpoint_enable(struct record *rec, struct endpoint *e)
{
    e->disabled = false;
    e->disabled_why = "";
}

static enum err endpoint_enable_work(struct request *r, struct db *db)
{
    return endpoint_change_by(r, db, "enabled", endpoint_enable);
}

void endpoints_enable(struct request *r)
{
    r->record = record_new(r, &endpoints);
    if (r->record)
        request_write(r, endpoint_enable_work, setting_committed_nudge);
    else
        endpoint_refuse(r, ERR_NOMEM);
}

/* A ping to this endpoint alone, through the real path: 202 with the event's id. */
static void ping_on_stored(void *arg, enum err err, const bool *duplicate, size_t n)
{
    struct request *r = arg;
    if (err != OK)
        problem_of_err(r, err);
    request_done(r);
}

static enum err ping_keep(void *arg, struct db *db, const struct admission *const *t, size_t n)
{
    return idempotency_keep(arg, db);
}

void endpoints_test(struct request *r)
{
    const struct book_endpoint *ep = book_endpoint_by_id(r->book, str_of(r->arg));
    const struct intake_companion keep = {
        .before = idempotency_before, .after = ping_keep, .arg = r};
    struct event *made = NULL;
    struct admission *t = NULL;
    struct json_writer w = {&r->http.out, false};
    enum err err = ep && (r->is_operator || ep->account == r->account) ? OK : ERR_NOT_FOUND;
    if (err == OK)
        err = event_of_ping(ep->account, str_of(ep->id), clock_wall_ms(), &made);
    if (err == OK) {
        r->http.status = 202;
        json_obj(&w, NULL);
        json_put_str(&w, "event", made->id);
        json_end_obj(&w);
        const struct event *e = made;
        err = admission_new_for(r->api->c.intake, ep->n, &e, &t);
    }
    if (err == OK)
        err = intake_batch(r->api->c.intake, &t, 1, &keep, r->api->home, ping_on_stored, r);
    if (err == OK)
        return;
    admission_free(t);
    endpoint_refuse(r, err);
}
