/* Errors of the API, in one shape; those of the DID API in its own. */
#include "api/core/problem.h"
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

static struct answer a;

static const char *said(struct request *r, const char *member)
{
    json_free(a.json);
    a.json = NULL;
    assert_ok(json_parse(buf_str(&r->http.out), &a.json, NULL, 0));
    return answer_text(&a, member);
}

static struct request *at(const char *path)
{
    return api_kit_request("GET", path, "", NULL);
}

static void a_problem_is_one_of_rfc_9457(void **state)
{
    struct request *r = at("/v1/numbers");
    buf_puts(&r->http.out, "half an answer");
    problem(r, 404, "not_found", "There is no such thing.");
    assert_int_equal(r->http.status, 404);
    assert_string_equal(r->http.content_type, "application/problem+json");
    assert_string_equal(said(r, "title"), "Not Found");
    assert_string_equal(said(r, "code"), "not_found");
    assert_string_equal(said(r, "detail"), "There is no such thing.");
    problem_of_refusal(&r->http, &(struct http_refusal){413, "too_large", "Too much."});
    assert_int_equal(r->http.status, 413);
    assert_string_equal(said(r, "detail"), "Too much.");
}

static void a_field_is_named_in_a_sentence(void **state)
{
    struct request *r = at("/v1/numbers");
    problem_field(r, "limit", "a whole number from 1 to 500");
    assert_int_equal(r->http.status, 422);
    assert_string_equal(said(r, "detail"), "limit must be a whole number from 1 to 500.");
    assert_string_equal(said(r, "field"), "limit");
    problem_field(r, "url", "needed");
    assert_string_equal(said(r, "detail"), "url is needed.");
    problem_field(r, "x", "no such field");
    assert_string_equal(said(r, "detail"), "x: no such field.");
    assert_err(request_refuse(r, "a", "b"), ERR_INVALID);
    problem_of_err(r, ERR_INVALID);
    assert_string_equal(said(r, "detail"), "a must be b.");
}

static void each_error_has_a_status(void **state)
{
    static const struct {
        enum err err;
        int status;
        const char *code;
    } way[] = {
        {ERR_NOT_FOUND, 404, "not_found"},     {ERR_EXISTS, 409, "exists"},
        {ERR_AGAIN, 412, "changed_meanwhile"}, {ERR_INVALID, 422, "invalid"},
        {ERR_DENIED, 403, "forbidden"},        {ERR_TOO_BIG, 413, "too_large"},
        {ERR_STORE_FULL, 507, "disk_full"},    {ERR_STORE_UNSURE, 503, "store_unavailable"},
        {ERR_STORE, 503, "store_unavailable"}, {ERR_NOMEM, 503, "store_unavailable"},
        {ERR_FULL, 503, "store_unavailable"},  {ERR_BUG, 500, "internal"},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        struct request *r = at("/v1/numbers");
        problem_of_err(r, way[i].err);
        assert_int_equal(r->http.status, way[i].status);
        assert_string_equal(said(r, "code"), way[i].code);
        r = at("/api/did/list"); /* its clients look at the body */
        problem_of_err(r, way[i].err);
        bool in_body = way[i].status == 409 || way[i].status == 412 || way[i].status == 422;
        assert_int_equal(r->http.status, in_body ? 200 : way[i].status);
        assert_string_equal(said(r, "code"), way[i].code);
        assert_non_null(strstr(r->http.out.p, "\"status\":false"));
    }
    struct request *r = at("/v1/numbers");
    problem_not_taken(r, ERR_AGAIN); /* a queue's share is taken */
    assert_int_equal(r->http.status, 429);
    assert_int_equal(r->http.retry_after_s, 1);
    r->fault_code = "call_ended";
    snprintf(r->fault.why, sizeof r->fault.why, "It has ended.");
    problem_of_err(r, ERR_EXISTS);
    assert_string_equal(said(r, "code"), "call_ended");
    assert_string_equal(said(r, "detail"), "It has ended.");
    json_free(a.json);
    a.json = NULL;
}

static void items_of_a_batch_are_told_each(void **state)
{
    static const struct item_fault faults[] = {{1, {"type", "a kind"}}, {7, {"id", "an id"}}};
    struct request *r = at("/v1/events");
    problem_items(r, true, faults, 2, 5);
    assert_int_equal(r->http.status, 422);
    assert_non_null(strstr(r->http.out.p, "\"index\":7"));
    said(r, "code");
    assert_int_equal(json_len(json_get(a.json, "errors")), 2);
    json_free(a.json);
    a.json = NULL;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_problem_is_one_of_rfc_9457),
        CASE(a_field_is_named_in_a_sentence),
        CASE(each_error_has_a_status),
        CASE(items_of_a_batch_are_told_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
