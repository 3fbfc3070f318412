/* What the DID API tells: the balance, the kinds, and lists of numbers by pages. */
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

static void balance_and_kinds(void **state)
{
    char body[200];
    did_kit_log_in();
    snprintf(body, sizeof body, "{\"token\":\"%s\"}", did_token);
    struct answer *a = api_kit_ask("POST", "/api/balance", NULL, "", body);
    assert_true(did_is_good(a));
    assert_string_equal(answer_text(a, "balance"), "0.00");
    assert_string_equal(answer_text(a, "currency"), "USD");
    a = did("type-list", "");
    assert_int_equal(json_len(json_get(a->json, "types")), 4);
    assert_int_equal(json_len(json_get(a->json, "forward_types")), 4);
}

static void the_pool_is_listed_by_pages_and_country(void **state)
{
    char e164[20], members[64];
    did_kit_log_in();
    for (int i = 0; i < 6; i++) {
        snprintf(e164, sizeof e164, "+1555000%d", i);
        did_pool_has(e164, i % 2 ? "GB" : "US");
    }
    assert_int_equal(json_len(json_get(did("available", "")->json, "dids")), 6);
    assert_int_equal(json_len(json_get(did("available", "\"country\":\"gb\"")->json, "dids")), 3);
    struct answer *a = did("available", "\"limit\":4");
    assert_int_equal(json_len(json_get(a->json, "dids")), 4);
    snprintf(members, sizeof members, "\"limit\":4,\"after\":\"%s\"", answer_text(a, "next"));
    a = did("available", members);
    assert_int_equal(json_len(json_get(a->json, "dids")), 2);
    assert_string_equal(answer_text(a, "next"), "");
    assert_false(did_is_good(did("available", "\"country\":\"GBR\"")));
    assert_false(did_is_good(did("available", "\"limit\":1001")));
    assert_false(did_is_good(did("available", "\"after\":\"x\"")));
    assert_int_equal(json_len(json_get(did("list", "")->json, "dids")), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(balance_and_kinds),
        CASE(the_pool_is_listed_by_pages_and_country),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
