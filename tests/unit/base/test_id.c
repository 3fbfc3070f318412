/* Ids as text and as the bits that they are. */
#include "check.h"
#include "base/id.h"

static void comes_back(void **state)
{
    uint8_t bits[16], again[16];
    char id[ID_SIZE], text[ID_SIZE];
    for (unsigned i = 0; i < 1000; i++) {
        const struct str part[] = {str_of_bytes(&i, sizeof i)};
        id_derive("call", part, 1, id);
        assert_ok(id_parse("call", str_of(id), bits));
        id_print("call", bits, text);
        assert_string_equal(id, text);
        id_new("x", id);
        assert_ok(id_parse("x", str_of(id), again));
        id_print("x", again, text);
        assert_string_equal(id, text);
    }
    memset(bits, 0xff, sizeof bits);
    id_print("call", bits, id);
    assert_ok(id_parse("call", str_of(id), again));
    assert_memory_equal(bits, again, sizeof bits);
}

static void others_are_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "call_",
        "call",
        "call_0123456789abcdefghjkmnpqr",   /* too short */
        "call_0123456789abcdefghjkmnpqrst", /* too long */
        "call_0123456789abcdefghjkmnpqri",  /* no digit */
        "call_0123456789ABCDEFGHJKMNPQR0",  /* upper case */
        "cal__0123456789abcdefghjkmnpqr0",  /* prefix */
        "calls0123456789abcdefghjkmnpqr0",  /* no _ */
        "call_0123456789abcdefghjkmnpqrz",  /* bits that are not used */
    };
    uint8_t bits[16];
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_err(id_parse("call", str_of(wrong[i]), bits), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back),
                                       cmocka_unit_test(others_are_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
