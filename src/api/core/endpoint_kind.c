/* endpoint_kind: checks an endpoint beyond the model's parser: its URLs and certificates, that its
 * numbers are the account's, and that there is room for one more. For REST and for the DID API; on
 * the HTTP server's threads and the store's. */
#include "api/core/endpoint_kind.h"

#include <stdio.h>

#include "base/crypto.h"
#include "hub/endpoint_room.h"
#include "net/stream.h"
#include "store/rows/outages.h"
#include "store/rows/recoveries.h"

static enum err endpoint_check_certificates(struct request *r, const struct endpoint *e)
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

/* Checks that the numbers that a request names are the account's: another account's number is
 * refused like one that does not exist, and so is a mistyped one, which would get no events.
 * Numbers that were named before may be gone. */
static enum err endpoint_check_numbers(struct request *r, const struct record *rec,
                                       const struct endpoint *e, const struct json *given)
{
    uint64_t owner = record_owner(rec);
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

/* An endpoint's key is its id, which stays. */
enum err record_print_endpoint(struct record *rec, const struct endpoint *e)
{
    buf_reset(&rec->text);
    endpoint_print(e, &rec->text);
    rec->setting.doc = buf_str(&rec->text);
    return rec->text.err;
}

static enum err endpoint_check(struct request *r, struct record *rec, const struct json *doc,
                               const struct json *given, bool is_new)
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
        err = endpoint_check_certificates(r, e);
    if (err == OK)
        err = endpoint_check_numbers(r, rec, e, given);
    char made[SECRET_SIZE];
    if (err == OK && !e->secret[0][0]) {
        secret_new(made);
        e->secret[0] = made;
    }
    if (err == OK && is_new)
        err = str_copy(str_of(e->secret[0]), rec->secret, sizeof rec->secret);
    if (err == OK) {
        err = record_print_endpoint(rec, e);
        if (is_new)
            rec->setting.key = (struct str){0};
    }
    endpoint_free(e);
    return err;
}

/* Limits how many endpoints want one event. The book is the one after the last commit. */
static enum err endpoint_fits(struct request *r, struct record *rec, struct db *db)
{
    struct endpoint *e = NULL;
    const struct book *book = book_take(r->api->c.books);
    enum err err = endpoint_parse(rec->now, &e, &r->fault);
    if (err == OK)
        err = endpoint_room_take(r->api->endpoint_room, db, book, rec->setting.account,
                                 rec->setting.id, &e, r->fault.why, sizeof r->fault.why);
    if (err == ERR_FULL) {
        r->fault_code = "too_many_endpoints";
        err = ERR_INVALID;
    }
    endpoint_free(e);
    book_drop(&book);
    return err;
}

/* Ends the endpoint's deliveries and its recovery. */
static enum err endpoint_removed(struct request *r, struct record *rec, struct db *db)
{
    int64_t ended;
    enum err err = delivery_end_all(db, rec->setting.n, DELIVERY_CANCELED, &ended);
    return err == OK ? recovery_end_endpoint(db, rec->setting.n) : err;
}

static void outage_print_last_error(struct json_writer *w, const struct outage *o)
{
    if (!o->last_at_ms) {
        json_put_null(w, "last_error");
        return;
    }
    json_obj(w, "last_error");
    put_time(w, "at", o->last_at_ms);
    if (o->status)
        json_put_i64(w, "status", o->status);
    else
        json_put_null(w, "status");
    if (o->err != OK)
        json_put_str(w, "error", *o->detail ? str_of(o->detail) : str_of(err_text(o->err)));
    else
        json_put_null(w, "error");
    json_end_obj(w);
}

/* Shows the endpoint's health: switched off, or the outcome of its last attempts. */
static enum err endpoint_more(struct request *r, const struct setting *s, const struct json *doc,
                              struct json_writer *w)
{
    bool disabled = false;
    struct outage o = {0};
    json_bool(json_get(doc, "disabled"), &disabled);
    enum err err = outage_get(r->db, s->n, &o);
    json_obj(w, "health");
    json_put_str(w, "state",
                 disabled     ? STR("disabled")
                 : o.since_ms ? STR("failing")
                              : STR("healthy"));
    put_time(w, "failing_since", o.since_ms);
    outage_print_last_error(w, &o);
    put_time(w, "next_attempt_at", disabled ? 0 : o.next_at_ms);
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
                                   .nudges = true,
                                   .fits = endpoint_fits,
                                   .removed = endpoint_removed,
                                   .more = endpoint_more};
