/* sms_alphabet: the alphabets' names, and what a data_coding says. Pure. */
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

/* GSM 7 bit by a scheme's own word; whether packed is the link's habit, as data_coding 0 has it. */
static enum sms_alphabet septets(const struct sms_defaults *d)
{
    return d->coding_0 == SMS_GSM7_PACKED ? SMS_GSM7_PACKED : SMS_GSM7;
}

/* 3GPP TS 23.038 §4, where SMPP leaves values to it. A handset takes what is reserved for the
 * default alphabet; we say BINARY, so that the bytes are kept. Compressed text (0x20, 0x60) is
 * nobody's, and neither is 0x40…0x7F over SMPP. */
static enum sms_alphabet of_3gpp(uint8_t data_coding, const struct sms_defaults *d)
{
    switch (data_coding >> 4) {
    case 0x1: /* with a message class; bits 3 and 2 choose: 01 is 8 bit data, 11 reserved */
        switch (data_coding >> 2 & 3) {
        case 0: return septets(d);
        case 2: return SMS_UCS2;
        default: return SMS_BINARY;
        }
    case 0xC:                    /* message waiting, the text may be thrown away */
    case 0xD: return septets(d); /* the text is to be kept */
    case 0xE: return SMS_UCS2;
    case 0xF: return data_coding & 4 ? SMS_BINARY : septets(d);
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
    default: return of_3gpp(data_coding, d);
    }
}
