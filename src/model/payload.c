/* payload: makes bodies from stored payloads, once per attempt. We wrote the payload ourselves, a
 * flat JSON object, but it may come from a damaged disk, so it is checked. */
#include "model/payload.h"

#include <string.h>

const char *body_format_name(enum body_format f)
{
    return f == BODY_FORM ? "form" : "json";
}

bool body_format_parse(struct str name, enum body_format *ret)
{
    if (str_eq(name, STR("json")))
        *ret = BODY_JSON;
    else if (str_eq(name, STR("form")))
        *ret = BODY_FORM;
    else
        return false;
    return true;
}

const char *body_content_type(enum body_format f)
{
    return f == BODY_FORM ? "application/x-www-form-urlencoded" : "application/json";
}

/* Gives the length of the JSON scalar at the start of `s`; 0 when there is none. */
static size_t scalar_size(struct str s)
{
    size_t i = 1;
    if (s.n == 0)
        return 0;
    if (s.p[0] != '"') {
        for (i = 0; i < s.n && s.p[i] != ',' && s.p[i] != '}'; i++)
            if (!memchr("truefalsn0123456789+-.E", s.p[i], 23))
                return 0;
        return i;
    }
    while (i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\' ? 2 : 1;
    return i < s.n ? i + 1 : 0;
}

struct member {
    struct str key, value; /* raw JSON texts, key with its quotes */
};

/* Cuts `"key":value` off `rest`; *ret_last when a } follows. */
static bool member_next(struct str *rest, struct member *m, bool *ret_last)
{
    size_t n = scalar_size(*rest);
    if (n < 2 || rest->p[0] != '"' || n >= rest->n || rest->p[n] != ':')
        return false;
    m->key = str_slice(*rest, 0, n);
    *rest = str_from(*rest, n + 1);
    n = scalar_size(*rest);
    if (n == 0 || n >= rest->n || (rest->p[n] != ',' && rest->p[n] != '}'))
        return false;
    m->value = str_slice(*rest, 0, n);
    *ret_last = rest->p[n] == '}';
    *rest = str_from(*rest, n + 1);
    return true;
}

static int hex4(const char *p)
{
    int v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);
        int digit = c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        v = v * 16 + digit;
    }
    return v;
}

static void put_form_byte(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789ABCDEF";
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
        memchr("*-._", c, 4))
        buf_putc(b, (char)c);
    else if (c == ' ')
        buf_putc(b, '+');
    else {
        char text[3] = {'%', hex[c >> 4], hex[c & 15]};
        buf_put(b, text, 3);
    }
}

static void put_form_rune(struct buf *b, unsigned v)
{
    if (v < 0x80)
        put_form_byte(b, (unsigned char)v);
    else if (v < 0x800) {
        put_form_byte(b, (unsigned char)(0xC0 | v >> 6));
        put_form_byte(b, (unsigned char)(0x80 | (v & 63)));
    } else if (v < 0x10000) {
        put_form_byte(b, (unsigned char)(0xE0 | v >> 12));
        put_form_byte(b, (unsigned char)(0x80 | (v >> 6 & 63)));
        put_form_byte(b, (unsigned char)(0x80 | (v & 63)));
    } else {
        put_form_byte(b, (unsigned char)(0xF0 | v >> 18));
        put_form_byte(b, (unsigned char)(0x80 | (v >> 12 & 63)));
        put_form_byte(b, (unsigned char)(0x80 | (v >> 6 & 63)));
        put_form_byte(b, (unsigned char)(0x80 | (v & 63)));
    }
}

/* Writes the escape after a backslash at s.p[i]; *i ends on its last byte. */
static bool put_escape(struct buf *b, struct str s, size_t *i)
{
    static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
    const char *at = memchr(from, s.p[*i], sizeof from - 1);
    if (at) {
        put_form_byte(b, (unsigned char)to[at - from]);
        return true;
    }
    int v = s.p[*i] == 'u' && *i + 4 < s.n ? hex4(s.p + *i + 1) : -1;
    if (v < 0)
        return false;
    *i += 4;
    if (v >= 0xD800 && v < 0xDC00 && *i + 6 < s.n && s.p[*i + 1] == '\\' && s.p[*i + 2] == 'u') {
        int low = hex4(s.p + *i + 3);
        if (low >= 0xDC00 && low < 0xE000) {
            put_form_rune(b, 0x10000u + (((unsigned)v - 0xD800) << 10) + ((unsigned)low - 0xDC00));
            *i += 6;
            return true;
        }
    }
    put_form_rune(b, v >= 0xD800 && v < 0xE000 ? 0xFFFDu : (unsigned)v);
    return true;
}

