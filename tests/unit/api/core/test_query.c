/* Pages, times and numbers of a query, and members of a body. */
#include "api/core/query.h"
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

static struct request *ask(const char *query)
{
    char path[512];
    snprintf(path, sizeof path, "/v1/numbers?%s", query);
    return api_kit_request("GET", path, "", NULL);
}

static void pages(void **state)
{
    static const struct {
        const char *query;
        enum err err;
        unsigned limit;
    } way[] = {
        {"", OK, 50},
        {"limit=1", OK, 1},
        {"limit=500", OK, 500},
        {"limit=0", ERR_INVALID, 0},
        {"limit=501", ERR_INVALID, 0},
        {"limit=ten", ERR_INVALID, 0},
        {"limit=-1", ERR_INVALID, 0},
        {"cursor=made-up", ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        unsigned limit;
        int64_t cursor;
        struct request *r = ask(way[i].query);
        assert_int_equal(request_page(r, CURSOR_EVENTS, &limit, &cursor), way[i].err);
        if (way[i].err == OK) {
            assert_int_equal(limit, way[i].limit);
            assert_int_equal(cursor, 0);
        } else {
            assert_int_equal(strncmp(way[i].query, r->fault.field, strlen(r->fault.field)), 0);
        }
    }
}

/* A cursor leads on in its own list, for who got it, and nowhere else. */
static void cursors_are_of_one_list_and_asker(void **state)
{
    char text[64], query[100];
    struct json_writer w;
    unsigned limit;
    int64_t n;
    struct request *r = ask("");
    list_begin(r, &w);
    list_end(r, &w, CURSOR_EVENTS, 4711);
    struct json *doc;
    struct str next;
    assert_ok(json_parse(buf_str(&r->http.out), &doc, NULL, 0));
    assert_true(json_str(json_get(doc, "next_cursor"), &next));
    assert_ok(str_copy(next, text, sizeof text));
    json_free(doc);
    snprintf(query, sizeof query, "cursor=%s", text);
    assert_ok(request_page(ask(query), CURSOR_EVENTS, &limit, &n));
    assert_int_equal(n, 4711);
    assert_err(request_page(ask(query), CURSOR_CALLS, &limit, &n), ERR_INVALID);
    r = ask(query);
    r->is_operator = false;
    assert_err(request_page(r, CURSOR_EVENTS, &limit, &n), ERR_INVALID);
}

static void times(void **state)
{
    int64_t ms;
    assert_ok(request_time(ask("since=2024-11-15T14:32:00Z"), "since", &ms));
    assert_true(ms == INT64_C(1731681120000));
    assert_ok(request_time(ask("since=1731681120000"), "since", &ms));
    assert_true(ms == INT64_C(1731681120000));
    assert_ok(request_time(ask(""), "since", &ms));
    assert_int_equal(ms, 0);
    assert_err(request_time(ask("since=yesterday"), "since", &ms), ERR_INVALID);
    struct request *r = api_kit_request(
        "POST", "/", "", "{\"a\":\"2024-11-15T14:32:00Z\",\"b\":7,\"c\":null,\"d\":-1}");
    assert_ok(request_body_time(r, "a", &ms));
    assert_true(ms == INT64_C(1731681120000));
    assert_ok(request_body_time(r, "b", &ms));
    assert_int_equal(ms, 7);
    assert_ok(request_body_time(r, "c", &ms));
    assert_int_equal(ms, 0);
    assert_err(request_body_time(r, "d", &ms), ERR_INVALID);
}

static void numbers_of_a_query(void **state)
{
    char out[NUMBER_SIZE];
    assert_str(request_number(ask("peer=%2B44"), "peer", out), "+44");
    assert_str(request_number(ask("peer=+44"), "peer", out), "+44"); /* it came as a blank */
    assert_str(request_number(ask("peer=44"), "peer", out), "44");
    assert_str(request_did(ask("number=4420"), out), "+4420");
    assert_str(request_did(ask("number=short"), out), "short");
}

static void members_and_urls(void **state)
{
    struct request *r = api_kit_request("POST", "/", "", "{\"since\":1,\"until\":2}");
    assert_ok(request_members(r, "since, until"));
    assert_err(request_members(r, "since"), ERR_INVALID);
    assert_string_equal(r->fault.field, "until");
    assert_err(request_members(api_kit_request("POST", "/", "", "[]"), "since"), ERR_INVALID);
    r = ask("");
    assert_ok(request_check_url(r, "url", STR("https://h.example/a")));
    assert_err(request_check_url(r, "url", STR("ftp://h.example")), ERR_INVALID);
    assert_string_equal(r->fault.field, "url");
}

static void lists_of_an_account(void **state)
{
    uint64_t scope;
    assert_ok(request_list_scope(ask(""), &scope));
    assert_int_equal(scope, 0);
    struct request *r = ask("account=default");
    assert_ok(request_list_scope(r, &scope));
    assert_int_equal(scope, r->account);
    assert_err(request_list_scope(ask("account=nobody"), &scope), ERR_NOT_FOUND);
    r = ask("account=default");
    r->is_operator = false;
    assert_err(request_list_scope(r, &scope), ERR_INVALID);
    r = ask("");
    r->is_operator = false;
    assert_ok(request_list_scope(r, &scope));
    assert_int_equal(scope, r->account);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(pages),
        CASE(cursors_are_of_one_list_and_asker),
        CASE(times),
        CASE(numbers_of_a_query),
        CASE(members_and_urls),
        CASE(lists_of_an_account),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
