#include "check.h"
#include "model/settings.h"

static enum err parse(const char *text, struct user **ret, struct field_error *f)
{
    struct json *doc;
    *f = (struct field_error){0};
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    enum err err = user_parse(doc, ret, f);
    json_free(doc);
    return err;
}

static void a_user_survives_print_and_parse_without_the_password(void **state)
{
    struct user *u, *again;
    struct field_error f;
    struct buf b;
    buf_init(&b, 4096);
    assert_ok(parse("{\"username\":\"Ann@example.com\",\"password\":\"correct horse\","
                    "\"role\":\"developer\"}",
                    &u, &f));
    assert_string_equal(u->password, "correct horse");
    assert_int_equal(u->role, ROLE_DEVELOPER);
    (void)!str_copy(STR("$argon2id$x"), u->password_hash, sizeof u->password_hash);
    user_print(u, &b);
    buf_putc(&b, '\0');
    assert_null(strstr(b.p, "correct"));
    assert_ok(parse(b.p, &again, &f));
    assert_string_equal(again->username, "Ann@example.com");
    assert_string_equal(again->password_hash, "$argon2id$x");
    assert_string_equal(again->password, "");
    assert_int_equal(again->role, ROLE_DEVELOPER);
    user_free(u);
    user_free(again);
    user_free(NULL);
    buf_fini(&b);
}

static void faults_name_the_field(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"{\"role\":\"owner\"}", "username"},
        {"{\"username\":\"\",\"role\":\"owner\"}", "username"},
        {"{\"username\":\"a b\",\"role\":\"owner\"}", "username"},
        {"{\"username\":\"<script>\",\"role\":\"owner\"}", "username"},
        {"{\"username\":7,\"role\":\"owner\"}", "username"},
        {"{\"username\":\"a\"}", "role"},
        {"{\"username\":\"a\",\"role\":\"king\"}", "role"},
        {"{\"username\":\"a\",\"role\":[\"owner\"]}", "role"},
        {"{\"username\":\"a\",\"role\":\"owner\",\"password\":\"1234567\"}", "password"},
        {"{\"username\":\"a\",\"role\":\"owner\",\"password\":12345678}", "password"},
        {"{\"username\":\"a\",\"role\":\"owner\",\"colour\":1}", "colour"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct user *u;
        struct field_error f;
        assert_err(parse(bad[i].text, &u, &f), ERR_INVALID);
        assert_string_equal(f.field, bad[i].field);
        assert_true(f.why[0]);
    }
}

static void passwords_have_bounds(void **state)
{
    struct user *u;
    struct field_error f;
    char text[512];
    for (int n = 255; n <= 257; n++) {
        snprintf(text, sizeof text, "{\"username\":\"a\",\"role\":\"owner\",\"password\":\"%0*d\"}",
                 n, 0);
        enum err err = parse(text, &u, &f);
        if (n > PASSWORD_MAX) {
            assert_err(err, ERR_INVALID);
        } else {
            assert_ok(err);
            user_free(u);
        }
    }
}

static void names_are_found_in_any_case(void **state)
{
    char a[65], b[65], none[65];
    user_key(STR("Ann.B@Example.com"), a);
    user_key(STR("ann.b@example.COM"), b);
    assert_string_equal(a, b);
    user_key(STR("an\xc3\xa4"), none);
    assert_string_equal(none, "");
    user_key((struct str){0}, none);
    assert_string_equal(none, "");
    user_key(STR("0123456789012345678901234567890123456789012345678901234567890123x"), none);
    assert_string_equal(none, "");
}

static void roles_are_in_order(void **state)
{
    enum role r;
    assert_true(ROLE_SUPPORT < ROLE_DEVELOPER && ROLE_DEVELOPER < ROLE_OWNER &&
                ROLE_OWNER < ROLE_OPERATOR);
    for (unsigned i = 0; i < ROLE_COUNT; i++) {
        assert_true(role_parse(str_of(role_name((enum role)i)), &r));
        assert_int_equal(r, i);
    }
    assert_false(role_parse(STR("Owner"), &r));
}

