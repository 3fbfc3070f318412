/* Reads the character sets that are not worth tables of our own, by iconv(3) of the C library. */
#pragma once
#include "model/text_out.h"

/* name, as iconv knows it. The Japanese and Korean ones are the vendors' supersets, since phones
 * send characters (circled digits, roman numerals, all Hangul) that only those have. */
#define CHARSET_LIST(X)                                                                            \
    X(ISO_8859_5, "ISO-8859-5")                                                                    \
    X(ISO_8859_8, "ISO-8859-8")                                                                    \
    X(SHIFT_JIS, "CP932")                                                                          \
    X(ISO_2022_JP, "ISO-2022-JP")                                                                  \
    X(EUC_JP, "EUC-JP-MS")                                                                         \
    X(EUC_KR, "CP949")

enum charset {
#define X(id, name) CHARSET_##id,
    CHARSET_LIST(X)
#undef X
        CHARSET_COUNT
};

/* Converts to UTF-8. Each octet that is no character of the set becomes U+FFFD (half a character at
 * the end: one U+FFFD). When this system's C library lacks the set, everything becomes U+FFFD. Any
 * thread. */
void charset_read(enum charset set, struct str bytes, struct text_out *out);
