/* Reads and writes the GSM 7 bit alphabets of 3GPP TS 23.038: the default, its extension, and the
 * national tables of Annex A. Pure. */
#pragma once
#include "base/buf.h"

enum { GSM7_ESCAPE = 0x1B, GSM7_CR = 0x0D, GSM7_SIZE = 128, GSM7_LANGUAGES = 14 };

/* The code points of a septet, as sent and behind an escape; 0: none. */
struct gsm7 {
    const uint16_t *locking, *single;
};
/* By national language identifiers (§6.2.1.2.4). Unknown ones and those without a table (a locking
 * shift for Spanish) mean the default. */
struct gsm7 gsm7_tables(uint8_t locking_shift, uint8_t single_shift);

/* The default alphabet's septet for a code point, 0x1B00 | septet for one of its extension, or -1.
 */
int gsm7_septet(uint32_t c);

/* Unpacks eight septets in seven octets (§6.1.2.1), behind `fill` bits (0…6) that align them after
 * a header, to one septet in an octet. When the last septet ends with the last octet, it may be
 * filler: a CR (§6.1.2.3.1) there is taken off, and so are seven zero bits, which far more often
 * are the rest of an octet than an `@`. */
void gsm7_unpack(struct str packed, unsigned fill, struct buf *out);

/* The data, gsm7_tables.c; [2] of the first is the default alphabet's. */
extern const uint16_t *const gsm7_locking[GSM7_LANGUAGES], *const gsm7_single[GSM7_LANGUAGES];
