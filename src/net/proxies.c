/* proxies: reads X-Forwarded-For and Forwarded (RFC 7239) from their end. Each proxy appends the
 * address from which a request came to it behind the entries that are there already, which the
 * client may have forged. So our peer wrote the last entry, and the address in it wrote the entry
 * before. The walk back ends at the first address that is not trusted.
 *
 * Forwarded has quoted strings, and an open quote of a client would swallow a proxy's entry behind
 * it. So a line that does not follow the standard from end to end is not read at all. Called on the
 * HTTP server's threads, only for requests of trusted peers. */
#include "net/proxies.h"

#include <string.h>

enum err proxies_parse(struct str text, struct proxies *ret)
{
    struct str one;
    enum err err = OK;
    *ret = (struct proxies){0};
    while (err == OK && text.n) {
        str_cut(text, ',', &one, &text);
        one = str_trim(one);
        if (!one.n)
            continue;
        if (ret->n == PROXIES_MAX)
            return ERR_TOO_BIG;
        err = cidr_parse(one, &ret->at[ret->n]);
        if (err == OK && ret->at[ret->n++].bits == 0)
            err = ERR_INVALID;
    }
    return err;
}

bool proxies_has(const struct proxies *p, const struct addr *a)
{
    for (size_t i = 0; i < p->n; i++)
        if (cidr_has(&p->at[i], a))
            return true;
    return false;
}

static void hop_put(struct hops *h, const struct addr *a)
{
    h->at[h->n++ % HOPS_MAX] = *a;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; a hidden port ("_x", RFC 7239
 * §6.3) counts as none. IPv4 in IPv6 becomes IPv4. Family 0: no address. */
static struct addr hop_address_read(struct str s)
{
    struct addr a = {0};
    struct sockaddr_storage sa;
    size_t hidden = str_find(s, '_');
    if (hidden > 0 && hidden < s.n && s.p[hidden - 1] == ':')
        s = str_slice(s, 0, hidden - 1);
    if (addr_parse(s, 0, &a) != OK)
        return (struct addr){0};
    a.port = 0;
    addr_to_sockaddr(&a, &sa);
    return addr_from_sockaddr((const struct sockaddr *)(const void *)&sa, &a) ? a
                                                                              : (struct addr){0};
}

static void hops_put_list(struct hops *h, struct str value)
{
    struct str one;
    while (value.n) {
        str_cut(value, ',', &one, &value);
        one = str_trim(one);
        struct addr a = hop_address_read(one);
        if (one.n) /* RFC 9110 §5.6.1: empty elements are none */
            hop_put(h, &a);
    }
}

/* ---- RFC 7239 §4 ---- */

static bool is_token(char c)
{
    char low = (char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool token_cut(struct str *s, struct str *ret)
{
    size_t n = 0;
    while (n < s->n && is_token(s->p[n]))
        n++;
    *ret = str_slice(*s, 0, n);
    *s = str_from(*s, n);
    return n > 0;
}

/* The text without its quotes; nothing that an address needs is escaped, so escapes stay. */
static bool quoted_cut(struct str *s, struct str *ret)
{
    size_t n = 1;
    while (n < s->n && s->p[n] != '"')
        n += s->p[n] == '\\' ? 2 : 1;
    if (n >= s->n)
        return false;
    *ret = str_slice(*s, 1, n - 1);
    *s = str_from(*s, n + 1);
    return true;
}

/* name=value of one element; `ret_for` is set by the first `for`, a second one is a fault. */
static bool pair_cut(struct str *s, struct str *ret_for)
{
    struct str name, value;
    if (!token_cut(s, &name) || !s->n || s->p[0] != '=')
        return false;
    *s = str_from(*s, 1);
    if (!(s->n && s->p[0] == '"' ? quoted_cut(s, &value) : token_cut(s, &value)))
        return false;
    if (!str_eq_nocase(name, STR("for")))
        return true;
    if (ret_for->p)
        return false;
    *ret_for = value;
    return true;
}

/* Cuts one element (for=…;by=…) off: false when it is none, else *ret is its address. */
static bool element_cut(struct str *s, struct addr *ret)
{
    struct str node = {0};
    bool more = true;
    while (more) {
        *s = str_trim(*s);
        if (!pair_cut(s, &node))
            return false;
        *s = str_trim(*s);
        more = s->n && s->p[0] == ';';
        *s = str_from(*s, more);
    }
    *ret = node.p ? hop_address_read(node) : (struct addr){0};
    return s->n == 0 || s->p[0] == ',';
}

static void hops_put_elements(struct hops *h, struct str value)
{
    struct hops read = *h;
    struct addr a;
    bool ok = true;
    value = str_trim(value);
    while (ok && value.n) {
        ok = element_cut(&value, &a);
        hop_put(&read, &a);
        value = str_from(value, 1); /* the comma */
    }
    a = (struct addr){0};
    if (ok)
        *h = read;
    else
        hop_put(h, &a);
}

void hops_put(struct hops *h, enum forwarded kind, struct str value)
{
    if (kind == FORWARDED_RFC7239)
        hops_put_elements(h, value);
    else
        hops_put_list(h, value);
}

struct addr proxies_client(const struct proxies *p, const struct addr *peer, const struct hops *h)
{
    struct addr at = *peer;
    size_t last = h->n > HOPS_MAX ? h->n - HOPS_MAX : 0;
    for (size_t i = h->n; i > last && proxies_has(p, &at); i--) {
        const struct addr *next = &h->at[(i - 1) % HOPS_MAX];
        if (next->family == 0)
            break;
        at = *next;
    }
    return at;
}
