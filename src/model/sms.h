/* A text message as carriers bring it: alphabets, headers, parts, and what the whole of them says.
 * Pure. */
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
/* What a link's settings may call it: the names above, and "gsm7-packed". */
bool sms_alphabet_parse(struct str name, enum sms_alphabet *ret);
const char *sms_alphabet_setting(enum sms_alphabet a); /* the inverse */

/* How user data is to be read: an alphabet and, for GSM 7 bit, national language tables (3GPP TS
 * 23.038 §6.2.1.2.4: 0 none, 1 Turkish, 2 Spanish, 3 Portuguese, 4 Bengali … 13 Urdu). */
struct sms_coding {
    enum sms_alphabet alphabet;
    uint8_t single_shift, locking_shift;
    uint8_t fill; /* bits before the first septet, packed behind a header (sms_header_parse) */
};

/* What data_coding 0 and 1 mean on a link: carriers differ. */
struct sms_defaults {
    enum sms_alphabet coding_0, coding_1;
};

/* SMPP 3.4 §5.2.19 and, for 0x10…0x1F and 0xC0…0xFF, the message class and message waiting forms of
 * 3GPP TS 23.038 §4. Unknown values are BINARY. */
enum sms_alphabet sms_alphabet_of(uint8_t data_coding, const struct sms_defaults *d);

enum { SMS_PARTS_MAX = 255, SMS_DATA_MAX = 65535, SMS_TEXT_MAX = 48 * 1024 };

struct sms_part {
    struct sms_coding coding;
    uint8_t data_coding;         /* as it came, for who keeps the raw bytes */
    struct str data;             /* user data without its header */
    uint32_t reference;          /* of a concatenation */
    unsigned parts, number;      /* of how many, which: 1…parts; parts 1: it is whole */
    bool wide;                   /* the reference has 16 bits: another name space */
    uint16_t port_from, port_to; /* application ports, 0 none (TS 23.040 §9.2.3.24.3) */
};

/* Takes the user data header (3GPP TS 23.040 §9.2.3.24: length octet, elements) off p->data and
 * reads concatenation (8 and 16 bit), national language shifts and ports out of it; unknown
 * elements are passed over. p->coding.alphabet is set before; packed septets behind a header begin
 * at the next septet border, p->coding.fill says where. What the header does not say stays as the
 * caller set it; `parts` 0 becomes 1. ERR_INVALID: lengths that do not fit; a concatenation of 0
 * parts or with a number outside of it is no concatenation (§9.2.3.24.1: ignored). */
MUST_USE enum err sms_header_parse(struct sms_part *p);

/* The parts in the order of their numbers, those that are there; as UTF-8, always valid. Parts of
 * one coding are read as one run: a character may lie across a border. *ret_lossy: something had
 * no character and became U+FFFD, did not fit in SMS_TEXT_MAX octets (a whole character is the
 * last), or it was not text at all: who wants the bytes must keep them. Control bytes other than
 * TAB, LF, CR stay as they are (NUL becomes U+FFFD). ERR_TOO_BIG: more than `out` may hold. */
MUST_USE enum err sms_text(const struct sms_part *const *part, size_t n, struct buf *out,
                           bool *ret_lossy);
/* The other way, for who sends (demo, load generator, tests): GSM 7 bit unpacked when all of it can
 * be, else UCS-2. *ret_alphabet says which. ERR_INVALID: not UTF-8. */
MUST_USE enum err sms_encode(struct str utf8, struct buf *out, enum sms_alphabet *ret_alphabet);
