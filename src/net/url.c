/* url: parses the address of a webhook. There is one parser, so that the address that was judged is
 * the one we connect to. It follows the WHATWG URL standard's special schemes where software
 * disagrees (IPv4 in any notation, percent-encoded and international hosts) and refuses what a
 * webhook never needs. Text that the standard would strip, repair or guess (blanks, tabs,
 * backslashes, missing slashes) is an error here, and so are the ports on which no web server
 * listens. The path stays as written; the receiver handles dot segments. Pure; any thread. */
#include "net/url.h"

#include <idn2.h>
#include <string.h>
#include <strings.h>

enum { HOST_TEXT_MAX = 1024 }; /* before it is decoded and made ASCII */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum err url_refuse(const char **ret_why, enum err err, const char *why)
{
    if (ret_why)
        *ret_why = why;
    return err;
}

/* One part of an IPv4 address: decimal, 0octal, 0xhex (WHATWG "IPv4 number parser"). */
static bool ipv4_number(struct str s, uint64_t *ret)
{
    unsigned base = 10;
    uint64_t v = 0;
    if (s.n >= 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') {
        base = 16;
        s = str_from(s, 2);
    } else if (s.n >= 2 && s.p[0] == '0') {
        base = 8;
        s = str_from(s, 1);
    }
    for (size_t i = 0; i < s.n; i++) {
        int d = hex_value(s.p[i]);
        if (d < 0 || (unsigned)d >= base || v > UINT32_MAX)
            return false;
        v = v * base + (unsigned)d;
    }
    *ret = v;
    return true;
}

/* WHATWG "ends in a number": then the whole must be an IPv4 address. */
static bool ends_in_number(struct str host)
{
    if (host.n && host.p[host.n - 1] == '.')
        host.n--;
    size_t at = host.n;
    while (at > 0 && host.p[at - 1] != '.')
        at--;
    struct str last = str_from(host, at);
    bool hex = last.n >= 2 && last.p[0] == '0' && (last.p[1] | 0x20) == 'x', all = last.n > 0;
    for (size_t i = hex ? 2 : 0; i < last.n; i++) /* however large the number is */
        all &= hex ? hex_value(last.p[i]) >= 0 : last.p[i] >= '0' && last.p[i] <= '9';
    return all;
}

static bool ipv4_parse(struct str host, struct addr *ret)
{
    uint64_t part[4], whole = 0;
    size_t n = 0;
    if (host.n && host.p[host.n - 1] == '.')
        host.n--;
    for (bool more = true; more;) {
        struct str one, rest;
        more = str_cut(host, '.', &one, &rest);
        if (n == 4 || one.n == 0 || !ipv4_number(one, &part[n]))
            return false;
        n++;
        host = rest;
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (part[i] > 255)
            return false;
        whole |= part[i] << (8 * (3 - i));
    }
    if (part[n - 1] >= 1ull << (8 * (5 - n)))
        return false;
    whole |= part[n - 1];
    *ret = (struct addr){.family = 4};
    for (size_t i = 0; i < 4; i++)
        ret->ip[i] = (uint8_t)(whole >> (8 * (3 - i)));
    return true;
}

/* The host's text with its percent escapes undone, as UTF-8 with a NUL behind it. */
static enum err host_decode(struct str raw, char text[HOST_TEXT_MAX], const char **ret_why)
{
    struct buf b;
    buf_wrap(&b, text, HOST_TEXT_MAX - 1);
    for (size_t i = 0; i < raw.n; i++) {
        int hi, lo;
        if (raw.p[i] != '%') {
            buf_putc(&b, raw.p[i]);
            continue;
        }
        if (i + 2 >= raw.n || (hi = hex_value(raw.p[i + 1])) < 0 ||
            (lo = hex_value(raw.p[i + 2])) < 0)
            return url_refuse(ret_why, ERR_SYNTAX, "bad percent escape in the host");
        buf_putc(&b, (char)(hi * 16 + lo));
        i += 2;
    }
    if (b.err != OK)
        return url_refuse(ret_why, ERR_TOO_BIG, "the host is too long");
    if (!str_is_utf8(buf_str(&b)) || memchr(text, 0, b.n))
        return url_refuse(ret_why, ERR_SYNTAX, "the host is not UTF-8");
    text[b.n] = 0;
    return OK;
}

