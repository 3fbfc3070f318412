/* Reads the small grammar that all SIP headers share (RFC 3261 §25.1): classes of bytes, blanks,
 * quoted strings, hosts, and one parameter after another. Only sip/ parsers include this. Pure;
 * slices into the text. */
#pragma once
#include "base/buf.h"

enum { /* classes of bytes; char_is takes several at once */
       CHAR_TOKEN = 1,
       CHAR_USER = 2,  /* user and password of a URI; '#' and UTF-8 are let through unescaped */
       CHAR_HOST = 4,  /* '_' too, which names in the wild have */
       CHAR_PARAM = 8, /* name of a parameter, and with '=' an unquoted value: anything that ends
                          neither it nor the header */
       CHAR_URI = 16,  /* what may stand in a URI at all */
       CHAR_BLANK = 32,
       CHAR_DIGIT = 64,
       CHAR_ALPHA = 128,
};
extern const uint8_t char_class[128];

static inline bool char_is(char c, unsigned classes)
{
    unsigned char u = (unsigned char)c;
    return (u < 128 ? char_class[u] : CHAR_USER | CHAR_PARAM | CHAR_URI) & classes;
}

/* Finds the index of the first byte at or after `at` that is in none of the classes; s.n when all
 * are. */
size_t chars_end(struct str s, size_t at, unsigned classes);
bool is_token(struct str s); /* not empty, token characters only */
struct str blanks_skip(struct str s);
/* Finds the end of a quoted string whose '"' is s.p[at]: the index after the closing one, or 0 when
 * it never closes. */
size_t quoted_end(struct str s, size_t at);
/* Gives the length of the host name, IPv4 address or [IPv6] that s begins with; 0 when there is
 * none. */
size_t host_length(struct str s);
/* Parses digits, 1 … 65535, else ERR_SYNTAX. */
MUST_USE enum err port_parse(struct str digits, uint16_t *ret);

struct param {
    struct str name;
    struct str value; /* without quotes, escapes as written; p == NULL for a flag */
    struct str text;  /* as written, from the name to the value's end */
};
/* Takes the next parameter off "a=b;c" (a leading ';' is skipped). ERR_NOT_FOUND at the end,
 * ERR_SYNTAX where none can be read; *rest then still begins with it. */
MUST_USE enum err param_next(struct str *rest, struct param *ret);
