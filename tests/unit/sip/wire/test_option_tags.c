/* Which extensions pass from one leg to the other. */
#include "check.h"
#include "sip/wire/option_tags.h"

static const char *supported(const char *value)
{
    static char text[600];
    struct buf b;
    buf_wrap(&b, text, sizeof text - 1);
    option_tags_put(&b, SIP_H_SUPPORTED, str_of(value));
    assert_ok(b.err);
    text[b.n] = '\0';
    return text;
}

static void only_what_comes_across_is_promised(void **state)
{
    assert_string_equal(supported("replaces, 100rel,timer , from-change"),
                        "Supported: 100rel, timer\r\n");
    assert_string_equal(supported("TIMER"), "Supported: TIMER\r\n");
    assert_string_equal(supported("replaces, outbound, path, gruu, tdialog, join"), "");
    assert_string_equal(supported(""), "");
    assert_string_equal(supported(", ,"), "");
}

static void a_list_without_end_is_cut_between_tags(void **state)
{
    char many[6000] = "";
    for (size_t i = 0; i < 600; i++)
        strcat(many, "timer, ");
    const char *got = supported(many);
    assert_true(strlen(got) < 300);
    assert_string_equal(got + strlen(got) - 7, "timer\r\n");
}

static void a_tag_is_compared_whole(void **state)
{
    assert_true(option_tag_passes(STR("100REL")));
    assert_false(option_tag_passes(STR("100rel2")));
    assert_false(option_tag_passes(STR("")));
    assert_false(option_tag_passes(STR("replaces")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_comes_across_is_promised),
        cmocka_unit_test(a_list_without_end_is_cut_between_tags),
        cmocka_unit_test(a_tag_is_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
