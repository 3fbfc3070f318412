/* ingest_sms_api: takes messages that an SMS provider posts, as a form or as JSON, with its own
 * field names: POST /v1/ingest/sms. Each message goes through the door for messages, like those of
 * SMPP; the provider gets its answer after the commit, and a repeat of the same message is
 * absorbed. Unknown fields are passed over, since providers send many.
 *
 * A post may have several messages. Each is taken or refused by itself; the provider hears 2xx only
 * when none was refused, and the answer lists them all. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core/idempotency.h"
#include "api/resources/handlers.h"
#include "api/core/query.h"
#include "api/core/sms_fields.h"
#include "hub/messages.h"

enum { PROVIDER_ID_MAX = 255, BARE_MIN = 9, ITEMS_MAX = 1000, DIGITS_SIZE = 32 };

/* All providers of an account share one name space: from, to, id and text together are the message.
 */
static const struct str link_http = STR("http");

struct mapping { /* how this URL's posts are read */
    struct sms_fields fields;
    struct number_rules rules;
    struct str strip; /* a scheme in front of numbers: "whatsapp:" */
    struct str only_field, only_values;
};

struct post { /* slices into the form or the document */
    struct form form;
    bool is_form, many;
    const struct json *doc, *items; /* items: each is a document of its own; NULL: `*` is a place */
    size_t n;
};

struct item { /* one message of a post, and what became of it */
    enum err err;
    bool ignored, duplicate;
    struct field_error fault;
    char id[PROVIDER_ID_MAX + 1];
};

struct batch {
    struct request *r;
    _Atomic size_t left; /* items without an answer, and the handler itself */
    bool many;
    size_t n;
    struct item item[];
};

/* ---- the post ---- */

static bool request_is_type(const struct request *r, struct str due)
{
    struct str type, rest;
    str_cut(request_header(r, "Content-Type"), ';', &type, &rest);
    return str_eq_nocase(str_trim(type), due);
}

static bool post_read_form(struct request *r, const struct mapping *m, struct post *p)
{
    enum err err = form_parse(buf_str(&r->http.body), &p->form);
    if (err == ERR_NOMEM)
        problem_of_err(r, err);
    else if (err != OK)
        problem(r, 400, "bad_form",
                err == ERR_TOO_BIG ? "The form has more than 64 fields."
                                   : "The body is not a form in UTF-8.");
    p->is_form = true;
    p->n = 1;
    return err == OK;
}

static bool hex4_read(const char *p, unsigned *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);
        if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'f'))
            return false;
        *ret = *ret * 16 + (unsigned)(c <= '9' ? c - '0' : low - 'a' + 10);
    }
    return true;
}

static bool escape_at(const struct buf *b, size_t at, unsigned *ret)
{
    return at + 6 <= b->n && b->p[at] == '\\' && b->p[at + 1] == 'u' &&
           hex4_read(b->p + at + 2, ret);
}

/* Makes the escapes of NUL and of half a surrogate pair those of U+FFFD, as such characters are read
 * in texts over SMPP: the parser would refuse the whole document. */
static void json_escapes_mend(struct buf *b)
{
    unsigned c, low;
    for (size_t at = 0; at + 1 < b->n; at += b->p[at] == '\\' ? 2 : 1) {
        if (!escape_at(b, at, &c) || (c && (c < 0xD800 || c > 0xDFFF)))
            continue;
        if (c >= 0xD800 && c < 0xDC00 && escape_at(b, at + 6, &low) && low >= 0xDC00 &&
            low <= 0xDFFF)
            at += 6;
        else
            memcpy(b->p + at + 2, "fffd", 4);
    }
}

static struct str without_mark(struct str s)
{
    return str_starts(s, STR("\xEF\xBB\xBF")) ? str_from(s, 3) : s;
}

