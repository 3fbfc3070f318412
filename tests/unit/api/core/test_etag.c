/* Versions of settings as a client names them (RFC 9110 §13). */
#include "api/core/etag.h"
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

static enum err matches(const char *lines)
{
    return request_if_match(api_kit_request("PATCH", "/", lines, NULL), 3);
}

static void a_change_may_name_the_version_that_it_is_of(void **state)
{
    assert_ok(matches(""));
    assert_ok(matches("If-Match: \"3\"\r\n"));
    assert_ok(matches("If-Match: *\r\n"));
    assert_ok(matches("If-Match: \"1\", \"3\"\r\n"));
    assert_err(matches("If-Match: \"2\"\r\n"), ERR_AGAIN);
    assert_err(matches("If-Match: W/\"3\"\r\n"), ERR_AGAIN); /* weak is not sure enough */
    assert_err(matches("If-Match: 3\r\n"), ERR_INVALID);
    assert_err(matches("If-Match: \"3\",\r\n"), ERR_INVALID);
    assert_err(matches("If-Match: \"3\r\n"), ERR_INVALID);
    assert_err(matches("If-Match:\r\n"), ERR_INVALID);
}

static int status_of(const char *method, const char *lines)
{
    struct request *r = api_kit_request(method, "/", lines, NULL);
    r->http.status = 200;
    buf_puts(&r->http.out, "{}");
    request_if_none_match(r, 3);
    assert_int_equal(r->http.out.n, r->http.status == 200 ? 2 : 0);
    return r->http.status;
}

static void what_the_client_has_is_not_sent_again(void **state)
{
    assert_int_equal(status_of("GET", ""), 200);
    assert_int_equal(status_of("GET", "If-None-Match: \"3\"\r\n"), 304);
    assert_int_equal(status_of("GET", "If-None-Match: W/\"3\"\r\n"), 304);
    assert_int_equal(status_of("GET", "If-None-Match: \"1\" , \"3\"\r\n"), 304);
    assert_int_equal(status_of("GET", "If-None-Match: *\r\n"), 304);
    assert_int_equal(status_of("GET", "If-None-Match: \"2\"\r\n"), 200);
    assert_int_equal(status_of("GET", "If-None-Match: 3\r\n"), 200); /* no tag asks for nothing */
    assert_int_equal(status_of("POST", "If-None-Match: \"3\"\r\n"), 200);
    struct request *r = api_kit_request("GET", "/", "", NULL);
    request_put_etag(r, 17);
    assert_string_equal(r->http.etag, "\"17\"");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_change_may_name_the_version_that_it_is_of),
        CASE(what_the_client_has_is_not_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
