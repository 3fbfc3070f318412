/* endpoint: parses and prints a webhook endpoint's settings document. net/url judges the URL's
 * text, which model does not know; here only its length is checked.
 *
 * A document is read into a struct whose texts lie in the document, and then copied into one block.
 */
#include <stdlib.h>
#include <string.h>

#include "model/block.h"
#include "model/fields.h"

enum { PEM_MAX = 64 * 1024, NUMBERS_MAX = 10000, WHY_MAX = 63 };

struct endpoint_pieces { /* the pieces that an endpoint points to until it is packed */
    struct endpoint e;
    struct retry retry;
    const char *header[ENDPOINT_HEADERS_MAX][2];
    char (*numbers)[NUMBER_SIZE]; /* on the heap */
};

static void endpoint_format_read(struct fields *f, struct endpoint *e)
{
    const struct json *v = field_any(f, "format");
    struct str s;
    if (v && (!json_str(v, &s) || !body_format_parse(s, &e->format)))
        field_refuse(f, "format", "json or form");
}

static void endpoint_events_read(struct fields *f, struct endpoint *e)
{
    const struct json *v = field_any(f, "events");
    e->events = event_mask_default();
    if (!v)
        return;
    if (json_kind(v) != JSON_IS_ARRAY || json_len(v) == 0) {
        field_refuse(f, "events", "an array of names of events");
        return;
    }
    e->events = 0;
    for (size_t i = 0; i < json_len(v); i++) {
        struct str s;
        enum event_kind kind;
        if (!json_str(json_at(v, i), &s) || !event_kind_parse(s, &kind)) {
            field_refuse(
                f, "events",
                "an array of incoming_call, call_answered, call_ended, sms_received, "
                "call_ringing, call_forward_failed, call_transferred, endpoint_disabled, ping, "
                "endpoint_failing, endpoint_recovered");
            return;
        }
        e->events |= EVENT_BIT(kind);
    }
}

static void endpoint_numbers_read(struct fields *f, struct endpoint_pieces *r)
{
    const struct json *v = field_any(f, "numbers");
    struct str s;
    if (!v || (json_str(v, &s) && str_eq(s, STR("*"))))
        return;
    if (json_kind(v) != JSON_IS_ARRAY || json_len(v) > NUMBERS_MAX) {
        field_refuse(f, "numbers", "\"*\" or an array of E.164 numbers");
        return;
    }
    r->e.n_numbers = (uint32_t)json_len(v);
    r->numbers = calloc(r->e.n_numbers + 1, sizeof *r->numbers);
    if (!r->numbers) {
        f->err = ERR_NOMEM;
        return;
    }
    r->e.numbers = (const char(*)[NUMBER_SIZE])r->numbers;
    for (size_t i = 0; i < r->e.n_numbers; i++)
        if (!json_str(json_at(v, i), &s) || !number_is_e164(s) ||
            str_copy(s, r->numbers[i], NUMBER_SIZE) != OK) {
            field_refuse(f, "numbers", "\"*\" or an array of E.164 numbers");
            return;
        }
}

static void endpoint_secret_read(struct fields *f, const struct json *v, const char **out)
{
    struct str s;
    struct secret parsed;
    if (!json_str(v, &s) || secret_parse(s, &parsed) != OK)
        field_refuse(f, "secret", "whsec_ and base64 of 24 to 64 bytes");
    else
        *out = s.p;
}

static void endpoint_secrets_read(struct fields *f, struct endpoint *e)
{
    const struct json *v = field_any(f, "secret"), *until = field_own(f, "secret_old_until_ms");
    if (v && json_kind(v) == JSON_IS_ARRAY) {
        if (json_len(v) < 1 || json_len(v) > 2)
            field_refuse(f, "secret", "one or two secrets");
        for (size_t i = 0; f->err == OK && i < json_len(v); i++)
            endpoint_secret_read(f, json_at(v, i), &e->secret[i]);
    } else if (v)
        endpoint_secret_read(f, v, &e->secret[0]);
    if (until && !json_int(until, &e->secret_old_until_ms))
        field_refuse(f, "secret_old_until_ms", "milliseconds since 1970");
}

/* True for a token (RFC 9110 §5.6.2) that is no header which we write ourselves or which controls
 * the connection. */
