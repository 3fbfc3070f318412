/* gsm7: unpacks septets and maps them to characters. model/sms_text calls it for every message;
 * pure. */
#include "model/gsm7.h"

struct gsm7 gsm7_tables(uint8_t locking_shift, uint8_t single_shift)
{
    return (struct gsm7){gsm7_locking[locking_shift < GSM7_LANGUAGES ? locking_shift : 0],
                         gsm7_single[single_shift < GSM7_LANGUAGES ? single_shift : 0]};
}

int gsm7_septet(uint32_t c)
{
    const uint16_t *base = gsm7_locking[0], *extension = gsm7_single[0];
    if (c < GSM7_SIZE && base[c] == c && c != GSM7_ESCAPE) /* the same as ASCII */
        return (int)c;
    for (int i = 0; i < GSM7_SIZE; i++)
        if (base[i] == c && i != GSM7_ESCAPE)
            return i;
    for (int i = 0; i < GSM7_SIZE; i++)
        if (extension[i] == c && c && i != GSM7_ESCAPE)
            return GSM7_ESCAPE << 8 | i;
    return -1;
}

void gsm7_unpack(struct str packed, unsigned fill, struct buf *out)
{
    fill %= 7; /* a stored value may be wrong; it must not lead out of the octets */
    size_t bits = packed.n * 8, n = bits > fill ? (bits - fill) / 7 : 0;
    unsigned held = 0, window = 0; /* bits read and not yet given out, the oldest lowest */
    char *to = n ? buf_room(out, n) : NULL;
    if (!to)
        return;
    size_t at = 0;
    for (size_t i = 0; i < packed.n; i++) {
        window |= (unsigned)(unsigned char)packed.p[i] << held;
        held += 8;
        if (i == 0) {
            window >>= fill;
            held -= fill;
        }
        for (; held >= 7; held -= 7, window >>= 7)
            to[at++] = (char)(window & 0x7F);
    }
    if (held == 0 && (to[at - 1] == GSM7_CR || to[at - 1] == 0))
        at--;
    out->n += at;
}
