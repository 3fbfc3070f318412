/* Parses telephone numbers. Inside the program they have one form, E.164 with `+` (ITU-T E.164: at
 * most 15 digits). Pure. */
#pragma once
#include "base/buf.h"

enum {
    NUMBER_SIZE = 20, /* "+" and 15 digits and NUL, rounded */
    SENDER_MAX = 128, /* bytes */
};

/* The way in which a trunk writes numbers that are not international. */
struct number_rules {
    char country[4];       /* calling code for national numbers: "44"; "" when unknown */
    char national[4];      /* trunk prefix in front of them: "0"; "" for none */
    char international[5]; /* prefix in front of international ones: "00", "011"; "" means "00" */
    bool bare_is_e164;     /* digits without any prefix are international already */
};

/* True for "+" and 5 to 15 digits, the first not 0: the only form that the API takes. */
bool number_is_e164(struct str s);
/* True for a sender of a text message as networks and providers write them: E.164, a short code, a
 * national number, a name, an address of another service ("whatsapp:+…"). Any UTF-8 of at most
 * SENDER_MAX bytes that can be seen, blanks within it too. */
bool number_is_sender(struct str s);
/* Parses the user part of a SIP URI, a tel URI, or an SMS address, leniently: undoes percent escapes,
 * strips visual separators (RFC 3966 §5.1.1) and `;` parameters (rn=, npdi, phone-context=+...,
 * tgrp). ERR_INVALID when the text gives no number. */
MUST_USE enum err number_parse(struct str text, const struct number_rules *r,
                               char out[NUMBER_SIZE]);
