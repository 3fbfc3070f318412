/* Telephone numbers: E.164 with `+` is the one form inside (ITU-T E.164: at most 15 digits). Pure.
 */
#pragma once
#include "base/buf.h"

enum { NUMBER_SIZE = 20 }; /* "+" and 15 digits and NUL, rounded */

/* How a trunk writes numbers that are not international. */
struct number_rules {
    char country[4];       /* calling code for national numbers: "44"; "" when unknown */
    char national[4];      /* trunk prefix in front of them: "0"; "" for none */
    char international[5]; /* prefix in front of international ones: "00", "011"; "" means "00" */
    bool bare_is_e164;     /* digits without any prefix are international already */
};

/* Strict: what the API takes. "+", then 5 to 15 digits, the first not 0. */
bool number_is_e164(struct str s);
/* What may stand as the sender of a text message: E.164, a short code (3 to 8 digits), or a name:
 * at most 20 characters of UTF-8 that can be seen (blanks within it too), one of them neither digit
 * nor blank, the first not "+". */
bool number_is_sender(struct str s);
/* Lenient: user part of a SIP or tel URI, or an SMS address. Percent decoding, visual separators
 * (RFC 3966 §5.1.1), `;` parameters (rn=, npdi, phone-context=+..., tgrp) stripped. ERR_INVALID
 * when no number comes of it. */
MUST_USE enum err number_parse(struct str text, const struct number_rules *r,
                               char out[NUMBER_SIZE]);
