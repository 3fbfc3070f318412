/* A POST under a key is done once, and answered as it was. */
#include "api/core/idempotency.h"
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

#define NUMBER "{\"number\":\"+15550001\"}"

static struct answer *post(const char *key, const char *lines, const char *body)
{
    return api_kit_ask("POST", "/v1/numbers", key, lines, body);
}

static void the_answer_comes_again(void **state)
{
    char first[4096];
    struct answer *a = post(api_kit_operator, "Idempotency-Key: a\r\n", NUMBER);
    assert_int_equal(a->status, 201);
    assert_null(a->more_header);
    snprintf(first, sizeof first, "%s", a->body);
    a = post(api_kit_operator, "Idempotency-Key: a\r\n", NUMBER);
    assert_int_equal(a->status, 201);
    assert_string_equal(a->body, first);
    assert_string_equal(a->etag, "\"1\"");
    assert_string_equal(a->location, "/v1/numbers/+15550001");
    assert_string_equal(a->more_header, "Idempotent-Replayed: true");
    assert_int_equal(post(api_kit_operator, "", NUMBER)->status, 409);
    assert_int_equal(post(api_kit_operator, "Idempotency-Key: b\r\n", NUMBER)->status, 409);
    a = api_kit_must(200, "GET", "/v1/audit?kind=number", NULL);
    assert_int_equal(json_len(json_get(a->json, "data")), 1);
}

static void another_request_may_not_have_the_key(void **state)
{
    char key[128];
    assert_int_equal(post(api_kit_operator, "Idempotency-Key: a\r\n", NUMBER)->status, 201);
    struct answer *a =
        post(api_kit_operator, "Idempotency-Key: a\r\n", "{\"number\":\"+15550002\"}");
    assert_int_equal(a->status, 422);
    assert_string_equal(answer_text(a, "code"), "idempotency_key_reused");
    a = api_kit_must(201, "POST", "/v1/keys",
                     "{\"name\":\"k\",\"scopes\":[\"read\",\"write\",\"operator\"]}");
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    a = post(key, "Idempotency-Key: a\r\n", NUMBER); /* another credential cannot read the answer */
    assert_int_equal(a->status, 422);
    assert_string_equal(answer_text(a, "code"), "idempotency_key_reused");
}

static void errors_are_not_kept(void **state)
{
    assert_int_equal(post(api_kit_operator, "Idempotency-Key: a\r\n", "{\"number\":\"x\"}")->status,
                     422);
    assert_int_equal(post(api_kit_operator, "Idempotency-Key: a\r\n", NUMBER)->status, 201);
    struct answer *a = post(api_kit_operator, "Idempotency-Key: a b\r\n", NUMBER);
    assert_int_equal(a->status, 422);
    assert_string_equal(answer_text(a, "field"), "Idempotency-Key");
}

/* An answer's secret is shown again to who has the credential. */
static void secrets_come_again_and_are_sealed(void **state)
{
    char secret[128];
    const char *body = "{\"url\":\"https://h.example\"}";
    struct answer *a =
        api_kit_ask("POST", "/v1/endpoints", api_kit_operator, "Idempotency-Key: s\r\n", body);
    snprintf(secret, sizeof secret, "%s", answer_text(a, "secret"));
    a = api_kit_ask("POST", "/v1/endpoints", api_kit_operator, "Idempotency-Key: s\r\n", body);
    assert_string_equal(answer_text(a, "secret"), secret);
    a = api_kit_must(200, "GET", "/v1/endpoints", NULL);
    assert_int_equal(json_len(json_get(a->json, "data")), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_answer_comes_again),
        CASE(another_request_may_not_have_the_key),
        CASE(errors_are_not_kept),
        CASE(secrets_come_again_and_are_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
