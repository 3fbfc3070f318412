/* ingest_sms_api: takes a message that an SMS provider posts, as a form or as JSON, with its own
 * field names: POST /v1/ingest/sms. The message goes through the door for messages, like those of
 * SMPP; the provider gets its answer after the commit, and a repeat of the same message is
 * absorbed. Unknown fields are passed over, since providers send many. */
#include <stdio.h>
#include <string.h>

#include "api/core/idempotency.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "api/core/sms_fields.h"
#include "hub/messages.h"

enum { PROVIDER_ID_MAX = 255, BARE_MIN = 9 };

/* All providers of an account share one name space: from, to and id together are the message. */
static const struct str link_http = STR("http");

struct post { /* slices into the form or the document */
    struct form form;
    char digits[SMS_FIELD_COUNT][32];
    struct str value[SMS_FIELD_COUNT];
};

static bool request_is_type(const struct request *r, struct str due)
{
    struct str type, rest;
    str_cut(request_header(r, "Content-Type"), ';', &type, &rest);
    return str_eq_nocase(str_trim(type), due);
}

static bool post_read_form(struct request *r, const struct sms_fields *f, struct post *p)
{
    enum err err = form_parse(buf_str(&r->http.body), &p->form);
    if (err == ERR_NOMEM)
        problem_of_err(r, err);
    else if (err != OK)
        problem(r, 400, "bad_form",
                err == ERR_TOO_BIG ? "The form has more than 64 fields."
                                   : "The body is not a form in UTF-8.");
    for (int i = 0; err == OK && i < SMS_FIELD_COUNT; i++)
        p->value[i] = sms_field_of_form(f, (enum sms_field)i, &p->form);
    return err == OK;
}

static bool post_read_doc(struct request *r, const struct sms_fields *f, struct post *p)
{
    char where[160], detail[200];
    if (json_parse(str_trim(buf_str(&r->http.body)), &r->json, where, sizeof where) != OK ||
        json_kind(r->json) != JSON_IS_OBJECT) {
        snprintf(detail, sizeof detail, "The body is not valid JSON: %s.",
                 r->json ? "an object is needed" : where);
        problem(r, 400, "bad_json", detail);
        return false;
    }
    for (int i = 0; i < SMS_FIELD_COUNT; i++)
        p->value[i] = sms_field_of_json(f, (enum sms_field)i, r->json, p->digits[i]);
    return true;
}

/* Reads the request's names, which win over the operator's, as those win over the common ones. */
static enum err request_read_names(struct request *r, struct sms_fields *f)
{
    *f = *r->api->sms_fields;
    for (int i = 0; i < SMS_FIELD_COUNT; i++) {
        const char *name = sms_field_name((enum sms_field)i);
        struct str names = request_query(r, name);
        if (names.p && sms_fields_set(f, (enum sms_field)i, names) != OK)
            return request_refuse(r, name, "the name of a field, or names with | between them");
    }
    return OK;
}

/* Reads the status to answer with: some providers take nothing but 200. */
static enum err request_read_status(struct request *r)
{
    struct str text = request_query(r, "status");
    uint64_t v = 202;
    if (text.p && (str_to_u64(text, 204, &v) != OK || (v != 200 && v != 202 && v != 204)))
        return request_refuse(r, "status", "200, 202 or 204");
    r->http.status = (int)v;
    return OK;
}

static enum err request_refuse_missing(struct request *r, const struct sms_fields *f,
                                       enum sms_field field)
{
    char why[sizeof r->fault.why];
    snprintf(why, sizeof why, "a field of the name %.100s", f->names[field]);
    return request_refuse(r, sms_field_name(field), why);
}

/* Reads the sender: E.164 when it is a number; short codes and names stay. A `+` that was not
 * escaped in a form came as a blank. */