/* False for names of ASCII alone, which stay as they are (underscores, and hyphens in any place,
 * are in use). International names, and names that claim to be, must pass UTS 46 (non-transitional:
 * "ß" is its own letter). */
static bool needs_idna(const char *text)
{
    for (const char *p = text; *p; p++)
        if (*p & 0x80 || ((p == text || p[-1] == '.') && !strncasecmp(p, "xn--", 4)))
            return true;
    return false;
}

static enum err host_to_ascii(const char *text, struct url *u, const char **ret_why)
{
    char *ascii = NULL;
    enum err err;
    if (needs_idna(text)) {
        if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return url_refuse(ret_why, ERR_SYNTAX, "the host is not a valid (international) name");
        err = str_copy(str_of(ascii), u->host, sizeof u->host);
        idn2_free(ascii);
    } else {
        err = str_copy(str_of(text), u->host, sizeof u->host);
    }
    if (err != OK)
        return url_refuse(ret_why, err, "the host is too long");
    for (char *p = u->host; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p | 0x20);
        if (*p <= ' ' || *p >= 0x7f || strchr("\"#/:<>?@[\\]^`{|}%", *p))
            return url_refuse(ret_why, ERR_SYNTAX, "a byte in the host is not allowed");
    }
    return OK;
}

/* Checks for the limits of the DNS (RFC 1035 §2.3.4): no empty label but the root's, 63 bytes a
 * label. */
static enum err labels_check(struct str host, const char **ret_why)
{
    struct str label;
    if (host.n && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n == 0)
        return url_refuse(ret_why, ERR_SYNTAX, "a host is needed");
    if (host.n > 253)
        return url_refuse(ret_why, ERR_TOO_BIG, "the host is too long");
    for (bool more = true; more;) {
        more = str_cut(host, '.', &label, &host);
        if (label.n == 0)
            return url_refuse(ret_why, ERR_SYNTAX, "a part of the host is empty");
        if (label.n > 63)
            return url_refuse(ret_why, ERR_TOO_BIG, "a part of the host is longer than 63 bytes");
    }
    return OK;
}

static enum err host_name(struct str raw, struct url *u, const char **ret_why)
{
    char text[HOST_TEXT_MAX];
    enum err err = host_decode(raw, text, ret_why);
    if (err == OK)
        err = host_to_ascii(text, u, ret_why);
    return err == OK ? labels_check(str_of(u->host), ret_why) : err;
}

static enum err host_parse(struct str raw, struct url *u, const char **ret_why)
{
    if (raw.n == 0)
        return url_refuse(ret_why, ERR_SYNTAX, "a host is needed");
    if (raw.p[0] == '[') {
        if (addr_parse(raw, 0, &u->address) != OK || u->address.family != 6)
            return url_refuse(ret_why, ERR_SYNTAX, "not an IPv6 address");
        u->host_is_address = true;
    } else {
        enum err err = host_name(raw, u, ret_why);
        if (err != OK)
            return err;
        struct str host = str_of(u->host);
        if (!ends_in_number(host))
            return OK;
        if (!ipv4_parse(host, &u->address))
            return url_refuse(ret_why, ERR_SYNTAX, "not an IPv4 address");
        u->host_is_address = true;
    }
    char text[ADDR_TEXT_SIZE];
    u->address.port = u->port;
    addr_print_host(&u->address, text);
    return str_copy(str_of(text), u->host, sizeof u->host);
}

/* Copies path and query; the bytes of WHATWG's percent-encode sets are escaped, the rest stays as
 * written. */
