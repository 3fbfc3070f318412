/* Defines the kinds of settings, and the mark of a setting: a second text by which it is found.
 * Unlike ids and keys, many settings may share a mark. It is derived from the document alone, so
 * that the two always agree. Pure. */
#pragma once
#include "base/json.h"

enum setting_kind { /* stored as numbers: append only */
                    SETTING_ACCOUNT,
                    SETTING_NUMBER,
                    SETTING_ENDPOINT,
                    SETTING_TRUNK,
                    SETTING_KEY,
                    SETTING_USER,
                    SETTING_SMPP_LINK,
                    SETTING_EXTENSION,
                    SETTING_KIND_COUNT,
};

enum { MARK_SIZE = 24 }; /* bytes with NUL */

/* Writes the mark. For an endpoint: the number that it names, when it names exactly one. For a
 * number: its country. For a key: the row of the user whose deletion ends it. "": none. */
void setting_mark(enum setting_kind kind, const struct json *doc, char out[MARK_SIZE]);
/* Does the same for a document as it is stored; an unreadable document has no mark. */
MUST_USE enum err setting_mark_of_text(enum setting_kind kind, struct str doc, char out[MARK_SIZE]);
