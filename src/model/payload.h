/* Makes the exact bytes of a body from a stored payload. Pure. */
#pragma once
#include "base/buf.h"

enum { FORM_BODY_MAX = 100 * 1024 }; /* parsers of forms take no more (body-parser: 100 KiB) */

enum body_format { BODY_JSON, BODY_FORM };
const char *body_format_name(enum body_format f); /* "json", "form" */
bool body_format_parse(struct str name, enum body_format *ret);
const char *body_content_type(enum body_format f);

/* `sequence` 0: none. `sip_headers`: keep the sip_header_x_… members. Form bodies are
 * application/x-www-form-urlencoded as WHATWG and java.net.URLEncoder serialise it, values as their
 * JSON text reads ("true", "12"). A form beyond FORM_BODY_MAX has its long texts cut, and says
 * `truncated`. ERR_SYNTAX when the payload is not a flat object. */
MUST_USE enum err payload_body(struct str payload, enum body_format format, unsigned sequence,
                               bool sip_headers, struct buf *out);
