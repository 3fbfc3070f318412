#include "check.h"
#include "base/wheel.h"

static int64_t fired_at[16];
static int n_fired;
static struct wheel *wheel;

static void note(struct timer *t)
{
    fired_at[n_fired++] = *(int64_t *)t->arg;
}

static void fires_in_order_whatever_the_distance(void **state)
{
    int64_t due[] = {70000, 1, 5000, 64, 63, 300000, 4095, 4096};
    struct timer t[8] = {0};
    wheel = wheel_new(0);
    n_fired = 0;
    for (int i = 0; i < 8; i++)
        timer_set(wheel, &t[i], due[i], note, &due[i]);
    for (int64_t now = 0; now <= 300000; now += 7)
        wheel_advance(wheel, now);
    wheel_advance(wheel, 300001);
    assert_int_equal(n_fired, 8);
    for (int i = 1; i < 8; i++)
        assert_true(fired_at[i - 1] <= fired_at[i]);
    assert_int_equal(wheel_next_ms(wheel, 300001), -1);
    wheel_free(wheel);
}

static void never_early(void **state)
{
    int64_t due = 5000;
    struct timer t = {0};
    wheel = wheel_new(100);
    n_fired = 0;
    timer_set(wheel, &t, due, note, &due);
    for (int64_t now = 100; now < 5000; now += 13) {
        wheel_advance(wheel, now);
        assert_int_equal(n_fired, 0);
        assert_true(wheel_next_ms(wheel, now) <= due - now);
    }
    wheel_advance(wheel, 5000);
    assert_int_equal(n_fired, 1);
    wheel_free(wheel);
}

static void a_stopped_timer_stays_silent(void **state)
{
    int64_t due = 10;
    struct timer t = {0};
    wheel = wheel_new(0);
    n_fired = 0;
    timer_stop(&t);
    timer_set(wheel, &t, due, note, &due);
    assert_true(timer_is_set(&t));
    timer_stop(&t);
    assert_false(timer_is_set(&t));
    wheel_advance(wheel, 100);
    assert_int_equal(n_fired, 0);
    wheel_free(wheel);
}

static void again(struct timer *t)
{
    if (++n_fired < 3)
        timer_set(wheel, t, wheel_now_ms(wheel) + 10, again, t->arg);
}

static void may_be_set_again_while_it_fires(void **state)
{
    struct timer t = {0};
    wheel = wheel_new(0);
    n_fired = 0;
    timer_set(wheel, &t, 10, again, NULL);
    for (int64_t now = 0; now < 100; now++)
        wheel_advance(wheel, now);
    assert_int_equal(n_fired, 3);
    wheel_free(wheel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_in_order_whatever_the_distance),
        cmocka_unit_test(never_early),
        cmocka_unit_test(a_stopped_timer_stays_silent),
        cmocka_unit_test(may_be_set_again_while_it_fires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