static bool post_read_doc(struct request *r, const struct mapping *m, struct post *p)
{
    char where[160] = "", detail[200];
    json_escapes_mend(&r->http.body);
    struct str text = without_mark(str_trim(buf_str(&r->http.body)));
    bool good = json_parse(text, &r->json, where, sizeof where) == OK;
    if (!good || (json_kind(r->json) != JSON_IS_OBJECT && json_kind(r->json) != JSON_IS_ARRAY)) {
        snprintf(detail, sizeof detail, "The body is not valid JSON: %s.",
                 good ? "an object or an array is needed" : where);
        problem(r, 400, "bad_json", detail);
        return false;
    }
    const struct json *items = sms_items_of_json(&m->fields, r->json);
    p->doc = r->json;
    if (!items && json_kind(r->json) == JSON_IS_ARRAY)
        items = p->items = r->json;
    p->many = items != NULL;
    p->n = items ? json_len(items) : 1;
    if (p->n <= ITEMS_MAX)
        return true;
    problem(r, 422, "invalid_field", "At most 1000 messages may be in one post.");
    return false;
}

/* The value under those names in the i-th message; absent: p == NULL. */
static struct str post_value(const struct post *p, size_t i, struct str names,
                             char digits[DIGITS_SIZE])
{
    if (p->is_form)
        return sms_value_of_form(names, &p->form);
    return sms_value_of_json(names, p->items ? json_at(p->items, i) : p->doc, i, digits);
}

/* ---- the mapping ---- */

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

static enum err request_read_digits(struct request *r, const char *name, char *ret, size_t cap)
{
    struct str text = request_query(r, name);
    if (!text.p)
        return OK;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return request_refuse(r, name, "digits");
    return str_copy(text, ret, cap) == OK ? OK : request_refuse(r, name, "at most 4 digits");
}

