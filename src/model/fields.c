/* fields: does the checks that all settings documents share. The parsers of model/settings.h call
 * it, for the API's input and for stored rows. Pure. */
#include "model/fields.h"

#include <stdio.h>
#include <string.h>

void fields_start(struct fields *f, const struct json *doc, struct field_error *fault)
{
    *f = (struct fields){.doc = doc, .fault = fault};
    *fault = (struct field_error){0};
    if (!doc || json_kind(doc) != JSON_IS_OBJECT)
        field_refuse(f, "", "an object is needed");
}

void field_refuse(struct fields *f, const char *name, const char *why)
{
    if (f->err != OK)
        return;
    f->err = ERR_INVALID;
    snprintf(f->fault->field, sizeof f->fault->field, "%s", name);
    snprintf(f->fault->why, sizeof f->fault->why, "%s", why);
}

const struct json *field_any(struct fields *f, const char *name)
{
    ASSERT(f->n_known < sizeof f->known / sizeof *f->known);
    struct str key = f->known[f->n_known++] = str_of(name);
    const struct json *v = f->err == OK ? json_member(f->doc, key) : NULL;
    return v && json_kind(v) != JSON_IS_NULL ? v : NULL;
}

const struct json *field_own(struct fields *f, const char *name)
{
    f->unlisted |= UINT64_C(1) << f->n_known;
    return field_any(f, name);
}

/* Members mostly come in the order in which they were asked for: the look begins at *at. */
static bool field_is_known(const struct fields *f, struct str key, size_t *at)
{
    for (size_t i = 0; i < f->n_known; i++, ++*at) {
        *at = *at < f->n_known ? *at : 0;
        if (key.n == f->known[*at].n && str_eq(key, f->known[*at]))
            return true;
    }
    return f->prefix && str_starts(key, str_of(f->prefix));
}

static void fields_refuse_unknown(struct fields *f, struct str key)
{
    char list[sizeof f->fault->why];
    const char *before = "no such field; known: ";
    size_t n = 0;
    for (size_t i = 0; i < f->n_known && n + f->known[i].n + 24 < sizeof list; i++) {
        if (f->unlisted >> i & 1)
            continue;
        n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", before, f->known[i].p);
        before = ", ";
    }
    field_refuse(f, key.p, n ? list : "no such field");
}

enum err fields_end(struct fields *f)
{
    struct str key;
    const struct json *v;
    size_t at = 0;
    for (void *it = NULL; f->err == OK && json_next(f->doc, &it, &key, &v);)
        if (!field_is_known(f, key, &at))
            fields_refuse_unknown(f, key);
    return f->err;
}

static bool field_is_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return str_is_utf8(s);
}

/* Reads a text, which lies in the document and ends with a NUL; *out stays unchanged when there is
 * none. */
static void field_text_read(struct fields *f, const char *name, const struct json *v, size_t max,
                            bool required, const char **out)
{
    struct str s;
    char why[64];
    if (!v) {
        if (required)
            field_refuse(f, name, "needed");
        return;
    }
    if (!json_str(v, &s) || !field_is_text(s) || s.n > max || (required && s.n == 0)) {
        snprintf(why, sizeof why, "a string of %s%zu bytes on one line",
                 required ? "1 to " : "at most ", max);
        field_refuse(f, name, why);
        return;
    }
    *out = s.p;
}

static void field_text_copy(struct fields *f, const char *name, const struct json *v, char *out,
                            size_t cap, bool required)
{
    const char *text = NULL;
    field_text_read(f, name, v, cap - 1, required, &text);
    if (text)
        memcpy(out, text, strlen(text) + 1);
}

void field_text(struct fields *f, const char *name, char *out, size_t cap, bool required)
{
    field_text_copy(f, name, field_any(f, name), out, cap, required);
}

void field_own_text(struct fields *f, const char *name, char *out, size_t cap)
{
    field_text_copy(f, name, field_own(f, name), out, cap, false);
}

void field_slice(struct fields *f, const char *name, size_t max, bool required, const char **out)
{
    field_text_read(f, name, field_any(f, name), max, required, out);
}

void field_own_slice(struct fields *f, const char *name, size_t max, const char **out)
{
    field_text_read(f, name, field_own(f, name), max, false, out);
}

static void field_bool_read(struct fields *f, const char *name, const struct json *v, bool *out)
{
    if (v && !json_bool(v, out))
        field_refuse(f, name, "true or false");
}

void field_bool(struct fields *f, const char *name, bool *out)
{
    field_bool_read(f, name, field_any(f, name), out);
}

void field_own_bool(struct fields *f, const char *name, bool *out)
{
    field_bool_read(f, name, field_own(f, name), out);
}

void field_u32(struct fields *f, const char *name, uint32_t min, uint32_t max, uint32_t *out)
{
    const struct json *v = field_any(f, name);
    int64_t n;
    char why[64];
    if (!v)
        return;
    if (!json_int(v, &n) || n < min || n > max) {
        snprintf(why, sizeof why, "a whole number from %u to %u", min, max);
        field_refuse(f, name, why);
        return;
    }
    *out = (uint32_t)n;
}

void field_long(struct fields *f, const char *name, size_t max, const char **out)
{
    const struct json *v = field_any(f, name);
    struct str s;
    if (!v)
        return;
    if (!json_str(v, &s) || s.n > max || memchr(s.p, '\0', s.n)) {
        field_refuse(f, name, "a text of at most 64 KiB");
        return;
    }
    if (s.n)
        *out = s.p;
}

void field_sources(struct fields *f, size_t min, char out[SOURCES_MAX][SOURCE_SIZE], size_t *ret_n)
{
    static const char allowed[] = "an array of at most 32 addresses or CIDR blocks";
    const struct json *v = field_any(f, "sources");
    struct str s;
    *ret_n = 0;
    if (!v && min == 0)
        return;
    if (!v || json_kind(v) != JSON_IS_ARRAY || json_len(v) < min || json_len(v) > SOURCES_MAX) {
        field_refuse(f, "sources", min ? "an array of 1 to 32 addresses or CIDR blocks" : allowed);
        return;
    }
    for (size_t i = 0; i < json_len(v); i++)
        if (!json_str(json_at(v, i), &s) || s.n == 0 ||
            str_copy(s, out[(*ret_n)++], SOURCE_SIZE) != OK) {
            field_refuse(f, "sources", allowed);
            return;
        }
}

void put_sources(struct json_writer *w, const char (*source)[SOURCE_SIZE], size_t n)
{
    json_arr(w, "sources");
    for (size_t i = 0; i < n; i++)
        json_put_str(w, NULL, str_of(source[i]));
    json_end_arr(w);
}

static void field_digits(struct fields *f, const char *name, char *out, size_t cap)
{
    field_text(f, name, out, cap, false);
    for (const char *c = out; *c; c++)
        if (*c < '0' || *c > '9')
            field_refuse(f, name, "digits");
}

void field_number_rules(struct fields *f, struct number_rules *out)
{
    out->bare_is_e164 = true;
    field_digits(f, "country", out->country, sizeof out->country);
    field_digits(f, "national_prefix", out->national, sizeof out->national);
    field_digits(f, "international_prefix", out->international, sizeof out->international);
    field_bool(f, "bare_is_e164", &out->bare_is_e164);
}

void put_number_rules(struct json_writer *w, const struct number_rules *r)
{
    json_put_str(w, "country", str_of(r->country));
    json_put_str(w, "national_prefix", str_of(r->national));
    json_put_str(w, "international_prefix", str_of(r->international));
    json_put_bool(w, "bare_is_e164", r->bare_is_e164);
}
