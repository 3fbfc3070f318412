/* public: tells the addresses of the public internet from all others. It has two tables from IANA's
 * special-purpose address registries (RFC 6890 and its updates), and knows how IPv6 carries an IPv4
 * address inside. An address is public when it is in no table, and is IPv4 or inside 2000::/3.
 *
 * The few addresses that the registries call globally reachable inside a special block (192.0.0.9,
 * 192.0.0.10, AS112, AMT, ORCHID, DRIP) are anycast services and identifiers: no receiver lives
 * there. These lie outside of 2000::/3 and need no row: the unspecified and loopback addresses,
 * ::ffff:0:0/96, 64:ff9b:1::/48 (RFC 8215), 100::/64 (RFC 6666), 100:0:0:1::/64 (RFC 9780),
 * 5f00::/16 (RFC 9602), fc00::/7, fe80::/10, fec0::/10, ff00::/8. Pure. */
#include <string.h>

#include "net/addr.h"

struct block {
    uint8_t bits;
    uint8_t ip[16];
};

static const struct block special4[] = {
    {8, {0}},                 /* this network, RFC 791 */
    {8, {10}},                /* private, RFC 1918 */
    {10, {100, 64}},          /* shared, RFC 6598 */
    {8, {127}},               /* loopback, RFC 1122 */
    {16, {169, 254}},         /* link local, RFC 3927; cloud metadata */
    {12, {172, 16}},          /* private */
    {32, {168, 63, 129, 16}}, /* Azure's host, reachable from its machines only */
    {24, {192, 0, 0}},        /* IETF protocols, RFC 6890 */
    {24, {192, 0, 2}},        /* documentation, RFC 5737 */
    {24, {192, 31, 196}},     /* AS112, RFC 7535 */
    {24, {192, 52, 193}},     /* AMT, RFC 7450 */
    {24, {192, 88, 99}},      /* 6to4 relay, RFC 7526 */
    {16, {192, 168}},         /* private */
    {24, {192, 175, 48}},     /* AS112, RFC 7534 */
    {15, {198, 18}},          /* benchmarks, RFC 2544 */
    {24, {198, 51, 100}},     /* documentation */
    {24, {203, 0, 113}},      /* documentation */
    {4, {224}},               /* multicast, RFC 5771 */
    {4, {240}},               /* reserved, RFC 1112; limited broadcast */
};

static const struct block special6[] = {
    {23, {0x20, 0x01, 0x00}},       /* IETF protocols, RFC 2928: Teredo, PCP, TURN, benchmarks,
                                       AMT, AS112, ORCHID, ORCHIDv2, DRIP */
    {32, {0x20, 0x01, 0x0d, 0xb8}}, /* documentation, RFC 3849 */
    {16, {0x20, 0x02}},             /* 6to4, RFC 3056: judged by what it carries, never direct */
    {20, {0x3f, 0xff}},             /* documentation, RFC 9637 */
    {48, {0x26, 0x20, 0x00, 0x4f, 0x80}}, /* AS112, RFC 7534 */
};

static bool block_table_has(const struct addr *a, const struct block *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cidr c = {.base = {.family = a->family}, .bits = table[i].bits};
        memcpy(c.base.ip, table[i].ip, 16);
        if (cidr_has(&c, a))
            return true;
    }
    return false;
}

static struct addr addr_of_v4(const uint8_t *ip, uint8_t flip)
{
    struct addr a = {.family = 4};
    for (int i = 0; i < 4; i++)
        a.ip[i] = ip[i] ^ flip;
    return a;
}

/* ISATAP's interface identifier, in any prefix (RFC 5214 §6.1). */
static bool is_isatap(const uint8_t ip[16])
{
    return (ip[8] & 0xFD) == 0 && ip[9] == 0 && ip[10] == 0x5E && ip[11] == 0xFE;
}

static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b}; /* 64:ff9b::/96, RFC 6052 */

bool addr_embedded(const struct addr *a, struct addr *ret)
{
    static const uint8_t zero[12],
        mapped[12] = {[10] = 0xFF, [11] = 0xFF}, translated[12] = {[8] = 0xFF, [9] = 0xFF},
        nat64_local[6] = {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, teredo[4] = {0x20, 0x01, 0, 0};
    const uint8_t *ip = a->ip;
    if (a->family != 6)
        return false;
    if (!memcmp(ip, mapped, 12) || !memcmp(ip, zero, 12) || !memcmp(ip, translated, 12) ||
        !memcmp(ip, nat64, 12) || !memcmp(ip, nat64_local, 6))
        *ret = addr_of_v4(ip + 12, 0);
    else if (ip[0] == 0x20 && ip[1] == 0x02) /* 6to4 */
        *ret = addr_of_v4(ip + 2, 0);
    else if (!memcmp(ip, teredo, 4)) /* the client's, inverted; RFC 4380 §4 */
        *ret = addr_of_v4(ip + 12, 0xFF);
    else if (is_isatap(ip))
        *ret = addr_of_v4(ip + 12, 0);
    else
        return false;
    ret->port = a->port;
    return true;
}

bool addr_is_public(const struct addr *a)
{
    struct addr inside;
    if (a->family == 4)
        return !block_table_has(a, special4, sizeof special4 / sizeof *special4);
    if (a->family != 6)
        return false;
    if (addr_embedded(a, &inside) && !addr_is_public(&inside))
        return false;
    if (!memcmp(a->ip, nat64, 12))
        return true;        /* NAT64 of a public address */
    if (a->ip[0] >> 5 != 1) /* global unicast is 2000::/3 */
        return false;
    return !block_table_has(a, special6, sizeof special6 / sizeof *special6);
}
