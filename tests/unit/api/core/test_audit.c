/* The audit log: who changed what, without secrets, once. */
#include "api/core/audit.h"
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

static const struct json *row(const char *query, size_t i)
{
    char path[256];
    snprintf(path, sizeof path, "/v1/audit?%s", query);
    return json_at(json_get(api_kit_must(200, "GET", path, NULL)->json, "data"), i);
}

static void is_text(const struct json *v, const char *member, const char *due)
{
    struct str s = {0};
    assert_true(json_str(json_get(v, member), &s));
    assert_str(s, due);
}

static void each_change_leaves_a_row(void **state)
{
    char path[256], query[128];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/extensions", "{\"username\":\"desk\",\"label\":\"a\"}");
    snprintf(path, sizeof path, "%s", a->location);
    snprintf(query, sizeof query, "id=%s", answer_text(a, "id"));
    api_kit_must(200, "PATCH", path, "{\"label\":\"b\",\"password\":\"correct-horse-battery\"}");
    api_kit_must(422, "PATCH", path, "{\"label\":1}");
    api_kit_must(204, "DELETE", path, NULL);
    const struct json *v = row(query, 0);
    is_text(v, "action", "deleted");
    assert_int_equal(json_kind(json_get(v, "after")), JSON_IS_NULL);
    v = row(query, 1);
    is_text(v, "action", "changed");
    is_text(v, "kind", "extension");
    is_text(v, "who_name", "bootstrap");
    is_text(v, "address", "192.0.2.7");
    is_text(json_get(v, "before"), "label", "a");
    is_text(json_get(v, "after"), "label", "b");
    assert_null(json_get(json_get(v, "after"), "password")); /* named, not kept */
    assert_int_equal(json_len(json_get(v, "changed")), 2);
    v = row(query, 2);
    is_text(v, "action", "created");
    assert_int_equal(json_kind(json_get(v, "before")), JSON_IS_NULL);
    assert_null(row(query, 3));
}

static void a_move_leaves_a_row_on_each_side(void **state)
{
    struct answer *a = api_kit_must(201, "POST", "/v1/accounts", "{\"name\":\"acme\"}");
    char id[64], body[128];
    snprintf(id, sizeof id, "%s", answer_text(a, "id"));
    api_kit_must(201, "POST", "/v1/numbers", "{\"number\":\"+15550001\",\"label\":\"ours\"}");
    snprintf(body, sizeof body, "{\"account\":\"%s\"}", id);
    api_kit_must(200, "PATCH", "/v1/numbers/+15550001", body);
    const struct json *v = row("id=%2B15550001", 0);
    is_text(v, "action", "moved_in");
    is_text(v, "account", id);
    assert_int_equal(json_kind(json_get(v, "before")), JSON_IS_NULL);
    v = row("id=%2B15550001", 1);
    is_text(v, "action", "moved_out");
    is_text(json_get(v, "before"), "label", "ours");
    assert_int_equal(json_kind(json_get(v, "after")), JSON_IS_NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_change_leaves_a_row),
        CASE(a_move_leaves_a_row_on_each_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
