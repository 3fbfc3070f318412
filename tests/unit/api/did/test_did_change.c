/* A number is taken from the pool, forwarded, and given back. */
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

static char id[32]; /* did_id of the number */

static void take(void)
{
    char members[64];
    did_kit_log_in();
    did_pool_has("+15550001", "US");
    struct answer *a = did("available", "");
    const struct json *first = json_at(json_get(a->json, "dids"), 0);
    struct str s;
    assert_true(json_str(json_get(first, "did_id"), &s));
    assert_ok(str_copy(s, id, sizeof id));
    snprintf(members, sizeof members, "\"did_id\":\"%s\"", id);
    a = did("assign", members);
    assert_true(did_is_good(a));
    assert_string_equal(answer_text(a, "did_number"), "+15550001");
}

static struct answer *forward(const char *type, const char *destination)
{
    char members[256];
    snprintf(members, sizeof members, "\"did_id\":\"%s\",\"type\":\"%s\",\"destination\":\"%s\"",
             id, type, destination);
    return did("forward", members);
}

static void one_of_two_gets_it(void **state)
{
    char members[64];
    take();
    snprintf(members, sizeof members, "\"did_id\":\"%s\"", id);
    struct answer *a = did("assign", members);
    assert_int_equal(a->status, 200);
    assert_false(did_is_good(a));
    assert_string_equal(answer_text(a, "code"), "invalid_field");
    assert_int_equal(json_len(json_get(did("available", "")->json, "dids")), 0);
    assert_int_equal(json_len(json_get(did("list", "")->json, "dids")), 1);
}

static void a_voice_target_replaces_the_one_before(void **state)
{
    take();
    assert_true(did_is_good(forward("sip", "a@192.0.2.1")));
    struct answer *a = forward("Access Number", "15550099");
    assert_true(did_is_good(a));
    assert_non_null(strstr(a->body, "\"forward_type\":\"access_number\""));
    assert_non_null(strstr(a->body, "\"forward_destination\":\"+15550099\""));
    assert_null(strstr(a->body, "a@192.0.2.1"));
    assert_string_equal(answer_text(forward("pstn", "+15550099"), "code"), "invalid_field");
    a = forward("sip", "sip:a:secret@192.0.2.1");
    assert_false(did_is_good(a));
    assert_non_null(strstr(a->body, "destination")); /* not REST's name of it */
}

/* The number's endpoint is made once, then gets the new URL. */
static void a_webhook_is_the_numbers_endpoint(void **state)
{
    char endpoint[64];
    take();
    struct answer *a = forward("webhook", "https://h.example/a");
    assert_true(did_is_good(a));
    snprintf(endpoint, sizeof endpoint, "%s", answer_text(a, "endpoint"));
    assert_int_equal(strncmp(answer_text(a, "secret"), "whsec_", 6), 0);
    a = forward("webhook", "https://h.example/b");
    assert_string_equal(answer_text(a, "endpoint"), endpoint);
    assert_string_equal(answer_text(a, "secret"), ""); /* shown once */
    a = did("list", "");
    assert_non_null(strstr(a->body, "\"webhook_url\":\"https://h.example/b\""));
    assert_int_equal(
        json_len(json_get(api_kit_must(200, "GET", "/v1/endpoints", NULL)->json, "data")), 1);
    assert_false(did_is_good(forward("webhook", "h.example")));
}

static void a_number_given_back_is_as_it_was(void **state)
{
    char members[64];
    take();
    assert_true(did_is_good(forward("webhook", "https://h.example/a")));
    assert_true(did_is_good(forward("sip", "a@192.0.2.1")));
    snprintf(members, sizeof members, "\"did_id\":\"%s\"", id);
    unsigned nudged = api_kit_nudged;
    assert_true(did_is_good(did("release", members)));
    assert_int_equal(api_kit_nudged, nudged + 1); /* its endpoint is gone */
    assert_int_equal(
        json_len(json_get(api_kit_must(200, "GET", "/v1/endpoints", NULL)->json, "data")), 0);
    assert_null(strstr(api_kit_must(200, "GET", "/v1/numbers/+15550001", NULL)->body, "192.0.2.1"));
    assert_false(did_is_good(did("release", members)));
    assert_int_equal(json_len(json_get(did("available", "")->json, "dids")), 1);
    struct answer *a = api_kit_must(200, "GET", "/v1/audit?kind=endpoint", NULL);
    assert_non_null(strstr(a->body, "\"deleted\""));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_of_two_gets_it),
        CASE(a_voice_target_replaces_the_one_before),
        CASE(a_webhook_is_the_numbers_endpoint),
        CASE(a_number_given_back_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
