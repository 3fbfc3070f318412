/* Names another dialog: Replaces (RFC 3891), as a header and within the URI of a Refer-To. Pure. */
#pragma once
#include "base/buf.h"

struct replaces { /* as whoever gets it sees the dialog */
    struct str call_id, to_tag, from_tag;
};
/* "id@host;to-tag=…;from-tag=…" (§6.1). ERR_SYNTAX: a part is missing. */
MUST_USE enum err replaces_parse(struct str value, struct replaces *ret);
/* Finds the escaped value of Replaces in the headers of a URI ("Replaces=…&Require=…"), as a slice of
 * them; absent: there is none. */
struct str replaces_of_uri(struct str headers);
/* Writes it escaped, as it stands there (RFC 3261 §19.1.1). */
void replaces_put_escaped(struct buf *b, const struct replaces *r);
