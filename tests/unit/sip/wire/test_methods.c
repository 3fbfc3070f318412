/* Which methods pass from one leg to the other, and are promised there. */
#include "check.h"
#include "sip/wire/methods.h"

static const char *allowed(const char *value)
{
    static char text[600];
    struct buf b;
    buf_wrap(&b, text, sizeof text - 1);
    methods_put_allow(&b, str_of(value));
    assert_ok(b.err);
    text[b.n] = '\0';
    return text;
}

static void only_what_comes_across_is_promised(void **state)
{
    assert_string_equal(allowed("SUBSCRIBE,INVITE , BYE, ACK, PUBLISH, REGISTER, CHAT"),
                        "Allow: INVITE, ACK, BYE\r\n");
    assert_string_equal(allowed("INVITE, INVITE, INVITE"), "Allow: INVITE\r\n");
    assert_string_equal(allowed("invite"), ""); /* a method's case matters (§7.1) */
    assert_string_equal(allowed("SUBSCRIBE"), "");
    assert_string_equal(allowed(""), "");
    assert_string_equal(allowed(", ,"), "");
}

static void a_list_without_end_says_no_more_than_a_short_one(void **state)
{
    static char many[12000];
    for (size_t i = 0; i < 300; i++)
        strcat(many, "CHAT, UPDATE, INFO, ");
    assert_string_equal(allowed(many), "Allow: UPDATE, INFO\r\n");
}

static void our_own_allow_names_each(void **state)
{
    char text[200];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    methods_put_all(&b);
    assert_str(buf_str(&b), "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, "
                            "NOTIFY, MESSAGE\r\n");
    assert_true(method_passes(SIP_REFER));
    assert_false(method_passes(SIP_SUBSCRIBE));
    assert_false(method_passes(SIP_METHOD_OTHER));
}

static void registrations_and_publications_have_no_dialog(void **state)
{
    for (int m = SIP_INVITE; m <= SIP_METHOD_OTHER; m++)
        assert_int_equal(method_is_of_dialogs((enum sip_method)m),
                         m != SIP_REGISTER && m != SIP_PUBLISH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_comes_across_is_promised),
        cmocka_unit_test(a_list_without_end_says_no_more_than_a_short_one),
        cmocka_unit_test(our_own_allow_names_each),
        cmocka_unit_test(registrations_and_publications_have_no_dialog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
