/* One kind of setting after another: made, read, listed, changed and deleted in one way. */
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

static void each_kind_is_made_read_changed_and_deleted(void **state)
{
    static const struct {
        const char *path, *body, *patch, *changed; /* a member's new text */
    } kind[] = {
        {"/v1/endpoints", "{\"url\":\"https://h.example/a\"}", "{\"url\":\"https://h.example/b\"}",
         "\"url\":\"https://h.example/b\""},
        {"/v1/numbers", "{\"number\":\"+15550001\"}", "{\"label\":\"desk\"}", "\"label\":\"desk\""},
        {"/v1/trunks", "{\"name\":\"t\",\"sources\":[\"192.0.2.1\"]}",
         "{\"sources\":[\"192.0.2.2\"]}", "\"sources\":[\"192.0.2.2\"]"},
        {"/v1/keys", "{\"name\":\"k\",\"scopes\":[\"read\"]}", "{\"name\":\"l\"}",
         "\"name\":\"l\""},
        {"/v1/accounts", "{\"name\":\"acme\"}", "{\"name\":\"other\"}", "\"name\":\"other\""},
        {"/v1/extensions", "{\"username\":\"desk\"}", "{\"label\":\"Desk\"}", "\"label\":\"Desk\""},
    };
    for (size_t i = 0; i < sizeof kind / sizeof *kind; i++) {
        char path[256], etag[32];
        struct answer *a = api_kit_must(201, "POST", kind[i].path, kind[i].body);
        snprintf(path, sizeof path, "%s", a->location);
        assert_int_equal(strncmp(path, kind[i].path, strlen(kind[i].path)), 0);
        assert_string_equal(a->etag, "\"1\"");
        a = api_kit_must(200, "GET", path, NULL);
        snprintf(etag, sizeof etag, "%s", a->etag);
        assert_string_equal(etag, "\"1\"");
        assert_non_null(
            strstr(api_kit_must(200, "GET", kind[i].path, NULL)->body, strrchr(path, '/') + 1));
        a = api_kit_must(200, "PATCH", path, kind[i].patch);
        if (!strstr(a->body, kind[i].changed))
            fail_msg("%s", a->body);
        assert_string_equal(a->etag, "\"2\"");
        assert_non_null(strstr(api_kit_must(200, "GET", path, NULL)->body, kind[i].changed));
        api_kit_must(204, "DELETE", path, NULL);
        api_kit_must(404, "GET", path, NULL);
        api_kit_must(404, "PATCH", path, kind[i].patch);
    }
    assert_int_equal(api_kit_nudged, 2); /* of the endpoint, changed and deleted */
}

static void secrets_are_shown_once(void **state)
{
    struct answer *a =
        api_kit_must(201, "POST", "/v1/endpoints", "{\"url\":\"https://h.example\"}");
    char path[256];
    assert_int_equal(strncmp(answer_text(a, "secret"), "whsec_", 6), 0);
    snprintf(path, sizeof path, "%s", a->location);
    assert_null(strstr(api_kit_must(200, "GET", path, NULL)->body, "whsec_"));
    assert_null(strstr(api_kit_must(200, "PATCH", path, "{\"events\":null}")->body, "whsec_"));
    assert_null(strstr(api_kit_must(200, "GET", "/v1/endpoints", NULL)->body, "whsec_"));
}

/* A null removes, what is not said stays, and what the model refuses changes nothing. */
static void a_patch_is_merged(void **state)
{
    struct answer *a =
        api_kit_must(201, "POST", "/v1/endpoints",
                     "{\"url\":\"https://h.example\",\"fallback_url\":\"https://f.example\","
                     "\"headers\":{\"X-A\":\"1\"}}");
    char path[256];
    snprintf(path, sizeof path, "%s", a->location);
    a = api_kit_must(200, "PATCH", path, "{\"fallback_url\":null}");
    assert_null(strstr(a->body, "f.example"));
    assert_non_null(strstr(a->body, "\"X-A\":\"1\""));
    a = api_kit_must(422, "PATCH", path, "{\"url\":\"ftp://h.example\"}");
    assert_string_equal(answer_text(a, "field"), "url");
    a = api_kit_must(422, "PATCH", path, "{\"nothing\":1}");
    assert_string_equal(answer_text(a, "field"), "nothing");
    api_kit_must(422, "PATCH", path, "[]");
    assert_string_equal(api_kit_must(200, "GET", path, NULL)->etag, "\"2\"");
}

static void it_goes_to_another_account(void **state)
{
    struct answer *a = api_kit_must(201, "POST", "/v1/accounts", "{\"name\":\"acme\"}");
    char id[64], body[128];
    snprintf(id, sizeof id, "%s", answer_text(a, "id"));
    api_kit_must(201, "POST", "/v1/numbers", "{\"number\":\"+15550001\",\"label\":\"ours\"}");
    snprintf(body, sizeof body, "{\"account\":\"%s\"}", id);
    a = api_kit_must(200, "PATCH", "/v1/numbers/+15550001", body);
    assert_string_equal(answer_text(a, "account"), id);
    assert_string_equal(answer_text(a, "label"), ""); /* its account's own stays behind */
    a = api_kit_must(200, "PATCH", "/v1/numbers/+15550001",
                     "{\"account\":\"default\",\"label\":\"back\"}");
    assert_string_equal(answer_text(a, "label"), "back"); /* but what comes with the move */
    a = api_kit_must(422, "PATCH", "/v1/numbers/+15550001", "{\"account\":\"nobody\"}");
    assert_string_equal(answer_text(a, "field"), "account");
}

static void lists_have_pages(void **state)
{
    char body[128], path[256];
    for (int i = 0; i < 5; i++) {
        snprintf(body, sizeof body, "{\"number\":\"+1555000%d\"}", i);
        api_kit_must(201, "POST", "/v1/numbers", body);
    }
    struct answer *a = api_kit_must(200, "GET", "/v1/numbers?limit=2", NULL);
    unsigned pages = 1, rows = 0;
    for (;; pages++) {
        rows += (unsigned)json_len(json_get(a->json, "data"));
        const char *next = answer_text(a, "next_cursor");
        if (!*next)
            break;
        snprintf(path, sizeof path, "/v1/numbers?limit=2&cursor=%s", next);
        a = api_kit_must(200, "GET", path, NULL);
    }
    assert_int_equal(pages, 3);
    assert_int_equal(rows, 5);
    api_kit_must(409, "POST", "/v1/numbers", "{\"number\":\"+15550001\"}");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_kind_is_made_read_changed_and_deleted),
        CASE(secrets_are_shown_once),
        CASE(a_patch_is_merged),
        CASE(it_goes_to_another_account),
        CASE(lists_have_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
