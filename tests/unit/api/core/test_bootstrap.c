/* The accounts and the key that a daemon begins with. */
#include "api/core/bootstrap.h"
#include "api_kit.h"

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

static bool there;

static enum err look_work(struct request *r, struct db *db)
{
    return operator_exists(db, &there);
}

static bool has_operator(void)
{
    assert_ok(api_kit_read(api_kit_request("GET", "/", "", NULL), look_work));
    return there;
}

static void they_are_made_once(void **state)
{
    bool has;
    size_t n = json_len(json_get(api_kit_must(200, "GET", "/v1/accounts", NULL)->json, "data"));
    assert_int_equal(n, 2);
    for (int i = 0; i < 2; i++) {
        assert_ok(api_bootstrap(api_kit.c.store, api_kit.c.books, api_kit_operator, &has));
        assert_true(has);
        assert_ok(api_bootstrap(api_kit.c.store, api_kit.c.books, "", &has));
        assert_true(has);
    }
    n = json_len(json_get(api_kit_must(200, "GET", "/v1/accounts", NULL)->json, "data"));
    assert_int_equal(n, 2);
    n = json_len(json_get(api_kit_must(200, "GET", "/v1/keys", NULL)->json, "data"));
    assert_int_equal(n, 1);
}

static void an_operator_is_a_key_or_a_user_that_lasts(void **state)
{
    char path[128], own[128];
    struct answer *a = api_kit_must(200, "GET", "/v1/keys", NULL);
    struct str s;
    assert_true(json_str(json_get(json_at(json_get(a->json, "data"), 0), "id"), &s));
    snprintf(own, sizeof own, "/v1/keys/%.*s", STR_FMT(s));
    assert_true(has_operator());
    a = api_kit_must(201, "POST", "/v1/users",
                     "{\"username\":\"ann\",\"password\":\"correct horse\",\"role\":\"operator\"}");
    snprintf(path, sizeof path, "%s", a->location);
    api_kit_must(204, "DELETE", own, NULL);
    assert_true(has_operator()); /* the user */
    struct answer *no = api_kit_ask("GET", "/v1/keys", api_kit_operator, "", NULL);
    assert_int_equal(no->status, 401);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(they_are_made_once),
        CASE(an_operator_is_a_key_or_a_user_that_lasts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
