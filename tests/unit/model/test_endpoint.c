/* An endpoint's settings. */
#include "check.h"
#include "base/crypto.h"
#include "model/settings.h"

static enum err endpoint_of(const char *text, struct endpoint **ret, struct field_error *f)
{
    struct json *doc;
    *f = (struct field_error){0};
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    enum err err = endpoint_parse(doc, ret, f);
    json_free(doc);
    return err;
}

static void an_endpoint_survives_print_and_parse(void **state)
{
    struct endpoint *e, *again;
    struct field_error f;
    struct buf b;
    buf_init(&b, 100000);
    assert_ok(endpoint_of(
        "{\"url\":\"https://example.com/h\",\"format\":\"form\",\"events\":[\"call_ended\"],"
        "\"numbers\":[\"+447911123456\"],\"headers\":{\"X-Key\":\"v\"},\"timeout_ms\":2000,"
        "\"retry\":{\"schedule_s\":[1,2],\"give_up_after_s\":10}}",
        &e, &f));
    assert_int_equal(e->events, EVENT_BIT(EVENT_CALL_ENDED));
    assert_int_equal(e->n_numbers, 1);
    endpoint_print(e, &b);
    buf_putc(&b, '\0');
    assert_ok(endpoint_of(b.p, &again, &f));
    assert_string_equal(again->url, e->url);
    assert_int_equal(again->format, BODY_FORM);
    assert_int_equal(again->retry->n, 2);
    assert_string_equal(again->header[0][1], "v");
    endpoint_free(e);
    endpoint_free(again);
    buf_fini(&b);
}

static void faults_name_the_field_and_what_is_allowed(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"{}", "url"},
        {"{\"url\":5}", "url"},
        {"{\"url\":\"http://x/\",\"format\":\"xml\"}", "format"},
        {"{\"url\":\"http://x/\",\"colour\":\"red\"}", "colour"},
        {"{\"url\":\"http://x/\",\"events\":[\"nothing\"]}", "events"},
        {"{\"url\":\"http://x/\",\"numbers\":[\"0791\"]}", "numbers"},
        {"{\"url\":\"http://x/\",\"timeout_ms\":99}", "timeout_ms"},
        {"{\"url\":\"http://x/\",\"headers\":{\"Host\":\"y\"}}", "headers.Host"},
        {"{\"url\":\"http://x/\",\"headers\":{\"A\":\"x\\r\\nB: y\"}}", "headers.A"},
        {"{\"url\":\"http://x/\",\"secret\":\"abc\"}", "secret"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct endpoint *e;
        struct field_error f;
        assert_err(endpoint_of(bad[i].text, &e, &f), ERR_INVALID);
        assert_string_equal(f.field, bad[i].field);
        assert_true(f.why[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_survives_print_and_parse),
        cmocka_unit_test(faults_name_the_field_and_what_is_allowed),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