static bool is_rune_start(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Writes the text of a JSON string, at most `cap` bytes of whole characters; *ret_cut when there was
 * more. */
static bool put_form_text(struct buf *b, struct str quoted, size_t cap, bool *ret_cut)
{
    struct str s = str_slice(quoted, 1, quoted.n - 2);
    size_t from = b->n, whole = from;
    for (size_t i = 0; i < s.n && b->err == OK; i++) {
        if (is_rune_start(s.p[i]) && b->n - from <= cap)
            whole = b->n;
        if (s.p[i] != '\\')
            put_form_byte(b, (unsigned char)s.p[i]);
        else if (++i >= s.n || !put_escape(b, str_slice(quoted, 1, quoted.n - 1), &i))
            return false;
        if (b->n - from > cap) {
            b->n = whole;
            *ret_cut = true;
            break;
        }
    }
    return true;
}

/* Writes a raw JSON scalar as form text: strings unquoted, null empty, the rest as written. */
static bool put_form_value(struct buf *b, struct str raw, size_t cap, bool *ret_cut)
{
    if (str_eq(raw, STR("null")))
        return true;
    if (raw.p[0] == '"')
        return put_form_text(b, raw, cap, ret_cut);
    for (size_t i = 0; i < raw.n; i++)
        put_form_byte(b, (unsigned char)raw.p[i]);
    return true;
}

struct body { /* that is being made */
    enum body_format format;
    unsigned sequence;
    bool sip_headers;
    size_t text_max; /* of a form's value; SIZE_MAX: all of it */
    bool is_cut, has_truncated;
};

static bool put_member(struct buf *out, struct body *y, struct member m, bool first)
{
    bool is_form = y->format == BODY_FORM, unused = false;
    if (!first)
        buf_putc(out, is_form ? '&' : ',');
    if (!is_form) {
        buf_put_str(out, m.key);
        buf_putc(out, ':');
        buf_put_str(out, m.value);
        return true;
    }
    if (y->text_max < SIZE_MAX && str_eq(m.key, STR("\"truncated\""))) {
        m.value = STR("true");
        y->has_truncated = true;
    }
    bool key = put_form_value(out, m.key, SIZE_MAX, &unused);
    buf_putc(out, '=');
    return key && put_form_value(out, m.value, y->text_max, &y->is_cut);
}

static enum err put_members(struct buf *out, struct body *y, struct str payload)
{
    struct str rest = str_from(payload, 1);
    struct member m;
    bool first = true, last = false;
    char digits[12];
    struct buf number;
    buf_wrap(&number, digits, sizeof digits);
    buf_put_u64(&number, y->sequence);
    if (payload.n < 2 || payload.p[0] != '{')
        return ERR_SYNTAX;
    while (!last) {
        if (!member_next(&rest, &m, &last))
            return ERR_SYNTAX;
        if (!y->sip_headers && str_starts(m.key, STR("\"sip_header_x_")))
            continue;
        if (!put_member(out, y, m, first))
            return ERR_SYNTAX;
        first = false;
        if (y->sequence && str_eq(m.key, STR("\"call_id\"")))
            put_member(out, y, (struct member){STR("\"sequence\""), buf_str(&number)}, false);
    }
    if (y->text_max < SIZE_MAX && !y->has_truncated)
        buf_puts(out, "&truncated=true");
    return rest.n ? ERR_SYNTAX : out->err;
}

/* Cuts the texts of a form that is too large, all to the same length, so that the short ones stay
 * whole: the largest length with which the form fits. */
static enum err put_form_cut(struct buf *out, const struct body *whole, struct str payload)
{
    size_t from = out->n, low = 0, high = FORM_BODY_MAX;
    while (low < high) {
        struct body y = *whole;
        y.text_max = low + (high - low + 1) / 2;
        out->n = from;
        if (put_members(out, &y, payload) == OK && out->n - from <= FORM_BODY_MAX)
            low = y.text_max;
        else
            high = y.text_max - 1;
    }
    struct body y = *whole;
    y.text_max = low;
    out->n = from;
    return put_members(out, &y, payload);
}

enum err payload_body(struct str payload, enum body_format format, unsigned sequence,
                      bool sip_headers, struct buf *out)
{
    struct body y = {
        .format = format, .sequence = sequence, .sip_headers = sip_headers, .text_max = SIZE_MAX};
    const struct body whole = y;
    size_t from = out->n;
    if (format == BODY_JSON)
        buf_putc(out, '{');
    enum err err = put_members(out, &y, payload);
    if (err == OK && format == BODY_FORM && out->n - from > FORM_BODY_MAX) {
        out->n = from;
        return put_form_cut(out, &whole, payload);
    }
    if (err == OK && format == BODY_JSON)
        buf_putc(out, '}');
    return err == OK ? out->err : err;
}
