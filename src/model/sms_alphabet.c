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

/* The alphabet bits of a 3GPP data coding scheme (TS 23.038 §4). */
static enum sms_alphabet of_class_bits(unsigned bits)
{
    static const enum sms_alphabet alphabet[] = {SMS_GSM7, SMS_BINARY, SMS_UCS2, SMS_BINARY};
    return alphabet[bits & 3];
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
    default: break;
    }
    if (data_coding >= 0xF0)
        return data_coding & 4 ? SMS_BINARY : SMS_GSM7;
    if (data_coding >= 0x10 && data_coding <= 0x1F)
        return of_class_bits(data_coding >> 2);
    return SMS_BINARY;
}
