#include "check.h"
#include "model/number.h"

static void strict_is_strict(void **state)
{
    assert_true(number_is_e164(STR("+447911123456")));
    assert_false(number_is_e164(STR("447911123456")));
    assert_false(number_is_e164(STR("+0123456")));
    assert_false(number_is_e164(STR("+1234567890123456")));
    assert_false(number_is_e164(STR("+1234")));
    assert_false(number_is_e164(STR("+44 7911123456")));
}

static void senders_of_texts(void **state)
{
    static const char *const good[] = {"+447911123456",
                                       "60060",
                                       "12",
                                       "123456789",
                                       "07700900123",
                                       "ACME",
                                       "AC ME 1",
                                       "Ваш банк",
                                       "unknown",
                                       "1-800",
                                       "a",
                                       "+ACME",
                                       "a name of some thirty letters.",
                                       "whatsapp:+447911123456",
                                       "+4479111234567890"};
    static const char *const bad[] = {"",
                                      " A",
                                      "A ",
                                      "A\tB",
                                      "A\x7f",
                                      "\xff\xfe",
                                      ("A\xc2\x85"
                                       "B")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!number_is_sender(str_of(good[i])))
            fail_msg("\"%s\" was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (number_is_sender(str_of(bad[i])))
            fail_msg("\"%s\" was taken", bad[i]);
}

static void what_carriers_write(void **state)
{
    static const struct number_rules uk = {.country = "44", .national = "0"};
    static const struct number_rules us = {
        .country = "1", .international = "011", .bare_is_e164 = true};
    static const struct {
        const char *text;
        const struct number_rules *rules;
        const char *due;
    } table[] = {
        {"+447911123456", &uk, "+447911123456"},
        {"07911123456", &uk, "+447911123456"},
        {"00447911123456", &uk, "+447911123456"},
        {"+44-7911.123(456)", &uk, "+447911123456"},
        {"%2B447911123456", &uk, "+447911123456"},
        {"+44 (0)7911 123456", &us, "+447911123456"},
        {"+44(0)7911123456", &us, "+447911123456"},
        {"(0)7911 123456", &uk, "+447911123456"},
        {"tel:+44-7911-123456", &uk, "+447911123456"},
        {"TEL:7911123456;phone-context=+44", &us, "+447911123456"},
        {"+19175550100;npdi;rn=+19175550000", &us, "+19175550100"},
        {"447911123456", &us, "+447911123456"},
        {"011447911123456", &us, "+447911123456"},
        {"+19175550100;tgrp=tg1;trunk-context=x", &us, "+19175550100"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[NUMBER_SIZE] = "";
        if (number_parse(str_of(table[i].text), table[i].rules, out) != OK)
            fail_msg("%s", table[i].text);
        assert_string_equal(out, table[i].due);
    }
}

static void what_is_none(void **state)
{
    static const struct number_rules none = {0};
    static const char *const bad[] = {"",    "anonymous", "+",     "+44abc",
                                      "%00", "%zz",       "alice", "+12345678901234567890"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char out[NUMBER_SIZE];
        if (number_parse(str_of(bad[i]), &none, out) == OK)
            fail_msg("\"%s\" became %s", bad[i], out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_is_strict),
        cmocka_unit_test(senders_of_texts),
        cmocka_unit_test(what_carriers_write),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
