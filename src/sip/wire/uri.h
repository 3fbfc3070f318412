/* Parses SIP, SIPS and tel URIs (RFC 3261 §19.1, RFC 3966), and name-addr with its parameters
 * (§25.1). Slices into the text; pure. */
#pragma once
#include "base/buf.h"

enum uri_scheme { URI_SIP, URI_SIPS, URI_TEL, URI_OTHER };

struct uri {
    enum uri_scheme scheme;
    struct str text; /* the whole URI */
    struct str user; /* as written (escaped); p == NULL when there is none */
    struct str password;
    struct str host;    /* with [] for IPv6; tel: empty */
    uint16_t port;      /* 0: none given */
    struct str params;  /* after the first ';', raw; "" */
    struct str headers; /* after '?', raw; "" */
};
MUST_USE enum err uri_parse(struct str text, struct uri *ret);
/* Gives what may be a telephone number, with the parameters that belong to it (npdi, rn,
 * phone-context): the user part of a SIP URI, or all of a tel URI behind its scheme (RFC 3966 §3).
 * Empty when there is none, and for other schemes. */
struct str uri_number(const struct uri *u);
/* Finds the value of a parameter in ";a=b;c" or "a=b;c"; names without case; a flag gives an empty
 * value with p set; false when it is not there. */
bool param_find(struct str params, struct str name, struct str *ret_value);
/* Undoes %xx; ERR_SYNTAX on a bad escape, ERR_INVALID on %00. */
MUST_USE enum err uri_unescape(struct str s, struct buf *out);

struct name_addr {
    struct str display; /* without the quotes, escapes as written; "" */
    struct str uri_text;
    struct uri uri;
    struct str params; /* header parameters after the '>' */
    struct str tag;    /* ;tag=, p == NULL when there is none */
};
/* Parses one value of From, To, Contact, Route, P-Asserted-Identity, Refer-To … */
MUST_USE enum err name_addr_parse(struct str text, struct name_addr *ret);
/* Writes the display name as UTF-8 text, with quoted-pairs undone. */
void display_print(struct str display, struct buf *out);
/* Cuts the first value off a comma separated header value, honouring quotes and <>; false at the
 * end. */
bool value_next(struct str *rest, struct str *ret_value);
