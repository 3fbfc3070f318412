/* Lines and headers of bytes that need not be a whole message. */
#include "check.h"
#include "sip/wire/lines.h"

static void lines_keep_their_ends(void **state)
{
    struct str rest = STR("one\r\n\ntwo\nlast");
    assert_str(line_take(&rest), "one\r\n");
    assert_str(line_take(&rest), "\n");
    assert_str(line_take(&rest), "two\n");
    assert_str(line_take(&rest), "last");
    assert_int_equal(rest.n, 0);
    assert_int_equal(line_take(&rest).n, 0);
}

static void blank_lines(void **state)
{
    static const char *const blank[] = {"\r\n", "\n", " \t\r\n", " "};
    static const char *const other[] = {"", "a\r\n", " a\r\n", "\xc2\xa0\r\n"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(line_is_blank(str_of(blank[i])));
        assert_false(line_is_blank(str_of(other[i])));
    }
}

static void a_header_goes_on_in_lines_that_begin_with_a_blank(void **state)
{
    struct str rest = STR("Subject: one\r\n two\r\n\tthree\r\nTo: x\r\n\r\n body\r\n");
    assert_str(header_take(&rest), "Subject: one\r\n two\r\n\tthree\r\n");
    assert_str(header_take(&rest), "To: x\r\n");
    assert_str(header_take(&rest), "\r\n"); /* alone, whatever the body begins with */
    assert_str(rest, " body\r\n");
}

static void a_header_may_be_cut_off(void **state)
{
    struct str rest = STR("To: x\r\n y");
    assert_str(header_take(&rest), "To: x\r\n y");
    assert_int_equal(rest.n, 0);
    assert_int_equal(header_take(&rest).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_keep_their_ends),
        cmocka_unit_test(blank_lines),
        cmocka_unit_test(a_header_goes_on_in_lines_that_begin_with_a_blank),
        cmocka_unit_test(a_header_may_be_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
