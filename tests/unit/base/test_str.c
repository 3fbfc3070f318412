#include "check.h"

static void cuts_and_trims(void **state)
{
    struct str a, b;
    assert_true(str_cut(STR("key=value=x"), '=', &a, &b));
    assert_str(a, "key");
    assert_str(b, "value=x");
    assert_false(str_cut(STR("key"), '=', &a, &b));
    assert_str(a, "key");
    assert_int_equal(b.n, 0);
    assert_str(str_trim(STR(" \t x y \r\n")), "x y");
    assert_str(str_slice(STR("abc"), 1, 99), "bc");
    assert_int_equal(str_from(STR("abc"), 4).n, 0);
}

static void compares(void **state)
{
    assert_true(str_eq_nocase(STR("Via"), STR("vIA")));
    assert_false(str_eq(STR("Via"), STR("via")));
    assert_true(str_starts_nocase(STR("Content-Length"), STR("content-")));
    assert_true(str_cmp(STR("ab"), STR("abc")) < 0);
}

static void numbers_are_strict(void **state)
{
    uint64_t v;
    assert_ok(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v));
    assert_true(v == UINT64_MAX);
    assert_err(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &v), ERR_TOO_BIG);
    assert_err(str_to_u64(STR("11"), 10, &v), ERR_TOO_BIG);
    assert_err(str_to_u64(STR(""), 10, &v), ERR_SYNTAX);
    assert_err(str_to_u64(STR("-1"), 10, &v), ERR_SYNTAX);
    assert_err(str_to_u64(STR(" 1"), 10, &v), ERR_SYNTAX);
}

static void utf8_is_checked(void **state)
{
    assert_true(str_is_utf8(STR("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80")));
    assert_false(str_is_utf8(STR("\xc0\xaf")));         /* overlong */
    assert_false(str_is_utf8(STR("\xed\xa0\x80")));     /* a surrogate */
    assert_false(str_is_utf8(STR("\xf4\x90\x80\x80"))); /* past U+10FFFF */
    assert_false(str_is_utf8(STR("\xe2\x82")));         /* cut off */
}

static void copies_what_fits(void **state)
{
    char out[4] = "xyz";
    assert_ok(str_copy(STR("abc"), out, sizeof out));
    assert_string_equal(out, "abc");
    assert_err(str_copy(STR("abcd"), out, sizeof out), ERR_TOO_BIG);
    assert_string_equal(out, "");
}

static void a_slice_ends_with_a_whole_character(void **state)
{
    struct str s = STR("a\xc3\xa4\xf0\x9f\x98\x80z");
    static const size_t n[] = {0, 1, 1, 3, 3, 3, 3, 7, 8, 8};
    for (size_t max = 0; max < sizeof n / sizeof *n; max++)
        assert_int_equal(str_slice_utf8(s, max).n, n[max]);
    assert_int_equal(str_slice_utf8(STR("\x80\x80\x80\x80\x80\x80"), 5).n, 5); /* no UTF-8 */
    assert_int_equal(str_slice_utf8(STR("\xff\x80\x80"), 2).n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_and_trims),
        cmocka_unit_test(compares),
        cmocka_unit_test(numbers_are_strict),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(a_slice_ends_with_a_whole_character),
        cmocka_unit_test(copies_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
