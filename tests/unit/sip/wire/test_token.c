/* Handles and random bits as text. */
#include "check.h"
#include "sip/wire/token.h"

static void what_is_printed_is_read(void **state)
{
    static const uint64_t value[] = {0, 1, 31, 32, 0x123456789abcdef0, UINT64_MAX};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++) {
            char text[TOKEN_SIZE];
            handle h;
            uint64_t random;
            token_print(value[i], value[k], text);
            assert_int_equal(strlen(text), TOKEN_SIZE - 1);
            assert_true(token_parse(str_of(text), &h, &random));
            assert_true(h == value[i] && random == value[k]);
        }
}

static void digits_are_of_five_bits(void **state)
{
    char text[TOKEN_SIZE];
    token_print(33, UINT64_MAX, text);
    assert_string_equal(text, "0000000000011fvvvvvvvvvvvv");
}

static void what_follows_is_not_looked_at(void **state)
{
    handle h;
    uint64_t random;
    assert_true(token_parse(STR("00000000000010000000000002a0"), &h, &random));
    assert_true(h == 1 && random == 2);
}

static void what_is_no_token(void **state)
{
    static const char *const bad[] = {
        "",
        "0000000000001000000000000",  /* too short */
        "g0000000000000000000000000", /* more than 64 bits */
        "0000000000000g000000000000", /* the other half */
        "000000000000w0000000000000",
        "000000000000A0000000000000",
        "000000000000 0000000000000",
        "0000000000000000000000000\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        handle h;
        uint64_t random;
        if (token_parse(str_of(bad[i]), &h, &random))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_read),
        cmocka_unit_test(digits_are_of_five_bits),
        cmocka_unit_test(what_follows_is_not_looked_at),
        cmocka_unit_test(what_is_no_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
