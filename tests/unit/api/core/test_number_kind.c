/* Numbers as a kind of setting: targets, what stays behind, and whose they may be. */
#include "api/core/number_kind.h"
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

static void targets_are_checked(void **state)
{
    static const struct {
        const char *target;
        int status;
    } way[] = {
        {"{\"type\":\"webhook\",\"destination\":\"https://h.example\"}", 201},
        {"{\"type\":\"webhook\",\"destination\":\"h.example\"}", 422},
        {"{\"type\":\"sip\",\"destination\":\"sip:a@192.0.2.1\"}", 201},
        {"{\"type\":\"sip\",\"destination\":\"sip:a:secret@192.0.2.1\"}", 422},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        char body[512];
        snprintf(body, sizeof body, "{\"number\":\"+1555000%zu\",\"forward\":{\"targets\":[%s]}}",
                 i, way[i].target);
        struct answer *a = api_kit_must(way[i].status, "POST", "/v1/numbers", body);
        if (way[i].status == 422)
            assert_string_equal(answer_text(a, "field"), "forward.targets[0].destination");
    }
}

static void a_number_stays_the_number(void **state)
{
    api_kit_must(201, "POST", "/v1/numbers", "{\"number\":\"+15550001\"}");
    struct answer *a =
        api_kit_must(422, "PATCH", "/v1/numbers/+15550001", "{\"number\":\"+15550002\"}");
    assert_string_equal(answer_text(a, "field"), "number");
    api_kit_must(200, "PATCH", "/v1/numbers/15550001", "{\"number\":\"+15550001\"}");
}

/* What an account may not say of its numbers, it may not say by a patch either. */
static void prices_are_the_operators(void **state)
{
    char key[128], id[64], body[256];
    struct answer *a = api_kit_must(201, "POST", "/v1/accounts", "{\"name\":\"acme\"}");
    snprintf(id, sizeof id, "%s", answer_text(a, "id"));
    snprintf(body, sizeof body,
             "{\"name\":\"k\",\"scopes\":[\"read\",\"write\"],\"account\":\"%s\"}", id);
    snprintf(key, sizeof key, "%s",
             answer_text(api_kit_must(201, "POST", "/v1/keys", body), "key"));
    snprintf(
        body, sizeof body,
        "{\"number\":\"+15550001\",\"monthly_cost\":\"5.00\",\"sms\":false,\"account\":\"%s\"}",
        id);
    api_kit_must(201, "POST", "/v1/numbers", body);
    a = api_kit_ask("PATCH", "/v1/numbers/+15550001", key, "", "{\"monthly_cost\":\"1.00\"}");
    assert_int_equal(a->status, 422);
    assert_string_equal(answer_text(a, "field"), "monthly_cost");
    a = api_kit_ask("PATCH", "/v1/numbers/+15550001", key, "", "{\"label\":\"l\",\"sms\":true}");
    assert_int_equal(a->status, 200);
    a = api_kit_ask("DELETE", "/v1/numbers/+15550001", key, "", NULL);
    assert_int_equal(a->status, 204); /* it goes back to the pool, as it was given */
    a = api_kit_must(200, "GET", "/v1/numbers/+15550001", NULL);
    assert_string_equal(answer_text(a, "label"), "");
    assert_non_null(strstr(a->body, "\"sms\":false"));
    struct request *r = api_kit_request("GET", "/", "", NULL);
    char pool[64];
    snprintf(pool, sizeof pool, "%s", book_account(r->book, did_pool(r))->id);
    a = api_kit_must(200, "GET", "/v1/numbers/+15550001", NULL);
    assert_string_equal(answer_text(a, "account"), pool);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(targets_are_checked),
        CASE(a_number_stays_the_number),
        CASE(prices_are_the_operators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
