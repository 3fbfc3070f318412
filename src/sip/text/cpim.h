/* message/cpim (RFC 3862): headers of the message, a blank line, a MIME part, headers and content.
 * Slices into the text; pure. */
#pragma once
#include "base/str.h"

enum { CPIM_HEADERS_MAX = 64 };

struct cpim {
    bool requires;                /* a Require header: it wants something understood (§4.6) */
    struct str content_type;      /* of the part inside, folds not undone; absent: text/plain */
    struct str transfer_encoding; /* of the part; absent: none */
    struct str body;
};

/* Lines end with CRLF, or with LF alone. ERR_SYNTAX: no header line where one is due, no blank line
 * behind one of the two blocks, Content-Type or Content-Transfer-Encoding twice; ERR_TOO_BIG: more
 * than CPIM_HEADERS_MAX lines in a block. */
MUST_USE enum err cpim_parse(struct str text, struct cpim *ret);
