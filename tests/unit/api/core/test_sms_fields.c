/* Providers' names for what a message is made of: the common ones, the operator's, paths in JSON.
 */
#include "check.h"
#include "api/core/sms_fields.h"

static struct sms_fields fields;

static void configured(const char *text)
{
    const char *why;
    if (sms_fields_parse(str_of(text), &fields, &why) != OK)
        fail_msg("%s: %s", text, why);
}

static struct str of_form(enum sms_field f, const char *body)
{
    static char copy[256];
    struct form form;
    assert_ok(form_parse(str_of(body), &form));
    struct str v = sms_value_of_form(str_of(fields.names[f]), &form);
    assert_true(v.n < sizeof copy);
    if (v.p) {
        memcpy(copy, v.p, v.n);
        v.p = copy;
    }
    form_fini(&form);
    return v;
}

static void common_names_are_known(void **state)
{
    configured("");
    assert_str(of_form(SMS_FIELD_FROM, "From=%2B1&Body=x"), "+1");
    assert_str(of_form(SMS_FIELD_FROM, "msisdn=44"), "44");
    assert_str(of_form(SMS_FIELD_TO, "recipient=2&To=1"), "1"); /* in the order of the names */
    assert_str(of_form(SMS_FIELD_TEXT, "message=m&Body="), "");
    assert_str(of_form(SMS_FIELD_MESSAGE_ID, "MessageSid=SM1&id=2"), "SM1");
    assert_null(of_form(SMS_FIELD_FROM, "FROM=1&fro=2").p);
}

static void the_operator_names_them(void **state)
{
    const char *why;
    configured(" from = caller | who ,to=in,, ");
    assert_str(of_form(SMS_FIELD_FROM, "from=1&who=2&caller=3"), "3");
    assert_str(of_form(SMS_FIELD_FROM, "from=1&who=2"), "2");
    assert_str(of_form(SMS_FIELD_TO, "to=1&in=2"), "2");
    assert_str(of_form(SMS_FIELD_TEXT, "Body=b"), "b");
    static const char *const bad[] = {"from", "from=", "sender=x", "from=a,b", "from=a,to= "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_err(sms_fields_parse(str_of(bad[i]), &fields, &why), ERR_INVALID);
        assert_true(why[0] != '\0');
    }
}

static void json_has_paths_and_numbers(void **state)
{
    static const char text[] = "{\"from\":447911123456,\"to\":[{\"n\":\"+1\"},{\"n\":\"+2\"}],"
                               "\"data\":{\"payload\":{\"text\":\"hi\"}},\"id\":-7,\"body\":null}";
    char mem[32];
    struct json *doc;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    configured("to=to.1.n, text=data.payload.text|body");
    assert_str(sms_value_of_json(str_of(fields.names[SMS_FIELD_FROM]), doc, 0, mem),
               "447911123456");
    assert_str(sms_value_of_json(str_of(fields.names[SMS_FIELD_TO]), doc, 0, mem), "+2");
    assert_str(sms_value_of_json(str_of(fields.names[SMS_FIELD_TEXT]), doc, 0, mem), "hi");
    assert_str(sms_value_of_json(str_of(fields.names[SMS_FIELD_MESSAGE_ID]), doc, 0, mem), "-7");
    static const char *const none[] = {"to=to",           "to=to.2.n", "to=to.n",
                                       "to=to.1.n.x",     "to=to..n",  "to=to.-1.n",
                                       "to=data.payload", "to=body",   "to=.to.1.n"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        configured(none[i]);
        struct str v = sms_value_of_json(str_of(fields.names[SMS_FIELD_TO]), doc, 0, mem);
        if (v.p)
            fail_msg("%s found \"%.*s\"", none[i], STR_FMT(v));
    }
    json_free(doc);
}

static void a_star_is_the_items_place(void **state)
{
    static const char text[] = "{\"a\":[{\"f\":\"1\"},{\"f\":\"2\"}],\"b\":{\"f\":true}}";
    char mem[32];
    struct json *doc;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    configured("from=x.*.f|a.*.f");
    assert_ptr_equal(sms_items_of_json(&fields, doc), json_get(doc, "a"));
    assert_str(sms_value_of_json(STR("a.*.f"), doc, 1, mem), "2");
    assert_null(sms_value_of_json(STR("a.*.f"), doc, 2, mem).p);
    assert_null(sms_value_of_json(STR("b.*"), doc, 0, mem).p);
    assert_str(sms_value_of_json(STR("b.f"), doc, 0, mem), "true");
    configured("from=b.*.f");
    assert_null(sms_items_of_json(&fields, doc));
    configured("");
    assert_null(sms_items_of_json(&fields, doc));
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(common_names_are_known),
        cmocka_unit_test(the_operator_names_them),
        cmocka_unit_test(json_has_paths_and_numbers),
        cmocka_unit_test(a_star_is_the_items_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
