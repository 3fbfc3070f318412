/* uri: parses SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966) into slices.
 *
 * Called for the Request-URI and for every address header of a message, on the edge's loop; pure. A
 * URI of another scheme is no error here: it parses as URI_OTHER, and code that must act on it
 * answers 416. The invariant: an accepted SIP URI has a host, and at most one '@' decides where the
 * user part ends, so that no other reader finds another host in it. */
#include "sip/wire/uri.h"

#include "sip/wire/syntax.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_user_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!char_is(s.p[i], CHAR_USER))
            return false;
        if (s.p[i] == '%' &&
            (i + 2 >= s.n || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0))
            return false;
    }
    return true;
}

static enum err userinfo_parse(struct str s, struct uri *u)
{
    if (str_cut(s, ':', &u->user, &u->password) && !is_user_text(u->password))
        return ERR_SYNTAX;
    return is_user_text(u->user) ? OK : ERR_SYNTAX;
}

/* Parses the text behind "sip:" or "sips:". */
static enum err sip_parse_rest(struct str s, struct uri *u)
{
    struct str head, tail, digits;
    if (str_cut(s, '@', &head, &tail)) {
        if (userinfo_parse(head, u) != OK)
            return ERR_SYNTAX;
        s = tail;
    }
    size_t n = host_length(s);
    if (n == 0)
        return ERR_SYNTAX;
    u->host = str_slice(s, 0, n);
    s = str_from(s, n);
    if (s.n && s.p[0] == ':') {
        n = chars_end(s, 1, CHAR_DIGIT);
        digits = str_slice(s, 1, n - 1);
        if (port_parse(digits, &u->port) != OK)
            return ERR_SYNTAX;
        s = str_from(s, n);
    }
    if (str_find(s, '@') < s.n)
        return ERR_SYNTAX;
    if (s.n && s.p[0] == ';') {
        n = str_find(s, '?');
        u->params = str_slice(s, 1, n - 1);
        s = str_from(s, n);
    }
    if (s.n && s.p[0] != '?')
        return ERR_SYNTAX;
    u->headers = str_from(s, 1);
    return OK;
}

static enum err tel_parse_rest(struct str s, struct uri *u)
{
    (void)str_cut(s, ';', &u->user, &u->params);
    return u->user.n && is_user_text(u->user) ? OK : ERR_SYNTAX;
}

enum err uri_parse(struct str text, struct uri *ret)
{
    struct str scheme, rest;
    *ret = (struct uri){
        .scheme = URI_OTHER, .text = text, .host = STR(""), .params = STR(""), .headers = STR("")};
    if (!str_cut(text, ':', &scheme, &rest) || rest.n == 0)
        return ERR_SYNTAX;
    if (chars_end(rest, 0, CHAR_URI) != rest.n)
        return ERR_SYNTAX;
    if (str_eq_nocase(scheme, STR("sip")))
        ret->scheme = URI_SIP;
    else if (str_eq_nocase(scheme, STR("sips")))
        ret->scheme = URI_SIPS;
    else if (str_eq_nocase(scheme, STR("tel"))) {
        ret->scheme = URI_TEL;
        return tel_parse_rest(rest, ret);
    } else { /* RFC 3986 §3.1 */
        bool begins = scheme.n && char_is(scheme.p[0], CHAR_ALPHA);
        for (size_t i = 0; i < scheme.n; i++)
            if (!char_is(scheme.p[i], CHAR_ALPHA | CHAR_DIGIT) &&
                str_find(STR("+-."), scheme.p[i]) == 3)
                return ERR_SYNTAX;
        return begins ? OK : ERR_SYNTAX;
    }
    return sip_parse_rest(rest, ret);
}

struct str uri_number(const struct uri *u)
{
    if (u->scheme == URI_OTHER)
        return (struct str){0};
    return u->scheme == URI_TEL ? str_from(u->text, str_find(u->text, ':') + 1) : u->user;
}

enum err uri_unescape(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            buf_putc(out, s.p[i]);
            continue;
        }
        int high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
        int low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return ERR_SYNTAX;
        if (high == 0 && low == 0)
            return ERR_INVALID;
        buf_putc(out, (char)(high * 16 + low));
        i += 2;
    }
    return out->err;
}
