#include "check.h"
#include "base/form.h"

static void names_and_values_are_decoded(void **state)
{
    struct form f;
    assert_ok(form_parse(
        STR("token=a%2Bb&text=gr%C3%BC%C3%9f+%F0%9F%98%80%0a&&empty=&bare&x==1&x=2"), &f));
    assert_int_equal(f.n, 6);
    assert_str(form_get(&f, "token"), "a+b");
    assert_str(form_get(&f, "text"), "grüß 😀\n");
    assert_str(form_get(&f, "empty"), "");
    assert_non_null(form_get(&f, "empty").p);
    assert_non_null(form_get(&f, "bare").p);
    assert_str(form_get(&f, "x"), "=1"); /* the first */
    assert_null(form_get(&f, "absent").p);
    form_fini(&f);
    form_fini(&f);
}

static void the_body_may_go(void **state)
{
    struct form f;
    char body[] = "name=value";
    assert_ok(form_parse(str_of(body), &f));
    memset(body, 'x', sizeof body - 1);
    assert_str(form_get(&f, "name"), "value");
    form_fini(&f);
}

static void an_empty_body_has_no_pairs(void **state)
{
    struct form f;
    assert_ok(form_parse((struct str){0}, &f));
    assert_int_equal(f.n, 0);
    form_fini(&f);
    assert_ok(form_parse(STR("&&&"), &f));
    assert_int_equal(f.n, 0);
    form_fini(&f);
}

static void what_cannot_be_text_is_refused(void **state)
{
    static const struct str bad[] = {STR("a=%"),       STR("a=%4"),        STR("a=%zz"),
                                     STR("a=%00"),     STR("a=\0b"),       STR("%00=a"),
                                     STR("a=%ff"),     STR("a=\xff"),      STR("a=%c0%80"),
                                     STR("%ed%a0%80"), STR("a=b&c=%e2%82")};
    struct form f;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(form_parse(bad[i], &f), ERR_SYNTAX);
}

static void pairs_have_a_limit(void **state)
{
    struct form f;
    struct buf b;
    buf_init(&b, 4096);
    for (int i = 0; i < FORM_MAX; i++)
        buf_printf(&b, "n%d=%d&", i, i);
    assert_ok(form_parse(buf_str(&b), &f));
    assert_int_equal(f.n, FORM_MAX);
    assert_str(form_get(&f, "n63"), "63");
    form_fini(&f);
    buf_puts(&b, "more=1");
    assert_err(form_parse(buf_str(&b), &f), ERR_TOO_BIG);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_decoded),
        cmocka_unit_test(the_body_may_go),
        cmocka_unit_test(an_empty_body_has_no_pairs),
        cmocka_unit_test(what_cannot_be_text_is_refused),
        cmocka_unit_test(pairs_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
