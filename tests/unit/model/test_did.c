/* A number's settings. */
#include "document.h"

DOCUMENT(did)

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

static void a_number_alone_has_both_services(void **state)
{
    did_prints("{\"number\":\"+447911123456\"}",
               "{\"number\":\"+447911123456\",\"label\":\"\",\"voice\":true,\"sms\":true,"
               "\"given_voice\":true,\"given_sms\":true,\"forward\":{\"targets\":[]}}");
    did_refuses("{}", "number", "needed");
    did_refuses("{\"number\":\"07911123456\"}", "number", "E.164");
    did_refuses("{\"number\":\"+447911123456\",\"voice\":\"yes\"}", "voice", "true or false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_that_leaves_is_as_the_operator_gave_it),
        cmocka_unit_test(a_number_alone_has_both_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
