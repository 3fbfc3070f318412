/* The index: what a call may write, what is let go, and what stays forgotten. */
#include "check.h"
#include "trace/index.h"

static struct trace_index *ix;

static int begin(void **state)
{
    ix = trace_index_new();
    return ix ? 0 : -1;
}

static int end(void **state)
{
    trace_index_free(ix);
    return 0;
}

static struct trace_entry *make(uint64_t n, uint64_t last)
{
    struct trace_id id = {{n, 1}};
    struct trace_entry *c = trace_index_make(ix, &id, 0);
    assert_non_null(c);
    c->last = last;
    return c;
}

static struct trace_entry *get(uint64_t n)
{
    struct trace_id id = {{n, 1}};
    return trace_index_get(ix, &id);
}

static void a_call_is_made_once(void **state)
{
    assert_null(get(1));
    struct trace_entry *c = make(1, 10);
    assert_ptr_equal(make(1, 20), c);
    assert_ptr_equal(get(1), c);
    assert_int_equal(trace_index_count(ix), 1);
    trace_index_remove(ix, c);
    assert_null(get(1));
    assert_int_equal(trace_index_count(ix), 0);
}

static void messages_are_counted_and_come_back(void **state)
{
    struct trace_entry *c = make(1, 10);
    for (int i = 0; i < TRACE_CALL_MESSAGES; i++)
        assert_true(trace_entry_admits(c, 1, 0));
    assert_false(trace_entry_admits(c, 1, 0));
    assert_false(trace_entry_admits(c, 1, TRACE_REFILL_MS - 1));
    assert_true(trace_entry_admits(c, 1, TRACE_REFILL_MS));
    assert_false(trace_entry_admits(c, 1, TRACE_REFILL_MS));
    assert_true(trace_entry_admits(c, 1, 3 * TRACE_REFILL_MS));
    assert_true(trace_entry_admits(c, 1, 3 * TRACE_REFILL_MS));
    assert_false(trace_entry_admits(c, 1, 3 * TRACE_REFILL_MS));
}

static void bytes_are_counted_too_and_no_more_come_back_than_there_were(void **state)
{
    struct trace_entry *c = make(1, 10);
    assert_true(trace_entry_admits(c, TRACE_CALL_BYTES, 0));
    assert_false(trace_entry_admits(c, 1, 0));
    assert_true(trace_entry_admits(c, TRACE_REFILL_BYTES, TRACE_REFILL_MS));
    assert_false(trace_entry_admits(c, 1, TRACE_REFILL_MS));
    int64_t later = INT64_C(1000) * 3600 * 24 * 365;
    for (int i = 0; i < TRACE_CALL_BYTES / 4096; i++)
        assert_true(trace_entry_admits(c, 4096, later));
    assert_false(trace_entry_admits(c, 1, later));
}

static void calls_go_with_their_newest_record(void **state)
{
    for (uint64_t n = 1; n <= 100; n++)
        make(n, n * 10);
    trace_index_evict(ix, 500, 0);
    assert_int_equal(trace_index_count(ix), 51);
    assert_null(get(49));
    assert_non_null(get(50));
    size_t met = 0;
    struct trace_entry *c;
    for (size_t i = 0; (c = trace_index_next(ix, &i)); met++)
        assert_true(c->last >= 500);
    assert_int_equal(met, 51);
}

/* The log asks it about a call that may still be up: the mark outlives the records. */
static void a_forgotten_call_is_remembered_as_such_for_a_while(void **state)
{
    struct trace_entry *c = make(1, 10);
    trace_index_forget(ix, c, 1000);
    c = get(1);
    assert_non_null(c);
    assert_int_equal(c->last, 0);
    assert_true(c->forgotten_at_ms != 0);
    trace_index_evict(ix, 1, 1000 + TRACE_FORGOTTEN_MS);
    assert_non_null(get(1));
    trace_index_evict(ix, 1, 1000 + TRACE_FORGOTTEN_MS + 1);
    assert_null(get(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_call_is_made_once, begin, end),
        cmocka_unit_test_setup_teardown(messages_are_counted_and_come_back, begin, end),
        cmocka_unit_test_setup_teardown(bytes_are_counted_too_and_no_more_come_back_than_there_were,
                                        begin, end),
        cmocka_unit_test_setup_teardown(calls_go_with_their_newest_record, begin, end),
        cmocka_unit_test_setup_teardown(a_forgotten_call_is_remembered_as_such_for_a_while, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