static enum err target_parse(struct str s, struct url *u, const char **ret_why)
{
    struct buf b;
    bool query = false;
    buf_wrap(&b, u->target, sizeof u->target - 1);
    if (s.n == 0 || s.p[0] != '/')
        buf_putc(&b, '/');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        query |= c == '?';
        if (c > 0x7e || strchr(query ? "\"<>'" : "\"<>`{}^", c))
            buf_printf(&b, "%%%02X", c);
        else
            buf_putc(&b, (char)c);
    }
    if (b.err != OK)
        return url_refuse(ret_why, ERR_TOO_BIG, "the path is too long");
    u->target[b.n] = 0;
    return OK;
}

/* The Fetch standard's bad ports ("port blocking"): services other than the web's, whose protocols
 * an HTTP request could be taken for. In order. */
bool url_port_is_bad(uint16_t port)
{
    static const uint16_t bad[] = {
        0,    1,    7,    9,    11,   13,   15,   17,   19,   20,   21,   22,   23,   25,
        37,   42,   43,   53,   69,   77,   79,   87,   95,   101,  102,  103,  104,  109,
        110,  111,  113,  115,  117,  119,  123,  135,  137,  139,  143,  161,  179,  389,
        427,  465,  512,  513,  514,  515,  526,  530,  531,  532,  540,  548,  554,  556,
        563,  587,  601,  636,  989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659, 4045,
        4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080};
    for (size_t i = 0; i < sizeof bad / sizeof *bad && bad[i] <= port; i++)
        if (bad[i] == port)
            return true;
    return false;
}

static enum err port_parse(struct str text, struct url *u, const char **ret_why)
{
    uint64_t v;
    if (text.n == 0)
        return OK;
    if (str_to_u64(text, 65535, &v) != OK || v == 0)
        return url_refuse(ret_why, ERR_INVALID, "the port must be 1 to 65535");
    u->port_is_default = v == u->port;
    u->port = (uint16_t)v;
    if (url_port_is_bad(u->port))
        return url_refuse(ret_why, ERR_INVALID, "the port belongs to a service other than the web");
    return OK;
}

enum err url_parse(struct str text, struct url *ret, const char **ret_why)
{
    struct str authority, port = {0};
    *ret = (struct url){.port_is_default = true};
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c == 0x7f)
            return url_refuse(ret_why, ERR_SYNTAX, "blanks and control bytes are not allowed");
        if (c == '\\')
            return url_refuse(ret_why, ERR_SYNTAX, "backslashes are not allowed");
        if (c == '#')
            return url_refuse(ret_why, ERR_INVALID, "a fragment is not allowed");
    }
    if (!str_is_utf8(text))
        return url_refuse(ret_why, ERR_SYNTAX, "not UTF-8");
    if (str_starts_nocase(text, STR("https://")))
        ret->https = true;
    else if (!str_starts_nocase(text, STR("http://")))
        return url_refuse(ret_why, ERR_INVALID, "it must begin with https:// or http://");
    ret->port = ret->https ? 443 : 80;
    text = str_from(text, ret->https ? 8 : 7);
    size_t end = 0;
    while (end < text.n && text.p[end] != '/' && text.p[end] != '?')
        end++;
    authority = str_slice(text, 0, end);
    if (str_find(authority, '@') < authority.n)
        return url_refuse(ret_why, ERR_INVALID, "user names and passwords are not allowed in it");
    size_t colon = authority.n;
    if (authority.n && authority.p[0] == '[') {
        colon = str_find(authority, ']');
        if (colon == authority.n)
            return url_refuse(ret_why, ERR_SYNTAX, "not an IPv6 address");
        colon++;
        if (colon < authority.n && authority.p[colon] != ':')
            return url_refuse(ret_why, ERR_SYNTAX, "not an IPv6 address");
    } else {
        colon = str_find(authority, ':');
    }
    port = str_from(authority, colon + 1);
    enum err err = port_parse(port, ret, ret_why);
    if (err == OK)
        err = host_parse(str_slice(authority, 0, colon), ret, ret_why);
    return err == OK ? target_parse(str_from(text, end), ret, ret_why) : err;
}

void url_print_authority(const struct url *u, struct buf *out)
{
    buf_puts(out, u->host);
    if (!u->port_is_default) {
        buf_putc(out, ':');
        buf_put_u64(out, u->port);
    }
}
