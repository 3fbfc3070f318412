/* Which path and method is whose, and who may. */
#include "api/routes.h"
#include "core/api_kit.h"

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

static int status_of(const char *method, const char *path)
{
    return api_kit_ask(method, path, api_kit_operator, "", NULL)->status;
}

static void paths_and_methods(void **state)
{
    assert_int_equal(status_of("GET", "/v1/numbers"), 200);
    assert_int_equal(status_of("HEAD", "/v1/numbers"), 200);
    assert_int_equal(status_of("GET", "/v1/%6eumbers"), 200); /* the same path, escaped */
    assert_int_equal(status_of("GET", "/v1%2Fnumbers"), 404); /* a %2F is no slash */
    assert_int_equal(status_of("GET", "/v1/numbers/"), 404);
    assert_int_equal(status_of("GET", "/v1/nothing"), 404);
    assert_int_equal(status_of("PUT", "/v1/numbers"), 405);
    assert_int_equal(status_of("OPTIONS", "/v1/numbers"), 204);
    assert_int_equal(status_of("OPTIONS", "/v1/nothing"), 404);
    assert_int_equal(status_of("OPTIONS", "*"), 204);
}

static void a_405_says_what_is_allowed(void **state)
{
    struct request *r = api_kit_request("PUT", "/v1/numbers/+1", "", NULL);
    api_handle(&r->http);
    assert_int_equal(r->http.status, 405);
    assert_string_equal(r->http.allow, "GET, HEAD, PATCH, DELETE, OPTIONS");
}

static void who_may(void **state)
{
    char key[128];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/keys", "{\"name\":\"r\",\"scopes\":[\"read\"]}");
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    assert_int_equal(api_kit_ask("GET", "/v1/numbers", NULL, "", NULL)->status, 401);
    assert_int_equal(api_kit_ask("GET", "/v1/numbers", key, "", NULL)->status, 200);
    assert_int_equal(api_kit_ask("POST", "/v1/endpoints", key, "", "{}")->status, 403);
    assert_int_equal(api_kit_ask("GET", "/v1/trunks", key, "", NULL)->status, 403);
    assert_int_equal(api_kit_ask("POST", "/v1/events", key, "", "[]")->status, 403);
    assert_int_equal(api_kit_ask("GET", "/healthz", NULL, "", NULL)->status, 200);
}

static void bodies_and_queries(void **state)
{
    struct answer *a =
        api_kit_ask("POST", "/v1/numbers", api_kit_operator, "Content-Type: text/plain\r\n", "{}");
    assert_int_equal(a->status, 415);
    a = api_kit_ask("POST", "/v1/numbers", api_kit_operator,
                    "Content-Type: application/merge-patch+json; charset=utf-8\r\n", "{\"a\":");
    assert_int_equal(a->status, 400);
    assert_string_equal(answer_text(a, "code"), "bad_json");
    a = api_kit_must(422, "POST", "/v1/numbers", "7");
    assert_string_equal(answer_text(a, "field"), "body");
    a = api_kit_must(422, "GET", "/v1/numbers?nothing=1", NULL);
    assert_string_equal(answer_text(a, "field"), "nothing");
    a = api_kit_must(422, "GET", "/v1/numbers?limit=1&limit=2", NULL);
    assert_string_equal(answer_text(a, "allowed"), "given once");
    api_kit_must(422, "GET", "/v1/numbers/+1?limit=1", NULL);
}

static void a_number_is_found_by_its_digits_too(void **state)
{
    api_kit_must(201, "POST", "/v1/numbers", "{\"number\":\"+15550001\"}");
    assert_int_equal(status_of("GET", "/v1/numbers/+15550001"), 200);
    assert_int_equal(status_of("GET", "/v1/numbers/%2B15550001"), 200);
    assert_int_equal(status_of("GET", "/v1/numbers/15550001"), 200);
    assert_int_equal(status_of("GET", "/v1/numbers/%2015550001"), 200);
}

static void each_key_has_its_rate(void **state)
{
    rates_free(api_kit.rates);
    assert_ok(rates_new(2, &api_kit.rates));
    int status = 200, n = 0;
    for (; status == 200 && n < 10; n++)
        status = status_of("GET", "/v1/numbers");
    assert_int_equal(status, 429);
    assert_in_range(n, 5, 8); /* two seconds' worth, then no more */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(paths_and_methods),
        CASE(a_405_says_what_is_allowed),
        CASE(who_may),
        CASE(bodies_and_queries),
        CASE(a_number_is_found_by_its_digits_too),
        CASE(each_key_has_its_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
