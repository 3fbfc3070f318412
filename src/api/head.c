/* head: what the HTTP library lets through and may not be: a message whose end two servers could
 * see in two places (RFC 9112 §6.3), one for no host (§3.2), a path that ends in its middle. Called
 * by server.c, before the body. */
#include "api/head.h"

#include "api/problem.h"

void head_take(struct head *h, struct str name, struct str value)
{
    value = str_trim(value);
    if (str_eq_nocase(name, STR("Host"))) {
        h->hosts++;
    } else if (str_eq_nocase(name, STR("Content-Length"))) {
        h->lengths++;
        if (str_to_u64(value, UINT64_MAX, &h->length) != OK)
            h->length = UINT64_MAX;
    } else if (str_eq_nocase(name, STR("Transfer-Encoding"))) {
        h->codings++;
        h->chunked = str_eq_nocase(value, STR("chunked"));
    } else if (str_eq_nocase(name, STR("Expect"))) {
        h->expects = true;
    }
}

void problem_too_large(struct request *r)
{
    problem(r, 413, "too_large", "The body may have 256 KiB at the most.");
}

/* Who asks before he sends a body (Expect: 100-continue) need not send one that is too large. */
bool head_is_sound(struct request *r, const struct head *h)
{
    if (h->long_path)
        problem(r, 414, "uri_too_long", "A path may have 1,023 bytes at the most.");
    else if (h->hosts > 1 || !(h->hosts || h->has_host))
        problem(r, 400, "bad_request", "One Host header is needed.");
    else if (h->lengths > 1 || h->codings > 1 || (h->lengths && h->codings))
        problem(r, 400, "bad_request", "Content-Length or Transfer-Encoding is needed, and once.");
    else if (h->codings && !h->chunked)
        problem(r, 501, "not_implemented", "The only Transfer-Encoding here is chunked.");
    else if (h->expects && h->length > REQUEST_BODY_MAX)
        problem_too_large(r);
    else
        return true;
    return false;
}

struct str head_path(const char *target)
{
    struct str s = str_of(target);
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

size_t head_unescape(char *s)
{
    char *out = s;
    bool is_path = s[0] == '/';
    for (const char *in = s; *in;) {
        int high = in[0] == '%' ? hex_digit(in[1]) : -1, low = high < 0 ? -1 : hex_digit(in[2]);
        if (low < 0 || (is_path && high + low == 0)) {
            *out++ = *in++;
            continue;
        }
        *out++ = (char)(high * 16 + low);
        in += 3;
    }
    *out = '\0';
    return (size_t)(out - s);
}
