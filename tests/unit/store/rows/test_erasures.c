/* Erasures: one for a number at a time, how far it came, and its end. */
#include "rows_kit.h"
#include "store/rows/erasures.h"

static struct erasure make(struct db *db, const char *number)
{
    struct erasure e = {.account = 7};
    id_new("era", e.id);
    assert_ok(str_copy(str_of(number), e.number, sizeof e.number));
    assert_ok(erasure_put(db, &e));
    return e;
}

static void life(struct db *db)
{
    struct erasure first = make(db, "+447911123456"), got;
    struct erasure same = make(db, "+447911123456");
    assert_string_equal(same.id, first.id); /* the one that runs */
    struct erasure second = make(db, "+447911123457");
    assert_ok(erasure_next(db, &got));
    assert_string_equal(got.id, first.id);
    got.at_n = 5;
    got.at_call = 6;
    assert_ok(erasure_step(db, &got, 2, 1));
    assert_ok(erasure_step(db, &got, 3, 0));
    assert_ok(erasure_get(db, 7, str_of(first.id), &got));
    assert_int_equal(got.at_n, 5);
    assert_int_equal(got.at_call, 6);
    assert_int_equal(got.events, 5);
    assert_int_equal(got.calls, 1);
    assert_false(got.finished);
    assert_ok(erasure_end(db, got.n));
    assert_ok(erasure_next(db, &got));
    assert_string_equal(got.id, second.id);
    assert_err(erasure_get(db, 8, str_of(first.id), &got), ERR_NOT_FOUND);
    assert_ok(erasure_get(db, 0, str_of(first.id), &got));
    assert_true(got.finished && got.ended_at_ms > 0);
    struct erasure again = make(db, "+447911123456"); /* it does not run any more: a new one */
    assert_string_not_equal(again.id, first.id);
}

static void a_number_has_one_that_runs(void **state)
{
    in_job(life);
}

static void forgetting(struct db *db)
{
    struct erasure got;
    struct erasure running = make(db, "+447911123457");
    struct erasure ended = make(db, "+447911123458");
    assert_ok(erasure_end(db, ended.n));
    assert_ok(erasure_forget(db, 1));
    assert_ok(erasure_get(db, 0, str_of(ended.id), &got));
    assert_ok(erasure_forget(db, INT64_MAX));
    assert_err(erasure_get(db, 0, str_of(ended.id), &got), ERR_NOT_FOUND);
    assert_ok(erasure_get(db, 0, str_of(running.id), &got));
}

static void one_that_runs_is_never_forgotten(void **state)
{
    in_job(forgetting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_has_one_that_runs),
        cmocka_unit_test(one_that_runs_is_never_forgotten),
    };
    return cmocka_run_group_tests(tests, rows_begin, rows_end);
}
