/* Inside api/: what of a request's head the HTTP library lets through as it comes. Pure. */
#pragma once
#include "api/server.h"

struct head {
    bool long_path; /* the server's to say */
    bool has_host;  /* … when it need not have one */
    unsigned hosts, lengths, codings;
    bool chunked, expects;
    uint64_t length; /* UINT64_MAX: too much to be a number */
};
void head_take(struct head *h, struct str name, struct str value); /* each header line */
/* After the last; false: r has the refusal, and the connection must be closed after it. */
bool head_is_sound(struct request *r, const struct head *h);
void problem_too_large(struct request *r);

struct str head_path(const char *target); /* of "/path" and "http://host/path" */
/* %XX to bytes, in place; gives the length. A path keeps its %00 as it stands: it would end there.
 */
size_t head_unescape(char *s);
