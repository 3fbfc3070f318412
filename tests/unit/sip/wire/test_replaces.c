/* Replaces: the name of a dialog, read and written (RFC 3891). */
#include "check.h"
#include "sip/wire/replaces.h"

static void a_name_has_three_parts(void **state)
{
    struct replaces r;
    assert_ok(replaces_parse(STR(" a@b ;from-tag=f;early-only; TO-TAG = t"), &r));
    assert_true(str_eq(r.call_id, STR("a@b")));
    assert_true(str_eq(r.to_tag, STR("t")));
    assert_true(str_eq(r.from_tag, STR("f")));
    static const char *const bad[] = {"",
                                      "a@b",
                                      "a@b;to-tag=t",
                                      "a@b;from-tag=f",
                                      ";to-tag=t;from-tag=f",
                                      "a@b;to-tag=;from-tag=f",
                                      "a@b;to-tag;from-tag"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(replaces_parse(str_of(bad[i]), &r), ERR_SYNTAX);
}

static void it_is_found_among_the_headers_of_a_uri(void **state)
{
    assert_true(str_eq(replaces_of_uri(STR("Subject=x&replaces=a%40b&z=1")), STR("a%40b")));
    assert_null(replaces_of_uri(STR("Subject=Replaces&x")).p);
    assert_null(replaces_of_uri(STR("")).p);
}

static void it_is_written_as_a_uri_holds_it(void **state)
{
    char text[200];
    struct buf b;
    const struct replaces r = {STR("12@[::1]:5060"), STR("a=b;c"), STR("\xC3\xA9 %")};
    buf_wrap(&b, text, sizeof text);
    replaces_put_escaped(&b, &r);
    assert_ok(b.err);
    assert_true(
        str_eq(buf_str(&b), STR("12%40[::1]:5060%3Bto-tag%3Da%3Db%3Bc%3Bfrom-tag%3D%C3%A9%20%25")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_three_parts),
        cmocka_unit_test(it_is_found_among_the_headers_of_a_uri),
        cmocka_unit_test(it_is_written_as_a_uri_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
