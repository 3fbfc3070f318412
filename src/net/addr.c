/* addr: converts addresses between text, values and sockaddr, and matches CIDR blocks. Pure. An
 * IPv4-mapped IPv6 address from a socket becomes IPv4, so that ACLs see one form. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static enum err host_parse(struct str text, struct addr *ret)
{
    char z[64];
    *ret = (struct addr){0};
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = str_slice(text, 1, text.n - 2);
    if (str_copy(text, z, sizeof z) != OK || strlen(z) != text.n)
        return ERR_SYNTAX;
    if (inet_pton(AF_INET, z, ret->ip) == 1)
        ret->family = 4;
    else if (inet_pton(AF_INET6, z, ret->ip) == 1)
        ret->family = 6;
    return ret->family ? OK : ERR_SYNTAX;
}

enum err addr_parse(struct str text, uint16_t default_port, struct addr *ret)
{
    struct str host = text, port = {0};
    uint64_t n = default_port;
    size_t bracket = text.n && text.p[0] == '[' ? str_find(text, ']') : text.n;
    if (bracket < text.n) {
        host = str_slice(text, 0, bracket + 1);
        port = str_from(text, bracket + 1);
    } else if (str_find(text, ':') < text.n &&
               str_find(str_from(text, str_find(text, ':') + 1), ':') ==
                   text.n - str_find(text, ':') - 1) { /* one colon only: IPv4 and port */
        host = str_slice(text, 0, str_find(text, ':'));
        port = str_from(text, host.n);
    }
    if (port.n && (port.p[0] != ':' || str_to_u64(str_from(port, 1), 65535, &n) != OK))
        return ERR_SYNTAX;
    enum err err = host_parse(host, ret);
    ret->port = (uint16_t)n;
    return err;
}

size_t addr_print_host(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    char z[INET6_ADDRSTRLEN] = "";
    if (a->family)
        inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, z, sizeof z);
    return (size_t)snprintf(out, ADDR_TEXT_SIZE, a->family == 6 ? "[%s]" : "%s", z);
}

size_t addr_print(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
    size_t n = addr_print_host(a, out);
    return n + (size_t)snprintf(out + n, ADDR_TEXT_SIZE - n, ":%u", a->port);
}

bool addr_eq_host(const struct addr *a, const struct addr *b)
{
    return a->family == b->family && a->scope == b->scope &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return a->port == b->port && addr_eq_host(a, b);
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ret)
{
    memset(ret, 0, sizeof *ret);
    if (a->family == 4) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;
        in->sin_family = AF_INET;
        in->sin_port = htons(a->port);
        memcpy(&in->sin_addr, a->ip, 4);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(a->port);
    in6->sin6_scope_id = a->scope;
    memcpy(&in6->sin6_addr, a->ip, 16);
    return sizeof *in6;
}

static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

struct addr addr_unwrap(const struct addr *a)
{
    struct addr plain = *a;
    plain.scope = 0;
    if (a->family == 6 && memcmp(a->ip, mapped, sizeof mapped) == 0) {
        plain = (struct addr){.family = 4, .port = a->port};
        memcpy(plain.ip, a->ip + 12, 4);
    }
    return plain;
}

bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret)
{
    *ret = (struct addr){0};
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        ret->family = 4;
        ret->port = ntohs(in->sin_port);
        memcpy(ret->ip, &in->sin_addr, 4);
        return true;
    }
    if (sa->sa_family != AF_INET6)
        return false;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
    ret->port = ntohs(in6->sin6_port);
    if (!memcmp(&in6->sin6_addr, mapped, sizeof mapped)) {
        ret->family = 4;
        memcpy(ret->ip, (const uint8_t *)&in6->sin6_addr + 12, 4);
    } else {
        ret->family = 6;
        ret->scope = in6->sin6_scope_id;
        memcpy(ret->ip, &in6->sin6_addr, 16);
    }
    return true;
}

enum err cidr_parse(struct str text, struct cidr *ret)
{
    struct str host, bits;
    uint64_t n;
    bool given = str_cut(str_trim(text), '/', &host, &bits);
    enum err err = host_parse(host, &ret->base);
    if (err != OK)
        return err;
    uint64_t most = ret->base.family == 4 ? 32 : 128;
    if (!given)
        n = most;
    else if (str_to_u64(bits, most, &n) != OK)
        return ERR_SYNTAX;
    ret->bits = (uint8_t)n;
    return OK;
}

size_t cidr_print(const struct cidr *c, char out[ADDR_TEXT_SIZE])
{
    char z[INET6_ADDRSTRLEN] = "";
    inet_ntop(c->base.family == 4 ? AF_INET : AF_INET6, c->base.ip, z, sizeof z);
    return (size_t)snprintf(out, ADDR_TEXT_SIZE, "%s/%u", z, c->bits);
}

bool cidr_has(const struct cidr *c, const struct addr *a)
{
    if (c->base.family != a->family)
        return false;
    unsigned bytes = c->bits / 8, rest = c->bits % 8;
    if (memcmp(c->base.ip, a->ip, bytes))
        return false;
    return !rest || (c->base.ip[bytes] ^ a->ip[bytes]) >> (8 - rest) == 0;
}
