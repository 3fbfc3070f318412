/* The rate of a key: a burst, then evenly, and nobody pays for another. */
#include "check.h"
#include "api/http/rate.h"
#include "base/clock.h"

static void a_burst_then_evenly(void **state)
{
    struct rates *l;
    clock_fake(1000000);
    assert_ok(rates_new(10, &l));
    for (unsigned i = 0; i < 20; i++) {
        struct rate t = rates_take(l, 7);
        assert_true(t.allowed);
        assert_int_equal(t.remaining, 19 - i);
    }
    struct rate over = rates_take(l, 7);
    assert_false(over.allowed);
    assert_int_equal(over.remaining, 0);
    assert_int_equal(over.retry_in_sec, 1);
    assert_int_equal(over.full_in_sec, 2);
    clock_advance(100);
    assert_true(rates_take(l, 7).allowed);
    assert_false(rates_take(l, 7).allowed);
    clock_advance(60000);
    assert_int_equal(rates_take(l, 7).remaining, 19);
    rates_free(l);
    clock_real();
}

static void keys_do_not_pay_for_each_other(void **state)
{
    struct rates *l;
    clock_fake(1000000);
    assert_ok(rates_new(1, &l));
    while (rates_take(l, 1).allowed)
        ;
    assert_true(rates_take(l, 2).allowed);
    assert_false(rates_take(l, 1).allowed);
    assert_true(rates_take(l, 1 + 1024).allowed); /* shares the place: generous, not strict */
    rates_free(l);
    clock_real();
}

static void a_limit_may_change(void **state)
{
    struct rates *l;
    clock_fake(1000000);
    assert_ok(rates_new(10, &l));
    assert_int_equal(rates_take(l, 7).remaining, 19);
    rates_set(l, 1);
    assert_int_equal(rates_take(l, 7).remaining, 1);
    rates_set(l, 0);
    assert_int_equal(rates_take(l, 7).per_sec, 0);
    rates_free(l);
    clock_real();
}

static void without_a_limit_all_are_taken(void **state)
{
    struct rates *l;
    assert_ok(rates_new(0, &l));
    for (unsigned i = 0; i < 100000; i++)
        assert_true(rates_take(l, 1).allowed);
    assert_int_equal(rates_take(l, 1).per_sec, 0);
    rates_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_evenly),
        cmocka_unit_test(keys_do_not_pay_for_each_other),
        cmocka_unit_test(a_limit_may_change),
        cmocka_unit_test(without_a_limit_all_are_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
