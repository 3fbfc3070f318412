/* Cuts lines and headers off bytes that need not be a whole message: traces, parts of a body. Pure.
 */
#pragma once
#include "base/str.h"

/* Cuts the next line off *rest, with its end. */
struct str line_take(struct str *rest);
bool line_is_blank(struct str line);
/* Cuts a header with its continuation lines (RFC 3261 §7.3.1) and its end off *rest; a blank line
 * comes alone. */
struct str header_take(struct str *rest);
