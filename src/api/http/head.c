/* head: refuses heads that llhttp lets through: a request with no Host or with two (RFC 9112 §3.2),
 * a coding that is not chunked (§6.1), a repeated header of which two readers could each see
 * another one. It also decodes the target's %XX. Called by server_input.c, before the body. */
#include "api/http/head.h"

#include <stdio.h>

void head_take(struct head *h, struct str name, struct str value)
{
    static const char *const single[] = {"Authorization", "Content-Type", "Idempotency-Key"};
    if (str_eq_nocase(name, STR("Host"))) {
        h->hosts++;
    } else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
        h->codings++;
        h->chunked = str_eq_nocase(value, STR("chunked"));
    }
    for (unsigned i = 0; i < sizeof single / sizeof *single; i++)
        if (str_eq_nocase(name, str_of(single[i]))) {
            if (h->seen & 1u << i)
                h->repeated = single[i];
            h->seen |= 1u << i;
        }
}

bool head_is_sound(const struct head *h, struct http_refusal *ret)
{
    if (h->hosts > 1 || !(h->hosts || h->is_1_0)) {
        *ret = (struct http_refusal){400, "bad_request", "One Host header is needed."};
    } else if (h->codings > 1) {
        *ret = (struct http_refusal){400, "bad_request", "Transfer-Encoding may come once."};
    } else if (h->codings && !h->chunked) {
        *ret = (struct http_refusal){501, "not_implemented",
                                     "The only Transfer-Encoding here is chunked."};
    } else if (h->repeated) {
        *ret = (struct http_refusal){400, "bad_request", ""};
        snprintf(ret->detail, sizeof ret->detail, "%s may come once.", h->repeated);
    } else {
        return true;
    }
    return false;
}

struct str head_path(struct str s)
{
    size_t n = str_starts_nocase(s, STR("http://"))    ? 7
               : str_starts_nocase(s, STR("https://")) ? 8
                                                       : s.n;
    while (n < s.n && s.p[n] != '/')
        n++;
    return n < s.n ? str_from(s, n) : s;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* The byte that is written as %XX at s[at]; -1: there is none. */
static int escaped_byte(struct str s, size_t at)
{
    if (s.n - at < 3 || s.p[at] != '%')
        return -1;
    int high = hex_digit(s.p[at + 1]), low = hex_digit(s.p[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

void head_unescape_path(char *s, bool one_part)
{
    struct str in = str_of(s);
    char *out = s;
    for (size_t i = 0; i < in.n;) {
        int c = escaped_byte(in, i);
        if (c <= 0 || (c == '/' && !one_part)) {
            *out++ = in.p[i++];
            continue;
        }
        *out++ = (char)c;
        i += 3;
    }
    *out = '\0';
}

struct str head_unescape_form(struct str s, struct buf *out)
{
    size_t from = out->n;
    for (size_t i = 0; i < s.n;) {
        int c = escaped_byte(s, i);
        buf_putc(out, c >= 0 ? (char)c : s.p[i] == '+' ? ' ' : s.p[i]);
        i += c >= 0 ? 3 : 1;
    }
    return str_from(buf_str(out), from);
}
