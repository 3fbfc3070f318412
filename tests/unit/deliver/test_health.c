#include "check.h"
#include "deliver/health.h"

static struct health h;
static int64_t now;

static enum health_change learn(bool ok)
{
    return health_learn(&h, ok ? HEALTH_TAKEN : HEALTH_FAILED, now, 12345);
}

static void start(void)
{
    h = (struct health){0};
    now = 1000000;
}

static void ten_in_a_row_fail_it(void **state)
{
    start();
    for (int i = 0; i < 9; i++)
        assert_int_equal(learn(false), HEALTH_SAME);
    assert_int_equal(learn(false), HEALTH_FELL);
    assert_false(health_may_send(&h, 0, 8, now));
    assert_false(health_may_send(&h, 0, 8, now + 20000));
    assert_true(health_may_send(&h, 0, 8, now + 40000));
    assert_false(health_may_send(&h, 1, 8, now + 40000)); /* one probe at a time */
}

static void seven_of_ten_fail_it(void **state)
{
    start();
    enum health_change last = HEALTH_SAME;
    for (int i = 0; i < 10; i++)
        last = learn(i % 10 < 3 ? true : false);
    assert_int_equal(last, HEALTH_FELL);
    start();
    for (int i = 0; i < 40; i++)
        assert_int_not_equal(learn(i % 2), HEALTH_FELL);
}

static void old_failures_are_forgotten(void **state)
{
    start();
    for (int i = 0; i < 9; i++)
        learn(false);
    now += 600000;
    learn(true);
    assert_int_equal(h.state, HEALTH_HEALTHY);
    for (int i = 0; i < 6; i++)
        assert_int_equal(learn(false), HEALTH_SAME);
}

static void probes_come_at_growing_waits(void **state)
{
    start();
    for (int i = 0; i < 10; i++)
        learn(false);
    int64_t last = 0;
    for (int i = 0; i < 8; i++) {
        int64_t wait = h.probe_at_ms - now;
        assert_true(wait >= last * 9 / 10);
        assert_true(wait <= 900000 * 11 / 10);
        last = wait;
        now = h.probe_at_ms;
        learn(false);
    }
    assert_true(last > 600000);
}

static void what_was_under_way_when_it_fell_is_no_probe(void **state)
{
    start();
    for (int i = 0; i < 10; i++)
        learn(false);
    int64_t probe_at_ms = h.probe_at_ms;
    for (int i = 0; i < 54; i++, now += 10)
        learn(false);
    assert_int_equal(h.probe_at_ms, probe_at_ms);
    now = probe_at_ms;
    learn(false);
    assert_true(h.probe_at_ms - now <= 66000); /* the second probe: twice 30 s, and jitter */
}

static void one_success_opens_a_window_that_grows(void **state)
{
    start();
    for (int i = 0; i < 10; i++)
        learn(false);
    assert_int_equal(learn(true), HEALTH_RECOVERED);
    assert_true(health_may_send(&h, 1, 8, now));
    assert_false(health_may_send(&h, 2, 8, now));
    for (int i = 0; i < 6; i++)
        assert_int_equal(learn(true), HEALTH_SAME);
    assert_true(health_may_send(&h, 7, 8, now));
    assert_false(health_may_send(&h, 8, 8, now));
}

static void events_it_never_takes_are_not_hurried_for_ever(void **state)
{
    start();
    unsigned hurried = 0;
    for (int second = 0; second < 3600; second++, now += 1000) {
        for (int i = 0; i < 3; i++)
            learn(false);
        for (int i = 0; i < 3; i++)
            hurried += learn(true) == HEALTH_RECOVERED;
    }
    assert_true(hurried >= 2 && hurried <= 10); /* after 30 s, a minute, … 15 minutes */
    now += 3600000;
    for (int i = 0; i < 3; i++)
        learn(false);
    assert_int_equal(learn(true), HEALTH_RECOVERED); /* an outage, after a calm hour */
}

static void an_event_refused_again_is_no_failure(void **state)
{
    start();
    learn(true);
    for (int i = 0; i < 100; i++, now += 1000)
        assert_int_equal(health_learn(&h, HEALTH_REFUSED, now, 1), HEALTH_SAME);
    assert_int_equal(h.state, HEALTH_HEALTHY);
    assert_true(health_may_send(&h, 7, 8, now));
    for (int i = 0; i < 10; i++)
        learn(false);
    assert_int_equal(h.state, HEALTH_FAILING);
    now = h.probe_at_ms;
    int64_t wait_ms = h.probe_wait_ms;
    health_learn(&h, HEALTH_REFUSED, now, 1); /* a receiver that refuses all is not back */
    assert_int_equal(h.state, HEALTH_FAILING);
    assert_int_equal(h.probe_wait_ms, 2 * wait_ms);
}

static void trouble_is_when_nothing_is_taken(void **state)
{
    start();
    assert_false(health_is_troubled(&h, now));
    health_learn(&h, HEALTH_REFUSED, now, 1);
    assert_true(health_is_troubled(&h, now));
    assert_int_equal(h.trouble_since_ms, now);
    learn(true);
    assert_false(health_is_troubled(&h, now));
    now += 1000;
    learn(false);
    assert_false(health_is_troubled(&h, now)); /* others were taken just now */
    assert_true(health_is_troubled(&h, now + 300000));
    assert_int_equal(h.trouble_since_ms, now);
}

static void five_days_end_it(void **state)
{
    start();
    for (int i = 0; i < 10; i++)
        learn(false);
    now += 5 * 86400000ll - 1;
    assert_int_equal(learn(false), HEALTH_SAME);
    now += 2;
    assert_int_equal(learn(false), HEALTH_GONE);
    assert_false(health_may_send(&h, 0, 8, now + 100000000));
    health_reset(&h);
    assert_true(health_may_send(&h, 0, 8, now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_in_a_row_fail_it),
        cmocka_unit_test(seven_of_ten_fail_it),
        cmocka_unit_test(old_failures_are_forgotten),
        cmocka_unit_test(probes_come_at_growing_waits),
        cmocka_unit_test(what_was_under_way_when_it_fell_is_no_probe),
        cmocka_unit_test(one_success_opens_a_window_that_grows),
        cmocka_unit_test(events_it_never_takes_are_not_hurried_for_ever),
        cmocka_unit_test(an_event_refused_again_is_no_failure),
        cmocka_unit_test(trouble_is_when_nothing_is_taken),
        cmocka_unit_test(five_days_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
