/* sms_alphabet: gives the alphabets' names, and the alphabet of a data_coding. Pure. */
#include "model/sms.h"

static const char *const names[] = {
#define X(id, name, unit) name,
    SMS_ALPHABET_LIST(X)
#undef X
};

static const char packed[] = "gsm7-packed";

const char *sms_alphabet_name(enum sms_alphabet a)
{
    return names[a];
}

const char *sms_alphabet_setting(enum sms_alphabet a)
{
    return a == SMS_GSM7_PACKED ? packed : names[a];
}

bool sms_alphabet_parse(struct str name, enum sms_alphabet *ret)
{
    for (int i = 0; i < SMS_ALPHABET_COUNT; i++)
        if (str_eq(name, str_of(sms_alphabet_setting((enum sms_alphabet)i)))) {
            *ret = (enum sms_alphabet)i;
            return true;
        }
    return false;
}

/* Reads the values that SMPP leaves to 3GPP TS 23.038 §4. Over SMPP, "the default alphabet" is the
 * carrier's there too (SMPP 3.4 §5.2.19), whatever that is on this link. A handset reads reserved values as the
 * default alphabet; we say BINARY, so that the bytes are kept. Nobody uses compressed text (0x20,
 * 0x60), nor 0x40…0x7F over SMPP. */
static enum sms_alphabet alphabet_of_3gpp(uint8_t data_coding, const struct sms_defaults *d)
{
    switch (data_coding >> 4) {
    case 0x1: /* with a message class; bits 3 and 2 choose: 01 is 8 bit data, 11 reserved */
        switch (data_coding >> 2 & 3) {
        case 0: return d->coding_0;
        case 2: return SMS_UCS2;
        default: return SMS_BINARY;
        }
    case 0xC:                     /* message waiting, the text may be thrown away */
    case 0xD: return d->coding_0; /* the text is to be kept */
    case 0xE: return SMS_UCS2;
    case 0xF: return data_coding & 4 ? SMS_BINARY : d->coding_0;
    default: return SMS_BINARY;
    }
}

enum sms_alphabet sms_alphabet_of(uint8_t data_coding, const struct sms_defaults *d)
{
    switch (data_coding) {
    case 0: return d->coding_0;
    case 1: return d->coding_1;
    case 3: return SMS_LATIN1;
    case 5: return SMS_JIS;
    case 6: return SMS_CYRILLIC;
    case 7: return SMS_HEBREW;
    case 8: return SMS_UCS2;
    case 10: return SMS_ISO2022JP;
    case 13: return SMS_EUCJP;
    case 14: return SMS_KSC5601;
    default: return alphabet_of_3gpp(data_coding, d);
    }
}
