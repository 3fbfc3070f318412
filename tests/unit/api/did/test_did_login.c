/* A name and a password to a token, and its end. */
#include "api/did/did.h"
#include "did_kit.h"

static int set_up(void **state)
{
    api_kit_begin();
    return 0;
}

static int tear_down(void **state)
{
    api_kit_end();
    return 0;
}

static int try(const char *name, const char *password)
{
    char body[256];
    snprintf(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\"}", name, password);
    return api_kit_ask("POST", "/api/login", NULL, "", body)->status;
}

static void a_wrong_password_and_a_name_that_is_not_there_are_one_answer(void **state)
{
    char first[1024];
    did_kit_log_in();
    assert_int_equal(try("ann", "wrong horse"), 401);
    struct answer *a = api_kit_ask("POST", "/api/login", NULL, "",
                                   "{\"username\":\"ann\",\"password\":\"wrong\"}");
    snprintf(first, sizeof first, "%s", a->body);
    a = api_kit_ask("POST", "/api/login", NULL, "",
                    "{\"username\":\"bob\",\"password\":\"wrong\"}");
    assert_string_equal(a->body, first);
    assert_string_equal(answer_text(a, "code"), "bad_login");
    assert_int_equal(try("ann", "correct horse"), 200);
}

static void guesses_are_slowed_down(void **state)
{
    int status = 0, n = 0;
    did_kit_log_in();
    for (; n < 40 && status != 429; n++)
        status = try("ann", "wrong");
    assert_int_equal(status, 429);
    assert_in_range(n, 10, 13);
}

static void a_token_ends_with_its_log_out(void **state)
{
    char body[200];
    did_kit_log_in();
    assert_true(did_is_good(did("list", "")));
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", did_token);
    assert_int_equal(api_kit_ask("POST", "/api/logout", NULL, "", body)->status, 200);
    assert_int_equal(did("list", "")->status, 401);
    snprintf(did_token, sizeof did_token, "%s", api_kit_operator); /* a key has no end here */
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", did_token);
    struct answer *a = api_kit_ask("POST", "/api/logout", NULL, "", body);
    assert_false(did_is_good(a));
    assert_string_equal(answer_text(a, "code"), "invalid_field");
}

static void what_is_no_log_in_is_refused(void **state)
{
    static const char *const bad[] = {"{}", "{\"username\":\"ann\"}", "{\"password\":\"x\"}",
                                      "{\"username\":\"ann\",\"password\":7}",
                                      "{\"username\":\"ann\",\"password\":\"\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *a = api_kit_ask("POST", "/api/login", NULL, "", bad[i]);
        assert_int_equal(a->status, 200);
        assert_string_equal(answer_text(a, "code"), "invalid_field");
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_wrong_password_and_a_name_that_is_not_there_are_one_answer),
        CASE(guesses_are_slowed_down),
        CASE(a_token_ends_with_its_log_out),
        CASE(what_is_no_log_in_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
