/* A setting's mark comes from its document: one number of an endpoint, a number's country, a key's
 * user. */
#include "model/setting_mark.h"

#include "check.h"
#include "model/settings.h"

static const char *mark_of(enum setting_kind kind, const char *doc)
{
    static char mark[MARK_SIZE];
    mark[0] = 'x';
    assert_ok(setting_mark_of_text(kind, str_of(doc), mark));
    return mark;
}

static void an_endpoint_is_marked_by_its_only_number(void **state)
{
    enum setting_kind k = SETTING_ENDPOINT;
    assert_string_equal(mark_of(k, "{\"numbers\":[\"+447911123456\"]}"), "+447911123456");
    assert_string_equal(mark_of(k, "{\"numbers\":[\"+447911123456\",\"+447911123457\"]}"), "");
    assert_string_equal(mark_of(k, "{\"numbers\":[]}"), "");
    assert_string_equal(mark_of(k, "{\"numbers\":\"*\"}"), "");
    assert_string_equal(mark_of(k, "{\"numbers\":[17]}"), "");
    assert_string_equal(mark_of(k, "{}"), "");
    /* the text alone does not make it */
    assert_string_equal(
        mark_of(k, "{\"headers\":{\"X\":\"\\\"numbers\\\":[\\\"+447911123456\\\"]\"}}"), "");
}

static void numbers_and_keys_have_marks(void **state)
{
    assert_string_equal(mark_of(SETTING_NUMBER, "{\"country\":\"GB\"}"), "GB");
    assert_string_equal(mark_of(SETTING_NUMBER, "{\"label\":\"GB\"}"), "");
    assert_string_equal(mark_of(SETTING_KEY, "{\"user\":42}"), "42");
    assert_string_equal(mark_of(SETTING_KEY, "{\"user\":0}"), "");
    assert_string_equal(mark_of(SETTING_KEY, "{\"user\":\"42\"}"), "");
    assert_string_equal(mark_of(SETTING_KEY, "{\"user\":9223372036854775807}"),
                        "9223372036854775807");
}

static void other_kinds_have_none(void **state)
{
    for (int k = 0; k < SETTING_KIND_COUNT; k++)
        if (k != SETTING_ENDPOINT && k != SETTING_NUMBER && k != SETTING_KEY)
            assert_string_equal(
                mark_of((enum setting_kind)k,
                        "{\"numbers\":[\"+447911123456\"],\"country\":\"GB\",\"user\":1}"),
                "");
}

/* Rows changed by hand do not keep the store from opening. */
static void no_document_has_no_mark(void **state)
{
    assert_string_equal(mark_of(SETTING_ENDPOINT, "{\"numbers\":["), "");
    assert_string_equal(mark_of(SETTING_ENDPOINT, ""), "");
    assert_string_equal(mark_of(SETTING_NUMBER, "[]"), "");
    assert_string_equal(
        mark_of(SETTING_NUMBER, "{\"country\":\"a text of more than a mark's bytes\"}"), "");
}

/* Whatever the model prints is what the mark is found in. */
static void printed_documents_have_their_marks(void **state)
{
    struct buf b;
    static const char number[1][NUMBER_SIZE] = {"+447911123456"};
    static const struct forward nothing;
    const struct endpoint e = {.url = "https://example.com/",
                               .fallback_url = "",
                               .numbers = number,
                               .n_numbers = 1,
                               .secret = {"", ""},
                               .disabled_why = ""};
    const struct did d = {.e164 = "+447911123456",
                          .country = "GB",
                          .label = "",
                          .type = "",
                          .monthly_cost = "",
                          .setup_fee = "",
                          .forward = &nothing};
    const struct api_key key = {.name = "k", .user = 7};
    buf_init(&b, 4096);
    endpoint_print(&e, &b);
    buf_putc(&b, '\0');
    assert_string_equal(mark_of(SETTING_ENDPOINT, b.p), "+447911123456");
    buf_reset(&b);
    did_print(&d, &b);
    buf_putc(&b, '\0');
    assert_string_equal(mark_of(SETTING_NUMBER, b.p), "GB");
    buf_reset(&b);
    api_key_print(&key, &b);
    buf_putc(&b, '\0');
    assert_string_equal(mark_of(SETTING_KEY, b.p), "7");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_marked_by_its_only_number),
        cmocka_unit_test(numbers_and_keys_have_marks),
        cmocka_unit_test(other_kinds_have_none),
        cmocka_unit_test(no_document_has_no_mark),
        cmocka_unit_test(printed_documents_have_their_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
