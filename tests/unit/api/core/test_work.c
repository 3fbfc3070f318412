/* A request's work on the store, and whose things it may look at. */
#include "api/core/work.h"
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

static unsigned runs;
static enum err gives;

static enum err work(struct request *r, struct db *db)
{
    runs++;
    assert_int_equal(r->http.out.n, 0); /* each run starts clean */
    assert_ptr_equal(r->db, db);
    r->http.status = 200;
    buf_puts(&r->http.out, "{}");
    return gives;
}

static unsigned n_committed;

static void committed(struct request *r)
{
    n_committed++;
}

static int status_of(bool writes)
{
    struct request *r = api_kit_request("POST", "/", "", NULL);
    runs = n_committed = 0;
    buf_puts(&r->http.out, "what a run before left");
    if (writes)
        request_write(r, work, committed);
    else
        request_read(r, work);
    api_kit_wait();
    return r->http.status;
}

static void it_is_answered_as_it_went(void **state)
{
    for (int writes = 0; writes < 2; writes++) {
        gives = OK;
        assert_int_equal(status_of(writes), 200);
        assert_int_equal(runs, 1);
        assert_int_equal(n_committed, writes);
        gives = ERR_NOT_FOUND;
        assert_int_equal(status_of(writes), 404);
        assert_int_equal(n_committed, 0);
    }
}

static void accounts_by_id_and_name(void **state)
{
    uint64_t n;
    struct request *r = api_kit_request("POST", "/", "", "{\"account\":\"pool\"}");
    assert_ok(request_account(r, &n));
    assert_int_equal(n, book_account_named(r->book, STR("pool"))->n);
    assert_int_equal(request_scope(r), 0);
    assert_true(account_id(r, n).n > 4);
    assert_int_equal(account_id(r, 12345678).n, 0);
    r->is_operator = false;
    assert_err(request_account(r, &n), ERR_INVALID); /* the operator alone may give it */
    assert_int_equal(request_scope(r), r->account);
    r = api_kit_request("POST", "/", "", "{\"account\":7}");
    assert_err(request_account(r, &n), ERR_INVALID);
    r = api_kit_request("POST", "/", "", "{}");
    assert_ok(request_account(r, &n));
    assert_int_equal(n, r->account);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(it_is_answered_as_it_went),
        CASE(accounts_by_id_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
