/* A SIP account's document: what it may hold, and that digest can be computed from it. */
#include "check.h"
#include "base/crypto.h"
#include "model/settings.h"

static enum err parse(const char *text, struct extension **ret, struct field_error *f)
{
    struct json *doc;
    *f = (struct field_error){0};
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    enum err err = extension_parse(doc, ret, f);
    json_free(doc);
    return err;
}

static void an_extension_survives_print_and_parse(void **state)
{
    struct extension *e, *again;
    struct field_error f;
    struct buf b;
    buf_init(&b, 4096);
    assert_ok(parse("{\"username\":\"Desk-1\",\"password\":\"a\\\"b\\\\c{}~!\",\"label\":\"Büro\"}",
                    &e, &f));
    extension_print(e, &b);
    buf_putc(&b, '\0');
    assert_ok(parse(b.p, &again, &f));
    assert_string_equal(again->username, "Desk-1");
    assert_string_equal(again->password, "a\"b\\c{}~!");
    assert_string_equal(again->label, "Büro");
    extension_free(e);
    extension_free(again);
    extension_free(NULL);
    buf_fini(&b);
}

static void faults_name_the_field(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"{}", "username"},
        {"{\"username\":\"\"}", "username"},
        {"{\"username\":7}", "username"},
        {"{\"username\":\"a b\"}", "username"},
        {"{\"username\":\"a@b\"}", "username"},
        {"{\"username\":\"a%20b\"}", "username"},
        {"{\"username\":\"a;b\"}", "username"},
        {"{\"username\":\"\\u00e9\"}", "username"},
        {"{\"username\":\"<script>\"}", "username"},
        {"{\"username\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
         "username"},
        {"{\"username\":\"a\",\"password\":\"12345\"}", "password"},
        {"{\"username\":\"a\",\"password\":12345678}", "password"},
        {"{\"username\":\"a\",\"password\":\"\"}", "password"},
        {"{\"username\":\"a\",\"password\":\" blank at an end\"}", "password"},
        {"{\"username\":\"a\",\"password\":\"blank at an end \"}", "password"},
        {"{\"username\":\"a\",\"password\":\"with\\ttab\"}", "password"},
        {"{\"username\":\"a\",\"password\":\"\\u00fcmlaute\"}", "password"},
        {"{\"username\":\"frontdesk\",\"password\":\"FrontDesk\"}", "password"},
        {"{\"username\":\"a\",\"label\":\"two\\nlines\"}", "label"},
        {"{\"username\":\"a\",\"enabled\":true}", "enabled"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct extension *e;
        struct field_error f;
        assert_err(parse(bad[i].text, &e, &f), ERR_INVALID);
        assert_string_equal(f.field, bad[i].field);
        assert_true(f.why[0]);
    }
}

static void a_password_has_6_to_128_signs(void **state)
{
    char text[256], password[130];
    struct extension *e;
    struct field_error f;
    memset(password, 'x', sizeof password);
    for (size_t n = 1; n <= 129; n++) {
        snprintf(text, sizeof text, "{\"username\":\"a\",\"password\":\"%.*s\"}", (int)n, password);
        enum err err = parse(text, &e, &f), due = n >= 6 && n <= 128 ? OK : ERR_INVALID;
        assert_string_equal(err_name(err), err_name(due));
        if (err == OK)
            extension_free(e);
    }
}

static void a_name_is_found_in_any_case(void **state)
{
    char key[EXTENSION_NAME_MAX + 1];
    extension_key(STR("Front.Desk_1~+"), key);
    assert_string_equal(key, "front.desk_1~+");
    extension_key(STR("no name"), key);
    assert_string_equal(key, "");
}

static void passwords_made_here_are_taken_here(void **state)
{
    char one[EXTENSION_PASSWORD_MAX + 1], other[sizeof one], text[256];
    struct extension *e;
    struct field_error f;
    assert_ok(crypto_start());
    extension_password_new(one);
    extension_password_new(other);
    assert_int_equal(strlen(one), 20);
    assert_string_not_equal(one, other);
    snprintf(text, sizeof text, "{\"username\":\"a\",\"password\":\"%s\"}", one);
    assert_ok(parse(text, &e, &f));
    extension_free(e);
}

/* RFC 7616 §3.9.1: its example, by both algorithms, out of a document. */
static void digest_can_be_computed_from_the_document(void **state)
{
    static const struct str method = STR("GET:/dir/index.html");
    static const struct str nonce = STR(":7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:"
                                        "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth:");
    uint8_t sum[SHA256_SIZE];
    struct extension *e;
    struct field_error f;
    struct buf a1, b;
    buf_init(&a1, 256);
    buf_init(&b, 1024);
    assert_ok(parse("{\"username\":\"Mufasa\",\"password\":\"Circle of Life\"}", &e, &f));
    buf_printf(&a1, "%s:http-auth@example.org:%s", e->username, e->password);
    for (int sha = 0; sha < 2; sha++) {
        size_t n = sha ? SHA256_SIZE : MD5_SIZE;
        void (*hash)(struct str, uint8_t *) = sha ? crypto_sha256 : crypto_md5;
        buf_reset(&b);
        hash(buf_str(&a1), sum);
        buf_put_hex(&b, str_of_bytes(sum, n));
        buf_put_str(&b, nonce);
        hash(method, sum);
        buf_put_hex(&b, str_of_bytes(sum, n));
        hash(buf_str(&b), sum);
        buf_reset(&b);
        buf_put_hex(&b, str_of_bytes(sum, n));
        buf_putc(&b, '\0');
        assert_string_equal(b.p,
                            sha ? "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
                                : "8ca523f5e9506fed4657c9700eebdbec");
    }
    extension_free(e);
    buf_fini(&a1);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_extension_survives_print_and_parse),
        cmocka_unit_test(faults_name_the_field),
        cmocka_unit_test(a_password_has_6_to_128_signs),
        cmocka_unit_test(a_name_is_found_in_any_case),
        cmocka_unit_test(passwords_made_here_are_taken_here),
        cmocka_unit_test(digest_can_be_computed_from_the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
