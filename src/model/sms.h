/* Reads text messages as carriers send them: alphabets, headers, parts, and the text of all parts
 * together. Pure. */
#pragma once
#include "base/buf.h"

/* name for `encoding` (CONTRACT §2), octets of a unit (0: packed septets) */
#define SMS_ALPHABET_LIST(X)                                                                       \
    X(GSM7, "gsm7", 1)        /* 3GPP TS 23.038 §6.2.1, one septet in an octet */                 \
    X(GSM7_PACKED, "gsm7", 0) /* eight septets in seven octets (§6.1.2.1) */                      \
    X(ASCII, "ascii", 1)                                                                           \
    X(LATIN1, "latin1", 1)                                                                         \
    X(UCS2, "ucs2", 2) /* big-endian, read as UTF-16 */                                            \
    X(UTF8, "utf8", 1)                                                                             \
    X(BINARY, "binary", 1) /* 8-bit data: text when it is UTF-8, else read as Latin-1 */           \
    X(CYRILLIC, "iso-8859-5", 1)                                                                   \
    X(HEBREW, "iso-8859-8", 1)                                                                     \
    X(JIS, "shift-jis", 1)                                                                         \
    X(ISO2022JP, "iso-2022-jp", 1)                                                                 \
    X(EUCJP, "euc-jp", 1)                                                                          \
    X(KSC5601, "euc-kr", 1)

enum sms_alphabet { /* stored as numbers: append only */
#define X(id, name, unit) SMS_##id,
                    SMS_ALPHABET_LIST(X)
#undef X
                        SMS_ALPHABET_COUNT
};
const char *sms_alphabet_name(enum sms_alphabet a); /* "gsm7" */
/* Parses the name that a link's settings use: the names above, and "gsm7-packed". */
bool sms_alphabet_parse(struct str name, enum sms_alphabet *ret);
const char *sms_alphabet_setting(enum sms_alphabet a); /* the inverse */

/* The way to read user data: an alphabet and, for GSM 7 bit, national language tables (3GPP TS
 * 23.038 §6.2.1.2.4: 0 none, 1 Turkish, 2 Spanish, 3 Portuguese, 4 Bengali … 13 Urdu). */
struct sms_coding {
    enum sms_alphabet alphabet;
    uint8_t single_shift, locking_shift;
    uint8_t fill; /* bits before the first septet, packed behind a header (sms_header_parse) */
};

/* The meaning of data_coding 0 and 1 on a link; carriers differ. */
struct sms_defaults {
    enum sms_alphabet coding_0, coding_1;
};

/* Gives the alphabet by SMPP 3.4 §5.2.19 and, for 0x10…0x1F and 0xC0…0xFF, the message class and
 * message waiting forms of 3GPP TS 23.038 §4, where the default alphabet is d->coding_0. Unknown
 * values are BINARY. */
enum sms_alphabet sms_alphabet_of(uint8_t data_coding, const struct sms_defaults *d);

enum { SMS_PARTS_MAX = 255, SMS_DATA_MAX = 65535, SMS_TEXT_MAX = 48 * 1024 };

struct sms_part {
    struct sms_coding coding;
    uint8_t data_coding;         /* as received; stored with the raw bytes */
    struct str data;             /* user data without its header */
    uint32_t reference;          /* of a concatenation */
    unsigned parts, number;      /* total, and this one's number (1…parts); parts 1: whole */
    bool wide;                   /* the reference has 16 bits: another name space */
    uint16_t port_from, port_to; /* application ports, 0 none (TS 23.040 §9.2.3.24.3) */
};

/* Cuts the user data header (3GPP TS 23.040 §9.2.3.24: length octet, elements) off p->data and
 * reads concatenation (8 and 16 bit), national language shifts and ports from it; unknown elements
 * are skipped. p->coding.alphabet is set before; packed septets behind a header begin at the next
 * septet border, p->coding.fill says where. Fields that the header does not have stay as the caller
 * set them; `parts` 0 becomes 1. ERR_INVALID: lengths that do not fit; a concatenation of 0 parts
 * or with a number outside of it is no concatenation (§9.2.3.24.1: ignored). */
MUST_USE enum err sms_header_parse(struct sms_part *p);

/* Writes the text of the parts that are there, in the order of their numbers, as valid UTF-8. Parts
 * of one coding are read as one run, since a character may lie across a border. *ret_lossy: an
 * octet had no character and became U+FFFD, the text was cut at SMS_TEXT_MAX octets (after a whole
 * character), or the data was not text at all; then the text does not replace the bytes. Control
 * bytes other than TAB, LF, CR stay as they are (NUL becomes U+FFFD). ERR_TOO_BIG: more than `out`
 * may hold. */
MUST_USE enum err sms_text(const struct sms_part *const *part, size_t n, struct buf *out,
                           bool *ret_lossy);
/* Encodes text for a sender (demo, load generator, tests): as unpacked GSM 7 bit when that has all
 * its characters, else as UCS-2. *ret_alphabet says which. ERR_INVALID: not UTF-8. */
MUST_USE enum err sms_encode(struct str utf8, struct buf *out, enum sms_alphabet *ret_alphabet);