static bool is_custom_name(struct str s)
{
    static const char *const reserved[] = {"host",
                                           "content-length",
                                           "content-type",
                                           "transfer-encoding",
                                           "connection",
                                           "user-agent",
                                           "te",
                                           "trailer",
                                           "upgrade",
                                           "expect",
                                           "keep-alive",
                                           "content-encoding",
                                           "proxy-connection"};
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i], low = (char)(c | 0x20);
        if (!((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
              memchr("!#$%&'*+-.^_`|~", c, 15)))
            return false;
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_eq_nocase(s, str_of(reserved[i])))
            return false;
    return s.n > 0 && s.n <= 128 && !str_starts_nocase(s, STR("webhook-"));
}

static bool is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7F)
            return false;
    return s.n <= 2048;
}

static void endpoint_headers_read(struct fields *f, struct endpoint_pieces *r)
{
    const struct json *v = field_any(f, "headers"), *m;
    struct str name, value;
    if (!v)
        return;
    if (json_kind(v) != JSON_IS_OBJECT || json_len(v) > ENDPOINT_HEADERS_MAX) {
        field_refuse(f, "headers", "an object of at most 32 headers");
        return;
    }
    for (void *it = NULL; f->err == OK && json_next(v, &it, &name, &m);) {
        if (!is_custom_name(name) || !json_str(m, &value) || !is_field_value(value)) {
            char field[64];
            struct buf b;
            buf_wrap(&b, field, sizeof field - 1);
            buf_printf(&b, "headers.%.48s", name.p);
            field[b.n] = '\0';
            field_refuse(
                f, field,
                "a name that is a token and not one we set ourselves, a value of one line");
            return;
        }
        r->header[r->e.n_headers][0] = name.p;
        r->header[r->e.n_headers++][1] = value.p;
    }
}

static void endpoint_retry_read(struct fields *f, struct endpoint_pieces *r)
{
    const struct json *v = field_any(f, "retry");
    const char *field, *why;
    if (!v)
        return;
    r->e.retry = &r->retry;
    if (retry_of_json(v, &r->retry, &field, &why) != OK)
        field_refuse(f, field, why);
}

static void endpoint_headers_place(struct endpoint *to, const struct endpoint *e,
                                   const char *(*header)[2], struct block_writer *b)
{
    for (uint32_t i = 0; i < e->n_headers; i++)
        for (int k = 0; k < 2; k++) {
            const char *text = block_text(b, e->header[i][k]);
            if (header)
                header[i][k] = text;
        }
    to->header = header;
}

static struct endpoint *endpoint_place(const struct endpoint *e, struct block_writer *b)
{
    struct endpoint scrap, *made = block_place(b, sizeof *e), *to = made ? made : &scrap;
    const char *(*header)[2] = block_place(b, e->n_headers * sizeof *header);
    struct retry *retry = e->retry ? block_place(b, sizeof *retry) : NULL;
    char(*numbers)[NUMBER_SIZE] =
        e->numbers ? block_place(b, e->n_numbers * sizeof *numbers) : NULL;
    *to = *e;
    if (retry)
        *retry = *e->retry;
    if (numbers)
        memcpy(numbers, e->numbers, e->n_numbers * sizeof *numbers);
    to->retry = retry;
    to->numbers = (const char(*)[NUMBER_SIZE])numbers;
    endpoint_headers_place(to, e, header, b);
    const char **text[] = {&to->url,          &to->fallback_url, &to->secret[0], &to->secret[1],
                           &to->disabled_why, &to->ca_pem,       &to->cert_pem,  &to->key_pem};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        *text[i] = block_text(b, *text[i]);
    return made;
}

static struct endpoint *endpoint_pack(const struct endpoint *e)
{
    struct block_writer b = {0};
    (void)endpoint_place(e, &b);
    b.mem = malloc(b.n);
    b.n = 0;
    return b.mem ? endpoint_place(e, &b) : NULL;
}

