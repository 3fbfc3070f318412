/* The kinds of settings, and the mark of a setting: a second text that it is found by. Unlike ids
 * and keys, many may share one. It comes from the document alone, so that the two can never
 * disagree. Pure. */
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

/* Of an endpoint: the number that it names, when it names one and no other. Of a number: its
 * country. Of a key: the row of the user with whom it ends. "": none. */
void setting_mark(enum setting_kind kind, const struct json *doc, char out[MARK_SIZE]);
/* The same of a document as it is stored; one that cannot be read has none. */
MUST_USE enum err setting_mark_of_text(enum setting_kind kind, struct str doc, char out[MARK_SIZE]);
