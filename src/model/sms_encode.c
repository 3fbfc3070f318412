/* sms_encode: encodes text as a phone would, for the demo, the load generator and tests. Pure. The
 * invariant: sms_text gives back the text that sms_encode was given, as long as it has no NUL. */
#include "model/gsm7.h"
#include "model/sms.h"

/* Gives the code point of the well-formed character of n octets at p. */
static uint32_t code_point(const unsigned char *p, size_t n)
{
    static const unsigned char bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = p[0] & bits[n];
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3F);
    return c;
}

static bool code_point_next(struct str s, size_t *at, uint32_t *ret)
{
    size_t n = str_utf8_at(s, *at);
    if (n == 0)
        return false;
    *ret = code_point((const unsigned char *)s.p + *at, n);
    *at += n;
    return true;
}

static bool is_gsm7(struct str s)
{
    uint32_t c;
    for (size_t at = 0; code_point_next(s, &at, &c);)
        if (gsm7_septet(c) < 0)
            return false;
    return true;
}

static void put_gsm7(struct str s, struct buf *out)
{
    uint32_t c;
    for (size_t at = 0; code_point_next(s, &at, &c);) {
        int septet = gsm7_septet(c);
        if (septet > 0xFF)
            buf_putc(out, GSM7_ESCAPE);
        buf_putc(out, (char)(septet & 0x7F));
    }
}

static void put_unit(struct buf *out, uint32_t unit)
{
    const char octets[] = {(char)(unit >> 8), (char)(unit & 0xFF)};
    buf_put(out, octets, sizeof octets);
}

static void put_ucs2(struct str s, struct buf *out)
{
    uint32_t c;
    for (size_t at = 0; code_point_next(s, &at, &c);) {
        if (at == 3 && (c == 0xFEFF || c == 0xFFFE))
            put_unit(out, 0xFEFF); /* text that begins like a byte order mark needs one in front */
        if (c < 0x10000)
            put_unit(out, c);
        else {
            put_unit(out, 0xD800 + ((c - 0x10000) >> 10));
            put_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
        }
    }
}

enum err sms_encode(struct str utf8, struct buf *out, enum sms_alphabet *ret_alphabet)
{
    if (!str_is_utf8(utf8))
        return ERR_INVALID;
    *ret_alphabet = is_gsm7(utf8) ? SMS_GSM7 : SMS_UCS2;
    if (*ret_alphabet == SMS_GSM7)
        put_gsm7(utf8, out);
    else
        put_ucs2(utf8, out);
    return out->err;
}