enum err endpoint_parse(const struct json *doc, struct endpoint **ret,
                        struct field_error *ret_fault)
{
    struct fields f;
    struct endpoint_pieces r = {.e = {.url = "",
                                      .fallback_url = "",
                                      .secret = {"", ""},
                                      .disabled_why = "",
                                      .control_timeout_ms = 3000,
                                      .concurrency = 8}};
    struct endpoint *e = &r.e;
    r.e.header = r.header;
    fields_start(&f, doc, ret_fault);
    field_slice(&f, "url", URL_MAX_BYTES, true, &e->url);
    field_slice(&f, "fallback_url", URL_MAX_BYTES, false, &e->fallback_url);
    endpoint_format_read(&f, e);
    endpoint_events_read(&f, e);
    endpoint_numbers_read(&f, &r);
    endpoint_secrets_read(&f, e);
    endpoint_headers_read(&f, &r);
    endpoint_retry_read(&f, &r);
    field_u32(&f, "timeout_ms", 1000, 30000, &e->timeout_ms);
    field_bool(&f, "control", &e->control);
    field_u32(&f, "control_timeout_ms", 100, 10000, &e->control_timeout_ms);
    field_bool(&f, "sip_headers", &e->sip_headers);
    field_u32(&f, "concurrency", 1, 256, &e->concurrency);
    field_u32(&f, "rate_per_sec", 0, 100000, &e->rate_per_sec);
    field_bool(&f, "disabled", &e->disabled);
    field_own_slice(&f, "disabled_why", WHY_MAX, &e->disabled_why);
    field_long(&f, "ca_pem", PEM_MAX, &e->ca_pem);
    field_long(&f, "cert_pem", PEM_MAX, &e->cert_pem);
    field_long(&f, "key_pem", PEM_MAX, &e->key_pem);
    enum err err = fields_end(&f);
    if (err == OK)
        err = (*ret = endpoint_pack(e)) ? OK : ERR_NOMEM;
    free(r.numbers);
    return err;
}

static void endpoint_lists_print(const struct endpoint *e, struct json_writer *w)
{
    json_arr(w, "events");
    for (unsigned k = 0; k < EVENT_KIND_COUNT; k++)
        if (e->events & EVENT_BIT(k))
            json_put_str(w, NULL, str_of(event_kind_name((enum event_kind)k)));
    json_end_arr(w);
    if (!e->numbers)
        json_put_str(w, "numbers", STR("*"));
    else {
        json_arr(w, "numbers");
        for (size_t i = 0; i < e->n_numbers; i++)
            json_put_str(w, NULL, str_of(e->numbers[i]));
        json_end_arr(w);
    }
    json_obj(w, "headers");
    for (size_t i = 0; i < e->n_headers; i++)
        json_put_str(w, e->header[i][0], str_of(e->header[i][1]));
    json_end_obj(w);
}

static void endpoint_secrets_print(const struct endpoint *e, struct json_writer *w)
{
    if (!*e->secret[0])
        return;
    json_arr(w, "secret");
    for (int i = 0; i < 2 && *e->secret[i]; i++)
        json_put_str(w, NULL, str_of(e->secret[i]));
    json_end_arr(w);
    if (*e->secret[1])
        json_put_i64(w, "secret_old_until_ms", e->secret_old_until_ms);
}

void endpoint_print(const struct endpoint *e, struct buf *out)
{
    struct json_writer w = {out, false};
    json_obj(&w, NULL);
    json_put_str(&w, "url", str_of(e->url));
    if (*e->fallback_url)
        json_put_str(&w, "fallback_url", str_of(e->fallback_url));
    json_put_str(&w, "format", str_of(body_format_name(e->format)));
    endpoint_lists_print(e, &w);
    endpoint_secrets_print(e, &w);
    if (e->timeout_ms)
        json_put_i64(&w, "timeout_ms", e->timeout_ms);
    if (e->retry) {
        json_put_raw(&w, "retry", STR(""));
        retry_print(e->retry, out);
    }
    json_put_bool(&w, "control", e->control);
    json_put_i64(&w, "control_timeout_ms", e->control_timeout_ms);
    json_put_bool(&w, "sip_headers", e->sip_headers);
    json_put_i64(&w, "concurrency", e->concurrency);
    json_put_i64(&w, "rate_per_sec", e->rate_per_sec);
    json_put_bool(&w, "disabled", e->disabled);
    if (*e->disabled_why)
        json_put_str(&w, "disabled_why", str_of(e->disabled_why));
    if (e->ca_pem)
        json_put_str(&w, "ca_pem", str_of(e->ca_pem));
    if (e->cert_pem)
        json_put_str(&w, "cert_pem", str_of(e->cert_pem));
    if (e->key_pem)
        json_put_str(&w, "key_pem", str_of(e->key_pem));
    json_end_obj(&w);
}

void endpoint_free(struct endpoint *e)
{
    free(e);
}
