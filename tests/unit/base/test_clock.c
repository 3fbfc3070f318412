/* Times as text: what we print is read again, and only real dates are. */
#include "../check.h"
#include "base/clock.h"

static int64_t parsed(const char *text)
{
    int64_t ms = -1;
    assert_ok(clock_parse(str_of(text), &ms));
    return ms;
}

static void what_is_printed_is_read_again(void **state)
{
    char text[CLOCK_TEXT_SIZE];
    for (int64_t ms = 0; ms < 253402300799000; ms += 7654321987654) {
        size_t n = clock_print_ms(ms, text);
        assert_int_equal(parsed(text), ms);
        assert_int_equal(n, 24);
        clock_print_sec(ms, text);
        assert_int_equal(parsed(text), ms - ms % 1000);
    }
    assert_int_equal(parsed("2024-11-15T14:32:00Z"), 1731681120000);
    assert_int_equal(parsed("9999-12-31T23:59:59.999Z"), 253402300799999);
}

static void fractions_and_leap_days_and_seconds(void **state)
{
    assert_int_equal(parsed("1970-01-01T00:00:00.1Z"), 100);
    assert_int_equal(parsed("1970-01-01T00:00:00.12Z"), 120);
    assert_int_equal(parsed("1970-01-01T00:00:00.123456789Z"), 123);
    assert_int_equal(parsed("2024-02-29T00:00:00z"), 1709164800000);
    assert_int_equal(parsed("2000-02-29t00:00:00Z"), 951782400000);
    assert_int_equal(parsed("2016-12-31T23:59:60Z"), parsed("2017-01-01T00:00:00Z"));
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "yesterday",
        "2024-11-15",
        "2024-11-15T14:32:00",
        "2024-11-15 14:32:00Z",
        "2024-11-15T14:32:00+00:00",
        "2024-13-15T14:32:00Z",
        "2024-00-15T14:32:00Z",
        "2024-11-00T14:32:00Z",
        "2024-11-31T14:32:00Z",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2024-11-15T24:00:00Z",
        "2024-11-15T14:60:00Z",
        "2024-11-15T14:32:61Z",
        "1969-12-31T23:59:59Z",
        "2024-11-15T14:32:00.Z",
        "2024-11-15T14:32:00.1234567890Z",
        "2024-11-15T14:32:00.1x3Z",
        "2024-11-15T14:32:0 Z",
        "+024-11-15T14:32:00Z",
        "2024-1-015T14:32:00Z",
        "2024-11-15T14:32:00ZZ",
    };
    int64_t ms;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (clock_parse(str_of(bad[i]), &ms) == OK)
            fail_msg("\"%s\" was taken", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(fractions_and_leap_days_and_seconds),
        cmocka_unit_test(what_is_no_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
