/* endpoints_api: whom events are sent to: what is checked beyond the model's parser (URLs,
 * certificates, whose the numbers are), and the verbs: rotate-secret, enable, test. Handlers on the
 * HTTP server's threads, work on the store's. */
#include <stdio.h>
#include <string.h>

#include "api/audit.h"
#include "api/idempotency.h"
#include "api/resource.h"
#include "base/crypto.h"
#include "hub/endpoint_room.h"
#include "net/stream.h"

static enum err check_certificates(struct request *r, const struct endpoint *e)
{
    const char *field = "", *why = "";
    struct tls_config c = {.ca_pem = str_of(e->ca_pem),
                           .cert_pem = str_of(e->cert_pem),
                           .key_pem = str_of(e->key_pem)};
    enum err err = tls_check(&c, &field, &why);
    if (err == ERR_INVALID) {
        snprintf(r->fault.field, sizeof r->fault.field, "%s", field);
        snprintf(r->fault.why, sizeof r->fault.why, "%s", why);
    }
    return err;
}

/* Whose the endpoint will be when this request is done. */
static uint64_t owner_to_be(const struct request *r)
{
    return r->move_to ? r->move_to : r->setting.account;
}

/* Numbers that a request names must be the account's: another's is refused as one that is not
 * there, and so is a slip of the pen, which would be silence. What was named before may be gone. */
static enum err check_numbers(struct request *r, const struct endpoint *e, const struct json *given)
{
    uint64_t owner = owner_to_be(r);
    if (!json_get(given, "numbers"))
        return OK;
    for (size_t i = 0; i < e->n_numbers; i++) {
        const struct book_number *n = book_number(r->book, str_of(e->numbers[i]));
        char field[32];
        snprintf(field, sizeof field, "numbers[%zu]", i);
        if (!n || n->account != owner)
            return request_refuse(r, field, "a number of the account");
    }
    return OK;
}

static enum err endpoint_check(struct request *r, const struct json *doc, const struct json *given,
                               bool is_new)
{
    struct endpoint *e;
    enum err err = endpoint_parse(doc, &e, &r->fault);
    if (err != OK)
        return err;
    err = json_get(given, "secret") && json_kind(json_get(given, "secret")) == JSON_IS_ARRAY
              ? request_refuse(r, "secret", "one secret: rotate-secret gives a second")
              : request_check_url(r, "url", str_of(e->url));
    if (err == OK && e->fallback_url[0])
        err = request_check_url(r, "fallback_url", str_of(e->fallback_url));
    if (err == OK && (e->ca_pem || e->cert_pem || e->key_pem))
        err = check_certificates(r, e);
    if (err == OK)
        err = check_numbers(r, e, given);
    char made[SECRET_SIZE];
    if (err == OK && !e->secret[0][0]) {
        secret_new(made);
        e->secret[0] = made;
    }
    if (err == OK && is_new)
        err = str_copy(str_of(e->secret[0]), r->secret, sizeof r->secret);
    if (err == OK) {
        buf_reset(&r->doc);
        endpoint_print(e, &r->doc);
        r->setting.doc = buf_str(&r->doc);
        if (is_new)
            r->setting.key = (struct str){0};
        err = r->doc.err;
    }
    endpoint_free(e);
    return err;
}
/* Not more than so many want one event. The book is the one after the last commit. */
static enum err endpoint_fits(struct request *r, struct db *db)
{
    struct json *doc = NULL;
    struct endpoint *e = NULL;
    const struct book *book = book_take(r->api->c.books);
    enum err err = json_parse(r->setting.doc, &doc, NULL, 0);
    if (err == OK)
        err = endpoint_parse(doc, &e, &r->fault);
    if (err == OK)
        err = endpoint_room_take(r->api->endpoint_room, db, book, r->setting.account, r->setting.id,
                                 &e, r->fault.why, sizeof r->fault.why);
    if (err == ERR_FULL) {
        r->fault_code = "too_many_endpoints";
        err = ERR_INVALID;
    }
    endpoint_free(e);
    json_free(doc);
    book_drop(&book);
    return err;
}

/* Switched off, or how it did lately. */
static enum err endpoint_more(struct request *r, const struct setting *s, struct json_writer *w)
{
    struct json *doc = NULL;
    bool disabled = false;
    int64_t since_ms = 0;
    enum err err = json_parse(s->doc, &doc, NULL, 0);
    if (err == OK)
        json_bool(json_get(doc, "disabled"), &disabled);
    json_free(doc);
    if (err == OK)
        err = endpoint_failing_get(r->db, s->n, &since_ms);
    json_obj(w, "health");
    json_put_str(w, "state",
                 disabled   ? STR("disabled")
                 : since_ms ? STR("failing")
                            : STR("healthy"));
    put_time(w, "failing_since", since_ms);
    json_end_obj(w);
    return err;
}
static const char *const endpoint_hidden[] = {"secret", "secret_old_until_ms", "key_pem", NULL};
static const char *const endpoint_own[] = {"secret_old_until_ms", "disabled_why", NULL};
const struct resource endpoints = {.kind = SETTING_ENDPOINT,
                                   .prefix = "ep",
                                   .collection = "/v1/endpoints",
                                   .hidden = endpoint_hidden,
                                   .own = endpoint_own,
                                   .check = endpoint_check,
                                   .fits = endpoint_fits,
                                   .more = endpoint_more};
