/* A number's targets. */
#include "check.h"
#include "base/json.h"
#include "model/forward.h"

static struct forward *forward_of(const char *text)
{
    struct json *doc;
    struct forward *f;
    char field[64];
    const char *why;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    assert_ok(forward_parse(doc, &f, field, &why));
    json_free(doc);
    return f;
}

static void a_wrong_target_is_named_with_its_place(void **state)
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
}

static void all_members_are_kept_when_the_document_is_gone(void **state)
{
    static const char text[] =
        "[{\"type\":\"sip\",\"destination\":\"sip:a@b\",\"ring_timeout_s\":600,"
        "\"when\":\"busy\",\"headers\":{\"X-One\":\"1\",\"User-to-User\":\"2\"}},"
        "{\"type\":\"pstn\",\"destination\":\"+447911123456\"}]";
    struct forward *f = forward_of(text);
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(f->n, 2);
    assert_int_equal(f->target[0].when, WHEN_BUSY);
    assert_int_equal(f->target[0].n_headers, 2);
    assert_str(f->target[0].header[1][0], "User-to-User");
    assert_int_equal(f->target[1].ring_timeout_s, 0);
    forward_print(f, &b);
    assert_str(buf_str(&b), text);
    forward_free(f);
    buf_fini(&b);
}

static void each_type_has_its_own_destination(void **state)
{
    static const struct {
        const char *type, *destination;
        bool fits;
    } cases[] = {
        {"sip", "sip:a@b", true},
        {"sip", "sips:b:5061", true},
        {"sip", "tel:+1", false},
        {"sip", "sip:a b@c", false},
        {"sip", "", false},
        {"pstn", "+447911123456", true},
        {"pstn", "447911123456", false},
        {"access_number", "+447911123456", true},
        {"access_number", "sip:a@b", false},
        {"extension", "alice.1", true},
        {"extension", "alice 1", false},
        {"direct_ip", "192.0.2.1:5060", true},
        {"direct_ip", "[2001:db8::1]:5060", true},
        {"direct_ip", "sip:192.0.2.1", false},
        {"direct_ip", ":5060", false},
        {"direct_ip", "pbx.example:0", false},
        {"direct_ip", "pbx.example:65536", false},
        {"direct_ip", "pbx.example:", false},
        {"direct_ip", "2001:db8::1", true},
        {"direct_ip", "[2001:db8::1", false},
        {"direct_ip", "[pbx.example]", false},
        {"sip", "sip:a@b:99999", false},
        {"sip", "sip:a@[2001:db8::1]:5060;transport=tcp", true},
        {"webhook", "https://example.com/a?b=c", true},
        {"webhook", "ftp://example.com/", false},
        {"webhook", "https://example.com/a b", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], field[64];
        struct json *doc;
        struct forward *f = NULL;
        const char *why;
        snprintf(text, sizeof text, "[{\"type\":\"%s\",\"destination\":\"%s\"}]", cases[i].type,
                 cases[i].destination);
        assert_ok(json_parse(str_of(text), &doc, NULL, 0));
        enum err err = forward_parse(doc, &f, field, &why);
        if ((err == OK) != cases[i].fits)
            fail_msg("%s: %s", text, err_name(err));
        if (err == OK)
            forward_free(f);
        else
            assert_string_equal(field, "targets[0].destination");
        json_free(doc);
    }
}

static void there_are_at_most_sixteen(void **state)
{
    char text[2048] = "[", field[64];
    struct json *doc;
    struct forward *f;
    const char *why;
    for (int i = 0; i <= TARGETS_MAX; i++) {
        strcat(text, i ? "," : "");
        strcat(text, "{\"type\":\"sip\",\"destination\":\"sip:a@b\"}");
    }
    strcat(text, "]");
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    assert_err(forward_parse(doc, &f, field, &why), ERR_INVALID);
    assert_string_equal(field, "targets");
    json_free(doc);
    f = forward_of("[]");
    assert_int_equal(f->n, 0);
    forward_free(f);
    assert_err(forward_parse(NULL, &f, field, &why), ERR_INVALID);
}

static void a_password_in_a_uri_is_seen(void **state)
{
    struct forward *f = forward_of("[{\"type\":\"sip\",\"destination\":\"sip:a:secret@b\"},"
                                   "{\"type\":\"sip\",\"destination\":\"sip:a@b:5060\"}]");
    assert_true(target_has_password(&f->target[0]));
    assert_false(target_has_password(&f->target[1]));
    forward_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_target_is_named_with_its_place),
        cmocka_unit_test(all_members_are_kept_when_the_document_is_gone),
        cmocka_unit_test(each_type_has_its_own_destination),
        cmocka_unit_test(there_are_at_most_sixteen),
        cmocka_unit_test(a_password_in_a_uri_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
