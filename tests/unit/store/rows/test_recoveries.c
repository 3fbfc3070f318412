/* Recoveries: one at a time for an endpoint, steps that count once, endpoints in turn. */
#include "rows_kit.h"
#include "store/rows/recoveries.h"

static struct recovery make(struct db *db, uint64_t endpoint, uint64_t account)
{
    struct recovery r = {.account = account,
                         .endpoint = endpoint,
                         .since_ms = 10,
                         .until_ms = 20,
                         .last_n = 100,
                         .expected = 3};
    id_new("rec", r.id);
    snprintf(r.endpoint_id, sizeof r.endpoint_id, "ep_%d", (int)endpoint);
    assert_ok(recovery_put(db, &r));
    return r;
}

static void life(struct db *db)
{
    struct recovery r = make(db, 1, 7), got, second;
    assert_true(r.n > 0 && r.created_at_ms > 0);
    second = r;
    id_new("rec", second.id);
    second.n = 0;
    assert_err(recovery_put(db, &second), ERR_EXISTS);
    assert_err(recovery_get(db, 8, str_of(r.id), &got), ERR_NOT_FOUND);
    assert_ok(recovery_get(db, 7, str_of(r.id), &got));
    assert_int_equal(got.state, RECOVERY_RUNNING);
    assert_int_equal(got.expected, 3);
    assert_ok(recovery_step(db, &got, 50, 2));
    assert_err(recovery_step(db, &got, 60, 1), ERR_AGAIN); /* it stands at 50 now */
    assert_ok(recovery_get(db, 0, str_of(r.id), &got));
    assert_int_equal(got.at_n, 50);
    assert_int_equal(got.done, 2);
    assert_ok(recovery_end(db, r.n, RECOVERY_FINISHED));
    assert_ok(recovery_end(db, r.n, RECOVERY_CANCELED)); /* it does not run: nothing changes */
    assert_ok(recovery_get(db, 0, str_of(r.id), &got));
    assert_int_equal(got.state, RECOVERY_FINISHED);
    assert_true(got.ended_at_ms > 0);
    assert_err(recovery_step(db, &got, 90, 1), ERR_AGAIN);
    second.n = 0;
    assert_ok(recovery_put(db, &second)); /* the endpoint is free again */
    assert_ok(recovery_end(db, second.n, RECOVERY_CANCELED));
}

static void a_step_counts_once_and_an_ended_one_steps_no_more(void **state)
{
    in_job(life);
}

static void turns(struct db *db)
{
    struct recovery got;
    int64_t running = 0;
    make(db, 30, 7);
    make(db, 10, 7);
    make(db, 20, 8);
    assert_ok(recovery_count_running(db, &running));
    assert_int_equal(running, 3);
    uint64_t after = 0;
    for (uint64_t endpoint = 10; endpoint <= 30; endpoint += 10) {
        assert_ok(recovery_next(db, after, &got));
        assert_int_equal(got.endpoint, endpoint);
        after = got.endpoint;
    }
    assert_err(recovery_next(db, after, &got), ERR_NOT_FOUND);
    assert_ok(recovery_end_endpoint(db, 20));
    assert_ok(recovery_next(db, 10, &got));
    assert_int_equal(got.endpoint, 30);
}

static void endpoints_take_turns(void **state)
{
    in_job(turns);
}

static bool count(void *arg, const struct recovery *r)
{
    ++*(size_t *)arg;
    return true;
}

static size_t listed(struct db *db, uint64_t account, uint64_t endpoint)
{
    size_t n = 0;
    assert_ok(recovery_list(db, account, endpoint, 0, 100, count, &n));
    return n;
}

static void forgetting(struct db *db)
{
    assert_int_equal(listed(db, 7, 1), 2); /* both ended */
    assert_int_equal(listed(db, 8, 1), 0);
    assert_ok(recovery_forget(db, 1)); /* none ended that early */
    assert_int_equal(listed(db, 7, 1), 2);
    assert_ok(recovery_forget(db, INT64_MAX));
    assert_int_equal(listed(db, 7, 1), 0);
    assert_int_equal(listed(db, 7, 30), 1); /* it runs */
}

static void one_that_runs_is_never_forgotten(void **state)
{
    in_job(forgetting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_counts_once_and_an_ended_one_steps_no_more),
        cmocka_unit_test(endpoints_take_turns),
        cmocka_unit_test(one_that_runs_is_never_forgotten),
    };
    return cmocka_run_group_tests(tests, rows_begin, rows_end);
}
