/* syntax: reads the bytes, blanks, quoted strings, hosts and parameters of SIP headers.
 *
 * Every parser of this folder is built from these, so that all of them agree on where a value ends.
 * Lenient where real senders are sloppy and nothing is ambiguous (a last ';', '=' in a value, UTF-8
 * in a user part), strict where two readers could see different things. No function reads past the
 * end of its slice. Any thread. */
#include "sip/wire/syntax.h"

#include "sip/wire/uri.h"

/* Rows of 16 from NUL to DEL; the bits are the CHAR_ classes. test_syntax.c spells the sets out. */
const uint8_t char_class[128] = {
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x20, 0x1b, 0x00, 0x1a, 0x1a, 0x1b, 0x1a, 0x1b, 0x1a, 0x1a, 0x1b, 0x1b, 0x12, 0x1f, 0x1f, 0x1a,
    0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x18, 0x12, 0x00, 0x12, 0x00, 0x1a,
    0x18, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f,
    0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x18, 0x18, 0x18, 0x18, 0x1f,
    0x19, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f,
    0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x9f, 0x18, 0x18, 0x18, 0x1b, 0x00,
};

size_t chars_end(struct str s, size_t at, unsigned classes)
{
    while (at < s.n && char_is(s.p[at], classes))
        at++;
    return at;
}

bool is_token(struct str s)
{
    return s.n && chars_end(s, 0, CHAR_TOKEN) == s.n;
}

struct str blanks_skip(struct str s)
{
    return str_from(s, chars_end(s, 0, CHAR_BLANK));
}

size_t quoted_end(struct str s, size_t at)
{
    for (size_t i = at + 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

static bool is_ipv6_char(char c)
{
    return char_is(c, CHAR_DIGIT) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
           c == '.';
}

size_t host_length(struct str s)
{
    if (s.n == 0 || s.p[0] != '[')
        return chars_end(s, 0, CHAR_HOST);
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == ']')
            return i >= 3 ? i + 1 : 0; /* "::" is the shortest address */
        if (!is_ipv6_char(s.p[i]))
            return 0;
    }
    return 0;
}

enum err port_parse(struct str digits, uint16_t *ret)
{
    uint64_t v;
    if (str_to_u64(digits, 65535, &v) != OK || v == 0)
        return ERR_SYNTAX;
    *ret = (uint16_t)v;
    return OK;
}

/* Reads the value after '=' in s at `at`; gives the index after it, 0 when a quote never closes. */
static size_t param_value(struct str s, size_t at, struct param *ret)
{
    size_t end;
    at = chars_end(s, at, CHAR_BLANK);
    if (at < s.n && s.p[at] == '"') {
        end = quoted_end(s, at);
        if (end)
            ret->value = str_slice(s, at + 1, end - at - 2);
        return end;
    }
    for (end = at; end < s.n && (char_is(s.p[end], CHAR_PARAM) || s.p[end] == '=');)
        end++;
    ret->value = str_slice(s, at, end - at);
    return end;
}

enum err param_next(struct str *rest, struct param *ret)
{
    struct str s = blanks_skip(*rest);
    if (s.n && s.p[0] == ';')
        s = blanks_skip(str_from(s, 1));
    *ret = (struct param){0};
    if (s.n == 0)
        return ERR_NOT_FOUND;
    size_t end = chars_end(s, 0, CHAR_PARAM);
    if (end == 0)
        return ERR_SYNTAX;
    ret->name = str_slice(s, 0, end);
    size_t at = chars_end(s, end, CHAR_BLANK);
    if (at < s.n && s.p[at] == '=') {
        end = param_value(s, at + 1, ret);
        if (end == 0)
            return ERR_SYNTAX;
        at = chars_end(s, end, CHAR_BLANK);
    }
    if (at < s.n && s.p[at] != ';')
        return ERR_SYNTAX;
    ret->text = str_slice(s, 0, end);
    *rest = str_from(s, at);
    return OK;
}

bool param_find(struct str params, struct str name, struct str *ret_value)
{
    struct param p;
    while (param_next(&params, &p) == OK)
        if (str_eq_nocase(p.name, name)) {
            *ret_value = p.value.p ? p.value : (struct str){p.name.p + p.name.n, 0};
            return true;
        }
    return false;
}

/* Finds the index of the first comma outside quotes and <>, or s.n. */
static size_t value_end(struct str s)
{
    bool in_uri = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' && !in_uri) {
            size_t end = quoted_end(s, i);
            if (end == 0)
                return s.n;
            i = end - 1;
        } else if (c == '<')
            in_uri = true;
        else if (c == '>')
            in_uri = false;
        else if (c == ',' && !in_uri)
            return i;
    }
    return s.n;
}

bool value_next(struct str *rest, struct str *ret_value)
{
    while (rest->n) {
        size_t end = value_end(*rest);
        *ret_value = str_trim(str_slice(*rest, 0, end));
        *rest = str_from(*rest, end + (end < rest->n));
        if (ret_value->n)
            return true;
    }
    return false;
}