static void keys_expire_by_text_or_number(void **state)
{
    static const struct {
        const char *text;
        long long at_ms; /* -1: refused */
    } cases[] = {
        {"{\"name\":\"k\",\"expires_at\":\"2030-01-01T00:00:00Z\"}", 1893456000000},
        {"{\"name\":\"k\",\"expires_at_ms\":5}", 5},
        {"{\"name\":\"k\",\"expires_at\":null}", 0},
        {"{\"name\":\"k\"}", 0},
        {"{\"name\":\"k\",\"expires_at\":\"soon\"}", -1},
        {"{\"name\":\"k\",\"expires_at\":7}", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *doc;
        struct api_key *k = NULL;
        struct field_error f;
        assert_ok(json_parse(str_of(cases[i].text), &doc, NULL, 0));
        enum err err = api_key_parse(doc, &k, &f);
        if (cases[i].at_ms < 0) {
            assert_err(err, ERR_INVALID);
            assert_string_equal(f.field, "expires_at");
        } else {
            assert_ok(err);
            assert_int_equal(k->expires_at_ms, cases[i].at_ms);
            api_key_free(k);
        }
        json_free(doc);
    }
}

static void keys_and_users_remember_who_made_them(void **state)
{
    struct json *doc;
    struct api_key *k;
    struct user *u;
    struct field_error f;
    struct buf b;
    for (int i = 0; i < 2; i++) {
        static const char *const text[] = {"{\"name\":\"k\",\"scopes\":[\"read\"]}",
                                           "{\"name\":\"k\",\"scopes\":[\"read\"],"
                                           "\"created_by\":\"user_a\",\"user\":77}"};
        assert_ok(json_parse(str_of(text[i]), &doc, NULL, 0));
        assert_ok(api_key_parse(doc, &k, &f));
        json_free(doc);
        buf_init(&b, 1000);
        api_key_print(k, &b);
        assert_int_equal(api_key_rights(k), RIGHT_READ);
        api_key_free(k);
        assert_ok(json_parse(buf_str(&b), &doc, NULL, 0));
        assert_ok(api_key_parse(doc, &k, &f));
        assert_string_equal(k->created_by, i ? "user_a" : "");
        assert_int_equal(k->user, i ? 77 : 0);
        api_key_free(k);
        json_free(doc);
        buf_fini(&b);
    }
    assert_ok(json_parse(STR("{\"name\":\"k\",\"user\":-1}"), &doc, NULL, 0));
    assert_err(api_key_parse(doc, &k, &f), ERR_INVALID);
    assert_string_equal(f.field, "user");
    json_free(doc);
    assert_ok(json_parse(STR("{\"username\":\"a\",\"role\":\"owner\",\"created_by\":\"key_b\"}"),
                         &doc, NULL, 0));
    assert_ok(user_parse(doc, &u, &f));
    json_free(doc);
    buf_init(&b, 1000);
    user_print(u, &b);
    assert_non_null(memmem(b.p, b.n, "\"created_by\":\"key_b\"", 20));
    user_free(u);
    buf_fini(&b);
}

static void balances_are_decimal(void **state)
{
    static const char *const good[] = {"0", "12", "-12.50", "0.1"}, *const bad[] = {"-",   ".",
                                                                                    "1.",  ".5",
                                                                                    "1e3", "--1"};
    for (size_t i = 0; i < sizeof good / sizeof *good + sizeof bad / sizeof *bad; i++) {
        bool fits = i < sizeof good / sizeof *good;
        struct json *doc;
        struct account *a = NULL;
        struct field_error f;
        char text[96];
        snprintf(text, sizeof text, "{\"name\":\"a\",\"balance\":\"%s\",\"currency\":\"EUR\"}",
                 fits ? good[i] : bad[i - sizeof good / sizeof *good]);
        assert_ok(json_parse(str_of(text), &doc, NULL, 0));
        enum err err = account_parse(doc, &a, &f);
        assert_int_equal(err, fits ? OK : ERR_INVALID);
        account_free(fits ? a : NULL);
        json_free(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_survives_print_and_parse_without_the_password),
        cmocka_unit_test(faults_name_the_field),
        cmocka_unit_test(passwords_have_bounds),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(roles_are_in_order),
        cmocka_unit_test(keys_expire_by_text_or_number),
        cmocka_unit_test(keys_and_users_remember_who_made_them),
        cmocka_unit_test(balances_are_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
