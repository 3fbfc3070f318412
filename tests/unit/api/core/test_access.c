/* From a credential to who asks and what he may. */
#include "api/core/access.h"
#include "base/crypto.h"
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

static void credentials_are_found_by_their_hash(void **state)
{
    char a[CREDENTIAL_SIZE], b[CREDENTIAL_SIZE], hash[65], again[65];
    credential_new("hsk_", a, hash);
    credential_new("hsk_", b, again);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), CREDENTIAL_SIZE - 1);
    assert_int_equal(strncmp(a, "hsk_", 4), 0);
    credential_hash(str_of(a), again);
    assert_string_equal(hash, again);
}

static bool known(const char *lines, bool takes_basic)
{
    return access_by_header(api_kit_request("GET", "/", lines, NULL), takes_basic);
}

static void a_key_comes_as_bearer(void **state)
{
    char lines[256];
    snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", api_kit_operator);
    struct request *r = api_kit_request("GET", "/", lines, NULL);
    r->is_operator = r->can_read = false;
    assert_true(access_by_header(r, false));
    assert_true(r->is_operator && r->can_read && r->can_write && r->can_ingest);
    assert_string_equal(r->asker.name, "bootstrap");
    assert_int_equal(r->asker.user, 0);
    assert_true(request_is_still_allowed(r));
    snprintf(lines, sizeof lines, "Authorization: bearer   %s\r\n", api_kit_operator);
    assert_true(known(lines, false));
    snprintf(lines, sizeof lines, "Authorization: Bearer %sx\r\n", api_kit_operator);
    assert_false(known(lines, false));
    assert_false(known("", false));
    assert_false(known("Authorization: Bearer \r\n", false));
}

static void or_as_the_password_of_basic(void **state)
{
    char lines[512], text[256];
    struct buf b;
    buf_init(&b, 512);
    snprintf(text, sizeof text, "anybody:%s", api_kit_operator);
    buf_put_base64(&b, str_of(text));
    snprintf(lines, sizeof lines, "Authorization: Basic %.*s\r\n", STR_FMT(buf_str(&b)));
    buf_fini(&b);
    assert_true(known(lines, true));
    assert_false(known(lines, false)); /* only where programs can do nothing else */
    struct request *r = api_kit_request("GET", "/", "Authorization: Basic !!\r\n", NULL);
    assert_false(access_by_header(r, true));
    assert_non_null(strstr(r->http.challenge, "Basic"));
}

static void a_key_that_is_gone_is_nobodys(void **state)
{
    char key[128], path[256], lines[256];
    struct answer *a =
        api_kit_must(201, "POST", "/v1/keys", "{\"name\":\"k\",\"scopes\":[\"read\"]}");
    snprintf(key, sizeof key, "%s", answer_text(a, "key"));
    snprintf(path, sizeof path, "%s", a->location);
    snprintf(lines, sizeof lines, "Authorization: Bearer %s\r\n", key);
    assert_true(known(lines, false));
    api_kit_must(204, "DELETE", path, NULL);
    assert_false(known(lines, false));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(credentials_are_found_by_their_hash),
        CASE(a_key_comes_as_bearer),
        CASE(or_as_the_password_of_basic),
        CASE(a_key_that_is_gone_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
