/* Endpoints as a kind of setting: URLs, numbers, certificates, secrets and their health. */
#include "api/core/endpoint_kind.h"
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

static void what_it_names_is_checked(void **state)
{
    static const struct {
        const char *body, *field;
    } bad[] = {
        {"{\"url\":\"mailto:x\"}", "url"},
        {"{\"url\":\"https://h.example\",\"fallback_url\":\"x\"}", "fallback_url"},
        {"{\"url\":\"https://h.example\",\"numbers\":[\"+15550009\"]}", "numbers[0]"},
        {"{\"url\":\"https://h.example\",\"ca_pem\":\"no\"}", "ca_pem"},
        {"{\"url\":\"https://h.example\",\"secret\":[\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]}",
         "secret"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *a = api_kit_must(422, "POST", "/v1/endpoints", bad[i].body);
        assert_string_equal(answer_text(a, "field"), bad[i].field);
    }
    api_kit_must(201, "POST", "/v1/numbers", "{\"number\":\"+15550009\"}");
    api_kit_must(201, "POST", "/v1/endpoints", bad[2].body);
}

static void a_secret_rotates_and_the_old_one_stays_a_day(void **state)
{
    char path[256], verb[300], old[128], now[128];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/endpoints", "{\"url\":\"https://h.example\"}");
    snprintf(path, sizeof path, "%s", a->location);
    snprintf(old, sizeof old, "%s", answer_text(a, "secret"));
    snprintf(verb, sizeof verb, "%s/rotate-secret", path);
    a = api_kit_must(200, "POST", verb, "{}");
    snprintf(now, sizeof now, "%s", answer_text(a, "secret"));
    assert_string_not_equal(now, old);
    struct request *r = api_kit_request("GET", "/", "", NULL);
    const struct book_endpoint *ep = book_endpoint_by_id(r->book, str_of(strrchr(path, '/') + 1));
    assert_string_equal(ep->set->secret[0], now);
    assert_string_equal(ep->set->secret[1], old);
    a = api_kit_must(422, "POST", verb, "{\"secret\":\"short\"}");
    assert_string_equal(answer_text(a, "field"), "secret");
}

static void it_is_switched_on_and_says_how_it_does(void **state)
{
    char path[256], verb[300];
    struct answer *a = api_kit_must(201, "POST", "/v1/endpoints",
                                    "{\"url\":\"https://h.example\",\"disabled\":true}");
    snprintf(path, sizeof path, "%s", a->location);
    assert_non_null(strstr(a->body, "\"state\":\"disabled\""));
    snprintf(verb, sizeof verb, "%s/enable", path);
    a = api_kit_must(200, "POST", verb, NULL);
    assert_non_null(strstr(a->body, "\"state\":\"healthy\""));
    assert_int_equal(api_kit_nudged, 1);
    snprintf(verb, sizeof verb, "%s/test", path);
    a = api_kit_must(202, "POST", verb, NULL);
    assert_int_equal(strncmp(answer_text(a, "event"), "evt_", 4), 0);
    assert_int_equal(api_kit_stored.n, 1);
    assert_int_equal(api_kit_stored.n_deliveries, 1);
}

static void there_is_room_for_so_many(void **state)
{
    struct answer *a;
    for (int i = 0; i < 64; i++)
        api_kit_must(201, "POST", "/v1/endpoints", "{\"url\":\"https://h.example\"}");
    a = api_kit_must(422, "POST", "/v1/endpoints", "{\"url\":\"https://h.example\"}");
    assert_string_equal(answer_text(a, "code"), "too_many_endpoints");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_it_names_is_checked),
        CASE(a_secret_rotates_and_the_old_one_stays_a_day),
        CASE(it_is_switched_on_and_says_how_it_does),
        CASE(there_is_room_for_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
