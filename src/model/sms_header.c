/* sms_header: parses the user data header in front of a message's text (3GPP TS 23.040 §9.2.3.24).
 * smpp calls it for every message whose esm_class announces one. The bytes are the carrier's, so
 * every length is checked before it is used. Pure. */
#include "model/sms.h"

#include "model/gsm7.h"

/* Information element identifiers (§9.2.3.24). */
enum {
    CONCATENATED_8 = 0x00,
    PORTS_8 = 0x04,
    PORTS_16 = 0x05,
    CONCATENATED_16 = 0x08,
    SINGLE_SHIFT = 0x24,
    LOCKING_SHIFT = 0x25,
};

static void read_concatenation(struct sms_part *p, uint32_t reference, bool wide,
                               const unsigned char *rest)
{
    unsigned parts = rest[0], number = rest[1];
    if (parts == 0 || number == 0 || number > parts)
        return;
    p->reference = reference;
    p->wide = wide;
    p->parts = parts;
    p->number = number;
}

static void read_shift(uint8_t *shift, uint8_t language)
{
    if (language < GSM7_LANGUAGES) /* §6.2.1.2.4: reserved ones are the default */
        *shift = language;
}

static unsigned u16_read(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* Reads one element. An element with a wrong length is skipped like an unknown kind. When a kind
 * comes again, the last one counts (§9.2.3.24). */
static void read_element(struct sms_part *p, unsigned id, const unsigned char *d, unsigned n)
{
    if (id == CONCATENATED_8 && n == 3)
        read_concatenation(p, d[0], false, d + 1);
    else if (id == CONCATENATED_16 && n == 4)
        read_concatenation(p, u16_read(d), true, d + 2);
    else if (id == SINGLE_SHIFT && n == 1)
        read_shift(&p->coding.single_shift, d[0]);
    else if (id == LOCKING_SHIFT && n == 1)
        read_shift(&p->coding.locking_shift, d[0]);
    else if (id == PORTS_8 && n == 2) {
        p->port_to = d[0];
        p->port_from = d[1];
    } else if (id == PORTS_16 && n == 4) {
        p->port_to = (uint16_t)u16_read(d);
        p->port_from = (uint16_t)u16_read(d + 2);
    }
}

enum err sms_header_parse(struct sms_part *p)
{
    struct sms_part read = *p;
    const unsigned char *d = (const unsigned char *)p->data.p;
    size_t size = p->data.n ? 1 + (size_t)d[0] : 0, at = 1;
    if (size == 0 || size > p->data.n)
        return ERR_INVALID;
    while (at < size) {
        if (size - at < 2 || d[at + 1] > size - at - 2)
            return ERR_INVALID;
        read_element(&read, d[at], d + at + 2, d[at + 1]);
        at += 2 + (size_t)d[at + 1];
    }
    read.data = str_from(p->data, size);
    if (read.coding.alphabet == SMS_GSM7_PACKED)
        read.coding.fill = (uint8_t)((7 - size * 8 % 7) % 7);
    if (read.parts == 0)
        read.parts = read.number = 1;
    *p = read;
    return OK;
}
