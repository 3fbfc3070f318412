/* API keys as a kind of setting: nobody gives more than he has, and keys end with their user. */
#include "api/core/key_kind.h"
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

static void nobody_gives_more_than_he_has(void **state)
{
    char key[128], path[256];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/keys", "{\"name\":\"w\",\"scopes\":[\"read\",\"write\"]}");
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    a = api_kit_ask("POST", "/v1/keys", key, "", "{\"name\":\"x\",\"scopes\":[\"ingest\"]}");
    assert_int_equal(a->status, 422);
    assert_string_equal(answer_text(a, "field"), "scopes");
    a = api_kit_must(201, "POST", "/v1/keys", "{\"name\":\"i\",\"scopes\":[\"ingest\"]}");
    snprintf(path, sizeof path, "%s", a->location);
    assert_int_equal(api_kit_ask("DELETE", path, key, "", NULL)->status, 403);
    assert_int_equal(api_kit_ask("PATCH", path, key, "", "{\"name\":\"y\"}")->status, 403);
    a = api_kit_ask("POST", "/v1/keys", key, "", "{\"name\":\"x\",\"scopes\":[\"read\"]}");
    assert_int_equal(a->status, 201);
    assert_int_equal(strncmp(answer_text(a, "created_by"), "key_", 4), 0);
}

static void a_key_shows_its_end_and_its_last_use(void **state)
{
    char key[128], path[256];
    struct answer *a = api_kit_must(201, "POST", "/v1/keys",
                                    "{\"name\":\"k\",\"scopes\":[\"read\"],"
                                    "\"expires_at\":\"2999-01-01T00:00:00Z\"}");
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    snprintf(path, sizeof path, "%s", a->location);
    assert_string_equal(answer_text(a, "expires_at"), "2999-01-01T00:00:00.000Z");
    assert_string_equal(answer_text(a, "last_used_at"), "");
    assert_int_equal(api_kit_ask("GET", "/v1/keys", key, "", NULL)->status, 200);
    a = api_kit_must(200, "GET", path, NULL);
    assert_string_not_equal(answer_text(a, "last_used_at"), "");
    a = api_kit_must(200, "PATCH", path, "{\"expires_at\":null}");
    assert_string_equal(answer_text(a, "expires_at"), "");
    a = api_kit_must(200, "PATCH", path, "{\"expires_at\":\"2001-01-01T00:00:00Z\"}");
    assert_int_equal(api_kit_ask("GET", "/v1/keys", key, "", NULL)->status, 401);
}

static void keys_end_with_their_user(void **state)
{
    char user[256], token[128], key[128], body[256];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/users",
                     "{\"username\":\"ann\",\"password\":\"correct horse\",\"role\":\"owner\"}");
    snprintf(user, sizeof user, "%s", a->location);
    a = api_kit_ask("POST", "/api/login", NULL, "",
                    "{\"username\":\"ann\",\"password\":\"correct horse\"}");
    assert_int_equal(a->status, 200);
    snprintf(token, sizeof token, "%s", answer_text(a, "account_token"));
    snprintf(body, sizeof body, "{\"name\":\"hers\",\"scopes\":[\"read\"]}");
    a = api_kit_ask("POST", "/v1/keys", token, "", body);
    assert_int_equal(a->status, 201);
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    assert_int_equal(api_kit_ask("GET", "/v1/keys", key, "", NULL)->status, 200);
    api_kit_must(204, "DELETE", user, NULL);
    assert_int_equal(api_kit_ask("GET", "/v1/keys", key, "", NULL)->status, 401);
    a = api_kit_must(200, "GET", "/v1/keys", NULL);
    assert_null(strstr(a->body, "\"hers\""));
    a = api_kit_must(200, "GET", "/v1/audit?kind=key", NULL);
    assert_non_null(strstr(a->body, "\"deleted\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(nobody_gives_more_than_he_has),
        CASE(a_key_shows_its_end_and_its_last_use),
        CASE(keys_end_with_their_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
