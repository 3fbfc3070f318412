/* Times as text: what we print is read again, and only real dates are. */
#include "check.h"
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

static void an_offset_is_taken_off(void **state)
{
    const int64_t at = parsed("2024-11-15T14:32:00Z");
    static const char *const same[] = {
        "2024-11-15T14:32:00+00:00",        "2024-11-15T14:32:00-00:00",
        "2024-11-15T15:32:00+01:00",        "2024-11-15T15:32:00 01:00",
        "2024-11-15T09:02:00-05:30",        "2024-11-16T14:31:00+23:59",
        "2024-11-15T14:32:00.000999+00:00",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_int_equal(parsed(same[i]), at);
    assert_int_equal(parsed("2024-11-15T15:32:00.25+01:00"), at + 250);
    assert_int_equal(parsed("1970-01-01T01:00:00+01:00"), 0);
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "yesterday",
        "2024-11-15",
        "2024-11-15T14:32:00",
        "2024-11-15 14:32:00Z",
        "2024-11-15T14:32:00+0100",
        "2024-11-15T14:32:00+01",
        "2024-11-15T14:32:00+24:00",
        "2024-11-15T14:32:00+01:60",
        "2024-11-15T14:32:00*01:00",
        "2024-11-15T14:32:00+01:00Z",
        "2024-11-15T14:32:00.5",
        "1970-01-01T00:59:59+01:00",
        "9999-12-31T23:59:59-00:01",
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

static void dates_of_http(void **state)
{
    static const char *const good[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994"};
    static const char *const bad[] = {"",
                                      "1994-11-06T08:49:37Z",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 CET",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, 06 Nov 1894 08:49:37 GMT"};
    int64_t ms;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(clock_parse_http(str_of(good[i]), &ms));
        assert_int_equal(ms, 784111777000);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(clock_parse_http(str_of(bad[i]), &ms), ERR_SYNTAX);
}

static void a_stored_time_is_turned_once_and_a_step_does_not_move_it(void **state)
{
    const int64_t now = 1731681120000, hour = 3600000;
    clock_fake(now);
    clock_advance(5000);
    int64_t due = clock_mono_of(now + 30000);
    assert_int_equal(due, 30000);
    clock_step(hour);
    assert_int_equal(clock_mono_ms(), 5000);
    assert_int_equal(clock_wall_ms(), now + hour + 5000);
    assert_int_equal(clock_wall_of(due), now + hour + 30000); /* as people's clocks show it */
    assert_int_equal(clock_moved_ms(), hour);
    clock_step(-2 * hour);
    assert_int_equal(clock_moved_ms(), -hour);
    assert_int_equal(clock_wall_of(clock_mono_of(now)), now);
    clock_real();
}

static void none_stays_none(void **state)
{
    clock_fake(1000);
    assert_int_equal(clock_mono_of(0), 0);
    assert_int_equal(clock_wall_of(0), 0);
    assert_int_equal(clock_mono_of(1000), 1); /* the moment that mono time calls 0 */
    clock_advance(10);
    assert_int_equal(clock_mono_of(1), -999); /* long before there was a mono time */
    clock_real();
    int64_t moved = clock_moved_ms();
    assert_true(moved > -1000 && moved < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_time_is_turned_once_and_a_step_does_not_move_it),
        cmocka_unit_test(none_stays_none),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(fractions_and_leap_days_and_seconds),
        cmocka_unit_test(an_offset_is_taken_off),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(dates_of_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
