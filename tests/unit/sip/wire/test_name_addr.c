/* Values of From, To, Contact and their like. */
#include "check.h"
#include "sip/wire/uri.h"

static void name_addrs(void **state)
{
    struct name_addr n;
    assert_ok(name_addr_parse(STR("\"Lee, \\\"Ann\\\"\" <sip:a@b;x=1>;tag=7;q=0.5"), &n));
    assert_str(n.display, "Lee, \\\"Ann\\\"");
    assert_str(n.uri_text, "sip:a@b;x=1");
    assert_str(n.tag, "7");
    assert_ok(name_addr_parse(STR("sip:a@b;tag=8"), &n));
    assert_str(n.uri_text, "sip:a@b");
    assert_str(n.tag, "8");
    assert_err(name_addr_parse(STR("\"open <sip:a@b>"), &n), ERR_SYNTAX);
    assert_err(name_addr_parse(STR("Bell, A <sip:a@b>"), &n), ERR_SYNTAX);
    assert_err(name_addr_parse(STR("<sip:a@b"), &n), ERR_SYNTAX);
}

static void display_names_are_text(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    display_print(STR("A\\\"b \xff\x01z"), &b);
    assert_str(buf_str(&b), "A\"b \xef\xbf\xbdz");
    buf_reset(&b);
    display_print(STR("\tZoe \t  Berg\\ x "), &b); /* white space is one blank (§7.3.1) */
    assert_str(buf_str(&b), "Zoe Berg x");
    buf_fini(&b);
}

static void a_name_may_be_missing_or_bare(void **state)
{
    static const struct {
        const char *text, *display, *uri, *params;
    } t[] = {
        {"<sip:a@b>", "", "sip:a@b", ""},
        {"Ann Lee <sip:a@b>;x=y", "Ann Lee", "sip:a@b", "x=y"},
        {"\"\" <sip:a@b>", "", "sip:a@b", ""},
        {"\"Ann\"<sip:a@b;tag=uri>", "Ann", "sip:a@b;tag=uri", ""},
        {"\"a <x> ; , \" <sip:a@b>", "a <x> ; , ", "sip:a@b", ""},
        {"  sip:a@b ; x=y", "", "sip:a@b", " x=y"},
        {"<sip:a@b?Subject=x> ;x=y", "", "sip:a@b?Subject=x", "x=y"},
        {"<tel:+12025550100>", "", "tel:+12025550100", ""},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct name_addr n;
        assert_ok(name_addr_parse(str_of(t[i].text), &n));
        assert_str(n.display, t[i].display);
        assert_str(n.uri_text, t[i].uri);
        assert_str(n.params, t[i].params);
        assert_null(n.tag.p); /* a tag within <> is the URI's */
    }
}

static void what_is_no_value(void **state)
{
    static const char *const bad[] = {
        "",
        "Ann",
        "\"Ann\" sip:a@b",
        "\"Ann\" x <sip:a@b>",
        "A;B <sip:a@b>",
        "A\"B <sip:a@b>",
        "A>B <sip:a@b>",
        "<sip:a@b> x",
        "sip:a@b?Subject=x",
        "sip:a@b,c",
        "<sip:>",
        "<sip:a@b>;tag",
        "<sip:a@b>;tag=",
        "<sip:a@b>;tag=\"q\\\"\"",
        "<sip:a@b>;tag=a b",
        "<sip:a@b>;=x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct name_addr n;
        if (name_addr_parse(str_of(bad[i]), &n) != ERR_SYNTAX)
            fail_msg("%s", bad[i]);
    }
}

static void the_first_tag_counts(void **state)
{
    struct name_addr n;
    assert_ok(name_addr_parse(STR("<sip:a@b>;TAG=one;tag=two;"), &n));
    assert_str(n.tag, "one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(name_addrs),
        cmocka_unit_test(a_name_may_be_missing_or_bare),
        cmocka_unit_test(what_is_no_value),
        cmocka_unit_test(the_first_tag_counts),
        cmocka_unit_test(display_names_are_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
