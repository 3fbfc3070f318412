/* Parses http and https URLs (WHATWG's special schemes, without the parts a webhook never needs).
 * Refused: userinfo, control bytes, spaces, backslashes, fragments, empty hosts, other schemes, the
 * Fetch standard's bad ports. Hosts are lower-cased, IDNA goes to A-labels, IPv4 in any notation
 * WHATWG knows (octal, hex, short) becomes dotted decimal. */
#pragma once
#include "net/addr.h"

struct url {
    bool https;
    uint16_t port; /* filled in: 80 or 443 when the text has none */
    bool port_is_default;
    bool host_is_address;
    struct addr address; /* when host_is_address */
    char host[256];      /* "example.com", "192.0.2.1", "[2001:db8::1]" */
    char target[2048];   /* path and query, at least "/" */
};

/* ERR_SYNTAX, ERR_INVALID (userinfo, scheme, port …), ERR_TOO_BIG; ret_why gives the reason, for
 * people. */
MUST_USE enum err url_parse(struct str text, struct url *ret, const char **ret_why);
bool url_port_is_bad(uint16_t port); /* no URL has one; asked again at connect */
/* Host header: host, and the port when it is not the default. */
void url_print_authority(const struct url *u, struct buf *out);