static enum err request_read_mapping(struct request *r, struct mapping *m)
{
    *m = (struct mapping){.strip = request_query(r, "strip")};
    enum err err = request_read_names(r, &m->fields);
    if (err == OK)
        err = request_read_digits(r, "country", m->rules.country, sizeof m->rules.country);
    if (err == OK)
        err =
            request_read_digits(r, "national_prefix", m->rules.national, sizeof m->rules.national);
    if (err == OK)
        err = request_read_digits(r, "international_prefix", m->rules.international,
                                  sizeof m->rules.international);
    m->rules.bare_is_e164 = true;
    struct str only = request_query(r, "only");
    if (err == OK && only.p && !str_cut(only, ':', &m->only_field, &m->only_values))
        return request_refuse(r, "only", "FIELD:VALUE, with | between alternatives of each");
    return err;
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

/* Is the item of another kind than `only` names, such as a delivery report? */
static bool item_is_ignored(const struct mapping *m, const struct post *p, size_t i)
{
    char digits[DIGITS_SIZE];
    struct str one, values = m->only_values;
    if (!m->only_field.p)
        return false;
    struct str value = post_value(p, i, m->only_field, digits);
    while (value.p && values.n) {
        str_cut(values, '|', &one, &values);
        if (str_eq(str_trim(one), value))
            return false;
    }
    return true;
}

/* ---- one message ---- */

static enum err request_refuse_missing(struct request *r, const struct sms_fields *f,
                                       enum sms_field field)
{
    char why[sizeof r->fault.why];
    snprintf(why, sizeof why, "a field of the name %.100s", f->names[field]);
    return request_refuse(r, sms_field_name(field), why);
}

static struct str scheme_strip(const struct mapping *m, struct str s)
{
    s = str_trim(s);
    bool has = m->strip.n && str_eq_nocase(str_slice(s, 0, m->strip.n), m->strip);
    return has ? str_from(s, m->strip.n) : s;
}

/* Reads the sender: E.164 when it is a number by the rules; all others stay. A `+` that was not
 * escaped in a form came as a blank. */
static enum err request_read_sender(struct request *r, const struct mapping *m, struct str text,
                                    char number[NUMBER_SIZE], struct str *ret)
{
    size_t digits = 0;
    *ret = text = scheme_strip(m, text);
    if (text.n == 0) {
        *ret = STR("unknown");
        return OK;
    }
    for (size_t i = 0; i < text.n; i++)
        digits += text.p[i] >= '0' && text.p[i] <= '9';
    bool international = text.p[0] == '+' || str_starts(text, STR("00"));
    if ((international || digits >= BARE_MIN) && number_parse(text, &m->rules, number) == OK) {
        *ret = str_of(number);
        return OK;
    }
    return number_is_sender(text)
               ? OK
               : request_refuse(r, "from", "a sender of at most 128 visible bytes");
}

/* Finds a number of the asker that takes messages; any other is as if it did not exist. */
static enum err request_find_number(struct request *r, const struct mapping *m, struct str text,
                                    const struct book_number **ret)
{
    char number[NUMBER_SIZE];
    if (number_parse(scheme_strip(m, text), &m->rules, number) != OK)
        return ERR_NOT_FOUND;
    const struct book_number *n = book_number(r->book, str_of(number));
    if (!n || !n->set->sms || (n->account != r->account && !r->is_operator))
        return ERR_NOT_FOUND;
    *ret = n;
    return OK;
}

/* Makes the message a part of one, when all three fields say so: numbers that fit. */
static void part_read(const struct str value[SMS_FIELD_COUNT], struct sms_part *part)
{
    uint64_t total, number, reference;
    struct str ref = value[SMS_FIELD_REF];
    if (!ref.n || str_to_u64(value[SMS_FIELD_TOTAL], SMS_PARTS_MAX, &total) != OK || total < 2 ||
        str_to_u64(value[SMS_FIELD_PART], total, &number) != OK || number == 0)
        return;
    if (str_to_u64(ref, UINT32_MAX, &reference) != OK)
        reference = hash64(ref) & UINT32_MAX;
    part->reference = (uint32_t)reference;
    part->wide = true;
    part->parts = (unsigned)total;
    part->number = (unsigned)number;
}

static void item_on_stored(void *arg, uint64_t token, enum err err, bool duplicate,
                           struct str message_id);

static enum err item_take(struct batch *b, const struct mapping *m, const struct post *p, size_t i)
{
    struct request *r = b->r;
    char from[NUMBER_SIZE], digits[SMS_FIELD_COUNT][DIGITS_SIZE];
    struct str value[SMS_FIELD_COUNT];
    const struct book_number *to = NULL;
    for (int k = 0; k < SMS_FIELD_COUNT; k++) {
        value[k] = post_value(p, i, str_of(m->fields.names[k]), digits[k]);
        if (!value[k].p && k < SMS_FIELD_MESSAGE_ID)
            return request_refuse_missing(r, &m->fields, (enum sms_field)k);
    }
    struct message_in in = {.link = link_http,
                            .message_id = value[SMS_FIELD_MESSAGE_ID],
                            .part = {.coding.alphabet = SMS_UTF8,
                                     .data = without_mark(value[SMS_FIELD_TEXT]),
                                     .parts = 1,
                                     .number = 1}};
    if (in.part.data.n > SMS_TEXT_MAX)
        return request_refuse(r, "text", "at most 49152 bytes");
    if (!in.message_id.n && !p->many) /* the client's own name for the request */
        in.message_id = request_header(r, "Idempotency-Key");
    if (in.message_id.n > PROVIDER_ID_MAX)
        return request_refuse(r, "message_id", "at most 255 bytes");
    part_read(value, &in.part);
    enum err err = request_read_sender(r, m, value[SMS_FIELD_FROM], from, &in.from);
    if (err == OK)
        err = request_find_number(r, m, value[SMS_FIELD_TO], &to);
    if (err != OK)
        return err;
    in.account = to->account;
    in.to = str_of(to->set->e164);
    return messages_take(r->api->c.messages, r->book, &in, r->api->home, item_on_stored, b, i);
}

/* ---- the answer ---- */

/* The error that the provider hears: one that passes first, since it makes it come again. */
static const struct item *batch_fault(const struct batch *b)
{
    const struct item *first = NULL;
    for (size_t i = 0; i < b->n; i++) {
        if (b->item[i].err != OK && !err_is_final(b->item[i].err))
            return &b->item[i];
        if (!first && b->item[i].err != OK)
            first = &b->item[i];
    }
    return first;
}

static void item_put(struct json_writer *w, const struct item *it)
{
    if (it->err != OK) {
        json_put_str(w, "error",
                     str_of(it->fault.field[0]         ? "invalid_field"
                            : it->err == ERR_NOT_FOUND ? "not_found"
                                                       : "not_taken"));
        if (it->fault.field[0])
            json_put_str(w, "field", str_of(it->fault.field));
        return;
    }
    if (it->ignored) {
        json_put_bool(w, "ignored", true);
        return;
    }
    json_put_str(w, "message_id", str_of(it->id));
    json_put_bool(w, "duplicate", it->duplicate);
}

static void batch_put_items(struct json_writer *w, const struct batch *b)
{
    json_arr(w, "data");
    for (size_t i = 0; i < b->n; i++) {
        json_obj(w, NULL);
        item_put(w, &b->item[i]);
        json_end_obj(w);
    }
    json_end_arr(w);
}

/* Answers when the last item has its answer: on the thread that had it. */
static void batch_leave(struct batch *b)
{
    struct request *r = b->r;
    if (atomic_fetch_sub(&b->left, 1) > 1)
        return;
    const struct item *fault = batch_fault(b);
    bool silent = !fault && r->http.status == 204;
    struct json_writer w = {&r->http.out, fault != NULL};
    if (fault) {
        r->fault = fault->fault;
        problem_of_err(r, fault->err);
        r->http.out.n--; /* its last brace: the items follow */
    } else if (!silent) {
        json_obj(&w, NULL);
    }
    if (b->many && !silent)
        batch_put_items(&w, b);
    else if (!fault && !silent)
        item_put(&w, &b->item[0]);
    if (!silent)
        json_end_obj(&w);
    free(b);
    request_done(r);
}

static void item_on_stored(void *arg, uint64_t token, enum err err, bool duplicate,
                           struct str message_id)
{
    struct batch *b = arg;
    struct item *it = &b->item[token];
    it->err = err;
    it->duplicate = duplicate;
    snprintf(it->id, sizeof it->id, "%.*s", STR_FMT(message_id));
    batch_leave(b);
}

static void batch_take(struct batch *b, const struct mapping *m, const struct post *p)
{
    for (size_t i = 0; i < b->n; i++) {
        struct item *it = &b->item[i];
        it->ignored = item_is_ignored(m, p, i);
        b->r->fault = (struct field_error){0};
        enum err err = it->ignored ? OK : item_take(b, m, p, i);
        if (err == OK && !it->ignored)
            continue; /* its answer may have come already */
        it->err = err;
        it->fault = b->r->fault;
        atomic_fetch_sub(&b->left, 1); /* never the last: the handler has one too */
    }
}

static enum err batch_new(struct request *r, const struct post *p, struct batch **ret)
{
    struct batch *b = calloc(1, sizeof *b + p->n * sizeof b->item[0]);
    if (!b)
        return ERR_NOMEM;
    b->r = r;
    b->n = p->n;
    b->many = p->many;
    b->left = p->n + 1;
    *ret = b;
    return OK;
}

void ingest_sms(struct request *r)
{
    struct mapping m;
    struct post p = {0};
    struct batch *b;
    bool form = request_is_type(r, STR("application/x-www-form-urlencoded"));
    enum err err = request_read_mapping(r, &m);
    if (err == OK)
        err = request_read_status(r);
    if (err == OK && !form && !request_is_type(r, STR("application/json"))) {
        problem(r, 415, "unsupported_media_type",
                "The body's Content-Type must be application/x-www-form-urlencoded or "
                "application/json.");
    } else if (err != OK) {
        problem_of_err(r, err);
    } else if ((form ? post_read_form : post_read_doc)(r, &m, &p)) {
        err = batch_new(r, &p, &b);
        if (err == OK)
            batch_take(b, &m, &p);
        form_fini(&p.form);
        if (err == OK) {
            batch_leave(b); /* r may be gone now */
            return;
        }
        problem_of_err(r, err);
    }
    request_done(r);
}
