/* Lines and headers of bytes that need not be a whole message: traces, parts of a body. Pure. */
#pragma once
#include "base/str.h"

/* Cuts the next line off *rest, with its end. */
struct str line_take(struct str *rest);
bool line_is_blank(struct str line);
/* A header with the lines that go on with it (RFC 3261 §7.3.1), with its end; the blank line alone.
 */
struct str header_take(struct str *rest);
