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

static void forwards(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"[{\"type\":\"fax\",\"destination\":\"x\"}]", "targets[0].type"},
        {"[{\"type\":\"sip\"}]", "targets[0].destination"},
        {"[{\"type\":\"sip\",\"destination\":\"sip:a@b\",\"when\":\"later\"}]", "targets[0].when"},
        {"[{\"type\":\"sip\",\"destination\":\"sip:a@b\",\"headers\":{\"Via\":\"x\"}}]",
         "targets[0].headers"},
        {"[{\"type\":\"sip\",\"destination\":\"sip:a@b\",\"ring_timeout_s\":0.5}]",
         "targets[0].ring_timeout_s"},
    };
    struct json *doc;
    struct forward *fwd;
    char field[64];
    const char *why;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_ok(json_parse(str_of(bad[i].text), &doc, NULL, 0));
        assert_err(forward_parse(doc, &fwd, field, &why), ERR_INVALID);
        assert_string_equal(field, bad[i].field);
        json_free(doc);
    }
    assert_ok(json_parse(STR("[{\"type\":\"sip\",\"destination\":\"sip:a@b\",\"when\":\"busy\"}]"),
                         &doc, NULL, 0));
    assert_ok(forward_parse(doc, &fwd, field, &why));
    json_free(doc);
    assert_int_equal(fwd->n, 1);
    assert_int_equal(fwd->target[0].when, WHEN_BUSY);
    assert_str(fwd->target[0].destination, "sip:a@b");
    forward_free(fwd);
}

static struct did *did_of(const char *text)
{
    struct json *doc;
    struct did *d;
    struct field_error f;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    assert_ok(did_parse(doc, &d, &f));
    json_free(doc);
    return d;
}

/* The operator gave it for calls alone; its account set all it may. */
static void a_number_that_leaves_is_as_the_operator_gave_it(void **state)
{
    struct did left;
    struct buf b;
    buf_init(&b, 10000);
    struct did *d = did_of("{\"number\":\"+447911123456\",\"label\":\"mine\",\"voice\":false,"
                           "\"sms\":true,\"given_voice\":true,\"given_sms\":false,"
                           "\"country\":\"GB\",\"type\":\"mobile\",\"monthly_cost\":\"4.50\","
                           "\"setup_fee\":\"1.00\",\"forward\":{\"targets\":[{\"type\":\"sip\","
                           "\"destination\":\"sip:a@example.com\"}]}}");
    assert_int_equal(d->forward->n, 1);
    did_leave(d, &left);
    did_print(&left, &b);
    buf_putc(&b, '\0');
    struct did *again = did_of(b.p);
    assert_string_equal(again->label, "");
    assert_int_equal(again->forward->n, 0);
    assert_true(again->voice && again->given_voice && !again->sms && !again->given_sms);
    assert_string_equal(again->country, "GB");
    assert_string_equal(again->type, "mobile");
    assert_string_equal(again->monthly_cost, "4.50");
    assert_string_equal(again->setup_fee, "1.00");
    did_free(d);
    did_free(again);
    d = did_of("{\"number\":\"+447911123456\",\"sms\":false}"); /* of before that was kept */
    assert_true(d->given_voice && !d->given_sms);
    did_free(d);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_survives_print_and_parse),
        cmocka_unit_test(faults_name_the_field_and_what_is_allowed),
        cmocka_unit_test(forwards),
        cmocka_unit_test(a_number_that_leaves_is_as_the_operator_gave_it),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