static enum err request_read_sender(struct request *r, struct str text, char number[NUMBER_SIZE],
                                    struct str *ret)
{
    static const struct number_rules rules = {.bare_is_e164 = true};
    size_t digits = 0;
    *ret = text = str_trim(text);
    if (text.n == 0) {
        *ret = STR("unknown");
        return OK;
    }
    for (size_t i = 0; i < text.n; i++)
        digits += text.p[i] >= '0' && text.p[i] <= '9';
    bool international = text.p[0] == '+' || str_starts(text, STR("00"));
    if ((international || digits >= BARE_MIN) && number_parse(text, &rules, number) == OK) {
        *ret = str_of(number);
        return OK;
    }
    return number_is_sender(text)
               ? OK
               : request_refuse(r, "from", "a sender of at most 128 visible bytes");
}

/* Finds a number of the asker that takes messages; any other is as if it did not exist. */
static enum err request_find_number(struct request *r, struct str text,
                                    const struct book_number **ret)
{
    static const struct number_rules rules = {.bare_is_e164 = true};
    char number[NUMBER_SIZE];
    if (number_parse(str_trim(text), &rules, number) != OK)
        return ERR_NOT_FOUND;
    const struct book_number *n = book_number(r->book, str_of(number));
    if (!n || !n->set->sms || (n->account != r->account && !r->is_operator))
        return ERR_NOT_FOUND;
    *ret = n;
    return OK;
}

static void sms_on_stored(void *arg, uint64_t token, enum err err, bool duplicate,
                          struct str message_id)
{
    struct request *r = arg;
    struct json_writer w = {&r->http.out, false};
    if (err != OK) {
        problem_of_err(r, err);
    } else if (r->http.status != 204) {
        json_obj(&w, NULL);
        json_put_str(&w, "message_id", message_id);
        json_put_bool(&w, "duplicate", duplicate);
        json_end_obj(&w);
    }
    request_done(r);
}

static enum err sms_take(struct request *r, const struct sms_fields *f, const struct post *p)
{
    char from[NUMBER_SIZE];
    const struct book_number *to = NULL;
    struct message_in in = {.link = link_http,
                            .message_id = p->value[SMS_FIELD_MESSAGE_ID],
                            .part = {.coding.alphabet = SMS_UTF8,
                                     .data = p->value[SMS_FIELD_TEXT],
                                     .parts = 1,
                                     .number = 1}};
    for (int i = 0; i < SMS_FIELD_MESSAGE_ID; i++)
        if (!p->value[i].p)
            return request_refuse_missing(r, f, (enum sms_field)i);
    if (in.part.data.n > SMS_TEXT_MAX)
        return request_refuse(r, "text", "at most 49152 bytes");
    if (!in.message_id.n) /* the client's own name for the request */
        in.message_id = request_header(r, "Idempotency-Key");
    if (in.message_id.n > PROVIDER_ID_MAX)
        return request_refuse(r, "message_id", "at most 255 bytes");
    enum err err = request_read_sender(r, p->value[SMS_FIELD_FROM], from, &in.from);
    if (err == OK)
        err = request_find_number(r, p->value[SMS_FIELD_TO], &to);
    if (err != OK)
        return err;
    in.account = to->account;
    in.to = str_of(to->set->e164);
    return messages_take(r->api->c.messages, r->book, &in, r->api->home, sms_on_stored, r, 0);
}

void ingest_sms(struct request *r)
{
    struct sms_fields f;
    struct post p = {0};
    bool form = request_is_type(r, STR("application/x-www-form-urlencoded"));
    enum err err = request_read_names(r, &f);
    if (err == OK)
        err = request_read_status(r);
    if (err == OK && !form && !request_is_type(r, STR("application/json"))) {
        problem(r, 415, "unsupported_media_type",
                "The body's Content-Type must be application/x-www-form-urlencoded or "
                "application/json.");
    } else if (err != OK) {
        problem_of_err(r, err);
    } else if ((form ? post_read_form : post_read_doc)(r, &f, &p)) {
        err = sms_take(r, &f, &p); /* OK: r may be gone now */
        form_fini(&p.form);
        if (err == OK)
            return;
        problem_of_err(r, err);
    }
    request_done(r);
}
