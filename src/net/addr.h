/* Defines socket addresses as values, CIDR blocks, and the test for public addresses. Pure. */
#pragma once
#include <sys/socket.h>

#include "base/buf.h"

/* IPv4 or IPv6 with port. Compare with addr_eq, never with memcmp. */
struct addr {
    uint8_t family; /* 4, 6, or 0: none */
    uint16_t port;
    uint32_t scope; /* IPv6 link-local zone */
    uint8_t ip[16]; /* network order; IPv4 in the first four */
};

struct cidr {
    struct addr base; /* port unused */
    uint8_t bits;
};

enum { ADDR_TEXT_SIZE = 72 };

/* Parses "192.0.2.1", "[2001:db8::1]" or "2001:db8::1", with or without a port ("192.0.2.1:5060",
 * "[::1]:5060"); default_port is used without one. Numeric only. */
MUST_USE enum err addr_parse(struct str text, uint16_t default_port, struct addr *ret);
size_t addr_print(const struct addr *a, char out[ADDR_TEXT_SIZE]);      /* with port */
size_t addr_print_host(const struct addr *a, char out[ADDR_TEXT_SIZE]); /* without, v6 in [] */
bool addr_eq(const struct addr *a, const struct addr *b);               /* address and port */
bool addr_eq_host(const struct addr *a, const struct addr *b);
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *ret);
bool addr_from_sockaddr(const struct sockaddr *sa, struct addr *ret); /* mapped IPv4 is unwrapped */

MUST_USE enum err cidr_parse(struct str text, struct cidr *ret); /* "10.0.0.0/8", or one address */
size_t cidr_print(const struct cidr *c, char out[ADDR_TEXT_SIZE]);
bool cidr_has(const struct cidr *c, const struct addr *a);

/* False for all addresses of IANA's special-purpose registries, multicast and broadcast; IPv4
 * embedded in IPv6 (mapped, compatible, 6to4, NAT64, Teredo, ISATAP) is unwrapped and judged too.
 */
bool addr_is_public(const struct addr *a);
/* Turns ::ffff:a.b.c.d into a.b.c.d, since the kernel connects there, and drops the zone. */
struct addr addr_unwrap(const struct addr *a);
/* Gives the IPv4 address (and the port) that an IPv6 address carries; false when it carries none.
 */
bool addr_embedded(const struct addr *a, struct addr *ret);
