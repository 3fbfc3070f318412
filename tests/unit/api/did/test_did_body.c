/* What a request of the DID API says: JSON or a form, strings or numbers. */
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

static struct request *body_of(const char *type, const char *body)
{
    char lines[100];
    snprintf(lines, sizeof lines, "Content-Type: %s\r\n", type);
    struct request *r = api_kit_request("POST", "/api/did/list", lines, body);
    json_free(r->json);
    r->json = NULL;
    return r;
}

static void is_arg(const char *type, const char *body, enum err due, const char *text)
{
    char out[16];
    struct request *r = body_of(type, body);
    assert_true(did_read(r));
    assert_int_equal(did_arg(r, "a", out, sizeof out), due);
    if (due == OK)
        assert_string_equal(out, text);
}

static void members_are_text(void **state)
{
    static const char json[] = "application/json", form[] = "application/x-www-form-urlencoded";
    is_arg(json, "{\"a\":\" x \"}", OK, "x");
    is_arg(json, "{\"a\":4711}", OK, "4711");
    is_arg(json, "{\"a\":null}", ERR_NOT_FOUND, "");
    is_arg(json, "{\"a\":\"\"}", ERR_NOT_FOUND, "");
    is_arg(json, "{}", ERR_NOT_FOUND, "");
    is_arg(json, "{\"a\":[1]}", ERR_INVALID, "");
    is_arg(json, "{\"a\":\"0123456789abcdef\"}", ERR_INVALID, "");
    is_arg(form, "a=x+y&b=2", OK, "x y");
    is_arg(form, "a=first&a=second", OK, "first");
    is_arg("text/plain", "{\"a\":\"x\"}", OK, "x"); /* some clients name the wrong type */
}

static void ids_are_rows_or_numbers(void **state)
{
    static const struct {
        const char *body;
        uint64_t n;
        const char *e164;
    } way[] = {
        {"{\"did_id\":\"7\"}", 7, ""},
        {"{\"did_id\":7}", 7, ""},
        {"{\"did_id\":\"+15550001\"}", 0, "+15550001"},
        {"{\"did_id\":\"4420123456\"}", 0, "+4420123456"},
        {"{\"did_id\":\"x\"}", 0, ""},
        {"{}", 0, ""},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        uint64_t n;
        char e164[NUMBER_SIZE];
        struct request *r = body_of("application/json", way[i].body);
        assert_true(did_read(r));
        did_id_arg(r, &n, e164);
        assert_int_equal(n, way[i].n);
        assert_string_equal(e164, way[i].e164);
    }
}

static void bodies_that_are_neither_are_refused(void **state)
{
    assert_false(did_read(body_of("application/json", "{\"a\":")));
    assert_false(did_read(body_of("multipart/form-data; boundary=x", "x")));
    struct answer *a = api_kit_ask("POST", "/api/did/list", NULL, "", "{\"token\":\"hst_none\"}");
    assert_int_equal(a->status, 401);
    did_kit_log_in();
    assert_true(did_is_good(did("list", "")));
    assert_int_equal(api_kit_ask("POST", "/api/did/list/", NULL, "", "{}")->status,
                     401); /* either way */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(members_are_text),
        CASE(ids_are_rows_or_numbers),
        CASE(bodies_that_are_neither_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
