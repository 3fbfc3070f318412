/* Inside api/: whether a request's head is one that can be answered, and its target as text. Pure.
 */
#pragma once
#include "api/http/server.h"

struct head {
    bool is_1_0; /* which need not name a host */
    unsigned hosts, codings;
    bool chunked;
    const char *repeated; /* a header that came twice and may not; NULL: none */
    unsigned seen;        /* of those, bit by bit */
};
void head_take(struct head *h, struct str name, struct str value); /* each header line */
/* After the last; false: *ret says why, and the connection must be closed after it. */
bool head_is_sound(const struct head *h, struct http_refusal *ret);

struct str head_path(struct str target); /* of "/path" and "http://host/path" */
/* %XX to bytes, in place. A %00 stays as it stands, for the text would end there; so does a %2F,
 * which is no slash between parts of a path, unless `one_part` says that this is one of them. */
void head_unescape_path(char *s, bool one_part);
/* A name or value of a query to *out, + for a blank (WHATWG URL §5.1). */
struct str head_unescape_form(struct str s, struct buf *out);
