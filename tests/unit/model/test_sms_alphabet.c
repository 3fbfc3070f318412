#include "check.h"
#include "model/sms.h"

/* All 256 values of data_coding, by ranges. */
static void data_codings(void **state)
{
    static const struct {
        unsigned from, to;
        enum sms_alphabet due;
    } table[] = {
        {0x00, 0x00, SMS_UTF8},     {0x01, 0x01, SMS_ASCII},     {0x02, 0x02, SMS_BINARY},
        {0x03, 0x03, SMS_LATIN1},   {0x04, 0x04, SMS_BINARY},    {0x05, 0x05, SMS_JIS},
        {0x06, 0x06, SMS_CYRILLIC}, {0x07, 0x07, SMS_HEBREW},    {0x08, 0x08, SMS_UCS2},
        {0x09, 0x09, SMS_BINARY},   {0x0A, 0x0A, SMS_ISO2022JP}, {0x0B, 0x0C, SMS_BINARY},
        {0x0D, 0x0D, SMS_EUCJP},    {0x0E, 0x0E, SMS_KSC5601},   {0x0F, 0x0F, SMS_BINARY},
        {0x10, 0x13, SMS_UTF8},     {0x14, 0x17, SMS_BINARY},    {0x18, 0x1B, SMS_UCS2},
        {0x1C, 0xBF, SMS_BINARY},   {0xC0, 0xDF, SMS_UTF8},      {0xE0, 0xEF, SMS_UCS2},
        {0xF0, 0xF3, SMS_UTF8},     {0xF4, 0xF7, SMS_BINARY},    {0xF8, 0xFB, SMS_UTF8},
        {0xFC, 0xFF, SMS_BINARY},
    };
    static const struct sms_defaults d = {.coding_0 = SMS_UTF8, .coding_1 = SMS_ASCII};
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (unsigned v = table[i].from; v <= table[i].to; v++, seen++)
            if (sms_alphabet_of((uint8_t)v, &d) != table[i].due)
                fail_msg("0x%02X is %s", v, sms_alphabet_name(sms_alphabet_of((uint8_t)v, &d)));
    assert_int_equal(seen, 256);
}

static void a_link_that_packs_does_so_in_every_class(void **state)
{
    static const struct sms_defaults d = {.coding_0 = SMS_GSM7_PACKED, .coding_1 = SMS_GSM7};
    static const uint8_t packed[] = {0x00, 0x10, 0x13, 0xC0, 0xD8, 0xF0, 0xF3};
    for (size_t i = 0; i < sizeof packed; i++)
        assert_int_equal(sms_alphabet_of(packed[i], &d), SMS_GSM7_PACKED);
    assert_int_equal(sms_alphabet_of(1, &d), SMS_GSM7);
}

static void names_are_read_back(void **state)
{
    enum sms_alphabet a;
    for (int i = 0; i < SMS_ALPHABET_COUNT; i++) {
        assert_true(sms_alphabet_parse(str_of(sms_alphabet_setting((enum sms_alphabet)i)), &a));
        assert_int_equal(a, i);
    }
    assert_string_equal(sms_alphabet_name(SMS_GSM7_PACKED), "gsm7");
    assert_false(sms_alphabet_parse(STR("utf-8"), &a));
    assert_false(sms_alphabet_parse((struct str){0}, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_codings),
        cmocka_unit_test(a_link_that_packs_does_so_in_every_class),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
