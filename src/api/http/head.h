/* Inside api/: checks whether a request's head can be answered, and decodes its target. Pure. */
#pragma once
#include "api/http/server.h"

struct head {
    bool is_1_0; /* HTTP/1.0 need not name a host */
    unsigned hosts, codings;
    bool chunked;
    const char *repeated; /* a header that came twice and may not; NULL: none */
    unsigned seen;        /* a bit for each such header */
};
void head_take(struct head *h, struct str name, struct str value); /* takes a header line */
/* Called after the last line. False: *ret says why, and the connection must be closed after the
 * answer. */
bool head_is_sound(const struct head *h, struct http_refusal *ret);

struct str head_path(struct str target); /* the path of "/path" and of "http://host/path" */
/* Decodes %XX, in place. A %00 stays as it stands, because the text would end there; so does a %2F,
 * which is no slash between parts of a path, unless `one_part`: s is one of them. */
void head_unescape_path(char *s, bool one_part);
/* Decodes a name or value of a query into *out; a + is a blank (WHATWG URL §5.1). */
struct str head_unescape_form(struct str s, struct buf *out);
