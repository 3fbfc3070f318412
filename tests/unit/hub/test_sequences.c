/* How many events of a call each endpoint got, as text in the call's row. */
#include "../check.h"
#include "hub/intake.h"

static void printed_is_parsed(void **state)
{
    struct sequences s;
    struct buf b;
    assert_ok(sequences_parse(STR("12:1,14:255"), &s));
    assert_int_equal(s.n, 2);
    assert_int_equal(s.at[1].endpoint, 14);
    assert_int_equal(s.at[1].count, 255);
    buf_init(&b, 100);
    sequences_print(&s, &b);
    assert_str(buf_str(&b), "12:1,14:255");
    buf_fini(&b);
    sequences_fini(&s);
    assert_ok(sequences_parse(STR(""), &s));
    assert_int_equal(s.n, 0);
}

static void nonsense_is_refused(void **state)
{
    static const char *const bad[] = {"x", "1", "1:", ":1", "1:256", "4294967296:1", "1:1,,2:1"};
    struct sequences s;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(sequences_parse(str_of(bad[i]), &s), ERR_SYNTAX);
    struct buf b;
    buf_init(&b, 4096);
    for (int i = 0; i <= SEQUENCES_MAX; i++)
        buf_printf(&b, "%s%d:1", i ? "," : "", i);
    assert_err(sequences_parse(buf_str(&b), &s), ERR_SYNTAX);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printed_is_parsed),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
