/* Requests for simulated calls and messages. */
#include "check.h"
#include "model/simulation.h"

static enum err simulation_read(const char *text, struct simulation **ret,
                                struct field_error *fault)
{
    struct json *doc;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    enum err err = simulation_parse(doc, ret, fault);
    json_free(doc);
    return err;
}

static struct simulation *simulation_of(const char *text)
{
    struct simulation *s = NULL;
    struct field_error fault;
    assert_ok(simulation_read(text, &s, &fault));
    return s;
}

static void a_number_is_enough(void **state)
{
    struct simulation *s = simulation_of("{\"kind\":\"call\",\"number\":\"+447911123456\"}");
    assert_false(s->sms);
    assert_string_equal(s->from, "+19175550100");
    assert_int_equal(s->outcome, END_COMPLETED);
    assert_int_equal(s->ring_sec, 3);
    assert_int_equal(s->duration_sec, 10);
    simulation_free(s);
    s = simulation_of("{\"kind\":\"sms\",\"number\":\"+447911123456\"}");
    assert_true(s->sms);
    assert_non_null(strstr(s->message, "Hello"));
    simulation_free(s);
}

/* The names that events have for the same things. */
static void the_names_of_events_are_taken_too(void **state)
{
    struct simulation *s =
        simulation_of("{\"kind\":\"call\",\"did_number\":\"+447911123456\","
                      "\"caller_id\":\"anonymous\",\"outcome\":\"busy\",\"caller_name\":\"A\"}");
    assert_string_equal(s->number, "+447911123456");
    assert_string_equal(s->from, "anonymous");
    assert_int_equal(s->outcome, END_BUSY);
    assert_int_equal(s->duration_sec, 0);
    simulation_free(s);
    s = simulation_of("{\"kind\":\"sms\",\"to\":\"+447911123456\",\"from\":\"BANK\","
                      "\"text\":\"x\"}");
    assert_string_equal(s->number, "+447911123456");
    assert_string_equal(s->from, "BANK");
    assert_string_equal(s->message, "x");
    simulation_free(s);
}

static void what_cannot_happen_is_refused(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"{\"number\":\"+447911123456\"}", "kind"},
        {"{\"kind\":\"fax\",\"number\":\"+447911123456\"}", "kind"},
        {"{\"kind\":\"call\"}", "number"},
        {"{\"kind\":\"call\",\"did_number\":\"0791\"}", "did_number"},
        {"{\"kind\":\"call\",\"number\":\"+447911123456\",\"from\":\"BANK\"}", "from"},
        {"{\"kind\":\"sms\",\"number\":\"+447911123456\",\"from\":\"\"}", "from"},
        {"{\"kind\":\"call\",\"number\":\"+447911123456\",\"outcome\":\"maybe\"}", "outcome"},
        {"{\"kind\":\"call\",\"number\":\"+447911123456\",\"outcome\":\"busy\","
         "\"duration_sec\":1}",
         "duration_sec"},
        {"{\"kind\":\"call\",\"number\":\"+447911123456\",\"ring_sec\":601}", "ring_sec"},
        {"{\"kind\":\"sms\",\"number\":\"+447911123456\",\"ring_sec\":1}", "ring_sec"},
        {"{\"kind\":\"sms\",\"number\":\"+447911123456\",\"message\":7}", "message"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct simulation *s;
        struct field_error fault;
        assert_err(simulation_read(bad[i].text, &s, &fault), ERR_INVALID);
        assert_string_equal(fault.field, bad[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_enough),
        cmocka_unit_test(the_names_of_events_are_taken_too),
        cmocka_unit_test(what_cannot_happen_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