RESOURCE_HANDLERS(endpoints, endpoints)

void endpoints_patch(struct request *r)
{
    resource_patch(r, &endpoints);
}

void endpoints_delete(struct request *r)
{
    resource_delete(r, &endpoints);
}

static enum err endpoint_change(struct request *r, struct db *db, const char *action,
                                enum err (*change)(struct request *, struct endpoint *))
{
    struct json *doc = NULL;
    struct endpoint *e = NULL;
    struct json_writer w = {&r->http.out, false};
    enum err err =
        setting_get(db, SETTING_ENDPOINT, request_scope(r), str_of(r->arg), &r->setting, &r->mem);
    const struct setting before = r->setting;
    if (err == OK)
        err = json_parse(r->setting.doc, &doc, NULL, 0);
    if (err == OK)
        err = endpoint_parse(doc, &e, &r->fault);
    if (err == OK)
        err = change(r, e);
    if (err == OK) {
        buf_reset(&r->doc);
        endpoint_print(e, &r->doc);
        r->setting.doc = buf_str(&r->doc);
        err = r->doc.err != OK ? r->doc.err : setting_change(db, &r->setting);
    }
    if (err == OK)
        err = request_audit(r, db, &endpoints, &before, &r->setting, action);
    endpoint_free(e);
    json_free(doc);
    r->http.status = 200;
    if (err == OK)
        err = resource_put(r, &endpoints, &r->setting, &w);
    return err;
}

enum { ROTATION_MS = 24 * 3600 * 1000 };

/* The old secret signs beside the new one for a day, so that receivers can change over. */
static enum err rotate(struct request *r, struct endpoint *e)
{
    e->secret[1] = e->secret[0];
    e->secret_old_until_ms = clock_wall_ms() + ROTATION_MS;
    if (!r->secret[0])
        secret_new(r->secret);
    e->secret[0] = r->secret;
    return OK;
}

static enum err rotate_work(struct request *r, struct db *db)
{
    return endpoint_change(r, db, "rotated", rotate);
}

/* One that is given becomes the new one. */
static enum err take_secret(struct request *r)
{
    struct str s;
    struct secret parsed;
    const struct json *v = json_get(r->json, "secret");
    enum err err = request_members(r, "secret");
    if (err != OK || !v)
        return err;
    if (!json_str(v, &s) || secret_parse(s, &parsed) != OK ||
        str_copy(s, r->secret, SECRET_SIZE) != OK)
        return request_refuse(r, "secret", "whsec_ and base64 of 24 to 64 bytes");
    return OK;
}

void endpoints_rotate(struct request *r)
{
    enum err err = take_secret(r);
    if (err == OK) {
        request_write(r, rotate_work, setting_committed);
        return;
    }
    problem_of_err(r, err);
    request_done(r);
}

static enum err enable(struct request *r, struct endpoint *e)
{
    e->disabled = false;
    e->disabled_why = "";
    return OK;
}

static enum err enable_work(struct request *r, struct db *db)
{
    return endpoint_change(r, db, "enabled", enable);
}

void endpoints_enable(struct request *r)
{
    request_write(r, enable_work, setting_committed_nudge);
}

/* A ping to this endpoint alone, through the real path: 202 with the event's id. */
static void on_ping_taken(void *arg, uint64_t token, struct taking **t, enum err err,
                          bool duplicate)
{
    struct request *r = arg;
    if (err != OK)
        problem_of_err(r, err);
    request_done(r);
}

static enum err keep_ping(void *arg, struct db *db, const struct taking *const *t, size_t n)
{
    return keyed_keep(arg, db);
}

void endpoints_test(struct request *r)
{
    const struct book_endpoint *ep = book_endpoint_by_id(r->book, str_of(r->arg));
    const struct intake_companion keep = {.before = keyed_before, .after = keep_ping, .arg = r};
    struct event *made = NULL;
    struct taking *t = NULL;
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
        err = intake_prepare_for(r->api->c.intake, ep->n, &e, &t);
    }
    if (err == OK)
        err =
            intake_submit_all_with(r->api->c.intake, &t, 1, &keep, r->api->home, on_ping_taken, r);
    if (err == OK)
        return;
    taking_free(t);
    problem_of_err(r, err);
    request_done(r);
}
