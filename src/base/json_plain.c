/* json_plain: one pass over a text, into an array of values. Called by base/json for documents that
 * are read by the million, when the daemon starts: the library takes nine tenths of that time for
 * memory and hash tables. It accepts a part of what the library accepts, and understands it in the
 * same way; a test and a fuzz target compare the two. */
#include "base/json_plain.h"

#include <stdlib.h>
#include <string.h>

enum {
    TEXT_MAX = 65536,
    TEXT_LEAST = 4096,
    DEPTH_MAX = 16,
    MEMBERS_MAX = 48, /* of one object: each name is compared with those before it */
    DIGITS_MAX = 18,  /* they always fit */
};

struct scan {
    struct plain_reader *r;
    char *at, *end;
    uint32_t n; /* values so far */
};

static bool reader_grow(struct plain_reader *r, size_t bytes)
{
    size_t cap = r->cap ? r->cap : TEXT_LEAST;
    while (cap < bytes)
        cap *= 2;
    if (cap == r->cap)
        return true;
    plain_reader_fini(r);
    r->text = malloc(cap);
    /* A value and what ends it are two bytes or more; those that enclose the last may be open. */
    r->n_values = cap / 2 + DEPTH_MAX + 2;
    r->value = malloc(r->n_values * sizeof *r->value);
    if (!r->text || !r->value) {
        plain_reader_fini(r);
        return false;
    }
    r->cap = cap;
    return true;
}

void plain_reader_fini(struct plain_reader *r)
{
    free(r->text);
    free(r->value);
    *r = (struct plain_reader){0};
}

static void scan_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool scan_char(struct scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static struct plain *value_add(struct scan *s, enum plain_type type)
{
    ASSERT(s->n < s->r->n_values);
    struct plain *v = &s->r->value[s->n++];
    v->type = type;
    v->n = 0;
    v->span = 1;
    v->key_n = 0;
    v->key = "";
    return v;
}

/* Behind the first quote. The last one becomes the NUL. */
static bool scan_string(struct scan *s, const char **ret_text, uint32_t *ret_n)
{
    char *from = s->at;
    unsigned char high = 0;
    for (; s->at < s->end && *s->at != '"'; s->at++) {
        unsigned char c = (unsigned char)*s->at;
        if (c < ' ' || c == '\\')
            return false;
        high |= c;
    }
    if (s->at == s->end)
        return false;
    *ret_text = from;
    *ret_n = (uint32_t)(s->at - from);
    *s->at++ = '\0';
    return high < 0x80 || str_is_utf8(str_of_bytes(from, *ret_n));
}

static bool scan_int(struct scan *s)
{
    bool minus = scan_char(s, '-');
    int64_t i = 0;
    unsigned digits = 0;
    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++, digits++) {
        if (digits == DIGITS_MAX || (digits == 1 && i == 0))
            return false;
        i = i * 10 + (*s->at - '0');
    }
    if (!digits || (minus && i == 0) ||
        (s->at < s->end && (*s->at == '.' || *s->at == 'e' || *s->at == 'E')))
        return false;
    value_add(s, PLAIN_INT)->i = minus ? -i : i;
    return true;
}

static bool scan_word(struct scan *s, struct str word, enum plain_type type, int64_t i)
{
    if ((size_t)(s->end - s->at) < word.n || memcmp(s->at, word.p, word.n) != 0)
        return false;
    s->at += word.n;
    value_add(s, type)->i = i;
    return true;
}

static bool scan_value(struct scan *s, unsigned depth);

/* Most names of one length differ in their first byte. */
static inline bool is_named(const struct plain *v, const char *key, size_t n)
{
    return v->key_n == n && v->key[0] == key[0] && !memcmp(v->key, key, n);
}

static bool is_named_before(const struct plain *object, const struct plain *last)
{
    const struct plain *v = object + 1;
    for (; v < last; v += v->span)
        if (is_named(v, last->key, last->key_n))
            return true;
    return false;
}

/* Behind the bracket. */
static bool scan_members(struct scan *s, struct plain *in, char close, unsigned depth)
{
    bool is_object = in->type == PLAIN_OBJECT;
    uint32_t first = s->n;
    scan_blanks(s);
    if (scan_char(s, close))
        return true;
    do {
        const char *key = "";
        uint32_t key_n = 0;
        struct plain *v = &s->r->value[s->n];
        scan_blanks(s);
        if (is_object && !(scan_char(s, '"') && scan_string(s, &key, &key_n)))
            return false;
        scan_blanks(s);
        if (is_object && !scan_char(s, ':'))
            return false;
        scan_blanks(s);
        if (!scan_value(s, depth))
            return false;
        v->key = key;
        v->key_n = key_n;
        in->n++;
        if (is_object && (in->n > MEMBERS_MAX || is_named_before(in, v)))
            return false;
        scan_blanks(s);
    } while (scan_char(s, ','));
    in->span = 1 + s->n - first;
    return scan_char(s, close);
}

static bool scan_value(struct scan *s, unsigned depth)
{
    struct plain *v;
    switch (s->at < s->end ? *s->at : '\0') {
    case '{': s->at++; return depth && scan_members(s, value_add(s, PLAIN_OBJECT), '}', depth - 1);
    case '[': s->at++; return depth && scan_members(s, value_add(s, PLAIN_ARRAY), ']', depth - 1);
    case '"':
        s->at++;
        v = value_add(s, PLAIN_STRING);
        return scan_string(s, &v->text, &v->n);
    case 't': return scan_word(s, STR("true"), PLAIN_BOOL, 1);
    case 'f': return scan_word(s, STR("false"), PLAIN_BOOL, 0);
    case 'n': return scan_word(s, STR("null"), PLAIN_NULL, 0);
    default: return scan_int(s);
    }
}

const struct plain *plain_read(struct plain_reader *r, struct str text)
{
    if (text.n < 2 || text.n > TEXT_MAX || !reader_grow(r, text.n))
        return NULL;
    memcpy(r->text, text.p, text.n);
    struct scan s = {r, r->text, r->text + text.n, 0};
    scan_blanks(&s);
    if (s.at == s.end || *s.at != '{' || !scan_value(&s, DEPTH_MAX))
        return NULL;
    scan_blanks(&s);
    return s.at == s.end ? r->value : NULL;
}

const struct plain *plain_next(const struct plain *in, const struct plain *v)
{
    const struct plain *next = v ? v + v->span : in + 1;
    return next < in + in->span ? next : NULL;
}

const struct plain *plain_get(const struct plain *object, struct str key)
{
    if (object->type != PLAIN_OBJECT)
        return NULL;
    for (const struct plain *v = object + 1, *end = object + object->span; v < end; v += v->span)
        if (is_named(v, key.p, key.n))
            return v;
    return NULL;
}

const struct plain *plain_at(const struct plain *array, size_t i)
{
    const struct plain *v = NULL;
    if (array->type != PLAIN_ARRAY || i >= array->n)
        return NULL;
    if (array->span == array->n + 1)
        return array + 1 + i; /* nothing is within its elements */
    do
        v = plain_next(array, v);
    while (i--);
    return v;
}
