#include "check.h"
#include "smpp/reconnect.h"

/* Without jitter: the middle of the range. */
static int64_t middle(struct reconnect *r, int64_t first_ms, enum reconnect_end end,
                      int64_t bound_ms)
{
    struct reconnect low = *r, high = *r;
    int64_t from = reconnect_pause(&low, first_ms, end, bound_ms, 0);
    int64_t spread = from / (100 - RECONNECT_JITTER_PERCENT) * RECONNECT_JITTER_PERCENT;
    int64_t to = reconnect_pause(&high, first_ms, end, bound_ms, (uint64_t)(2 * spread));
    int64_t pause = reconnect_pause(r, first_ms, end, bound_ms, (uint64_t)spread);
    assert_int_equal(to - pause, pause - from);
    assert_int_equal(pause - from, pause / 5);
    return pause;
}

static void pauses_double_to_64_times_the_first(void **state)
{
    static const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 64000, 64000};
    struct reconnect r = {0};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(middle(&r, 1000, RECONNECT_FAILED, 0), want[i]);
}

static void refused_goes_to_the_long_pause_at_once(void **state)
{
    struct reconnect r = {0};
    assert_int_equal(middle(&r, 1000, RECONNECT_REFUSED, 0), 64000);
    assert_int_equal(middle(&r, 1000, RECONNECT_REFUSED, 0), 64000);
}

static void a_minute_bound_forgets_what_was(void **state)
{
    struct reconnect r = {0};
    for (int i = 0; i < 5; i++)
        (void)middle(&r, 1000, RECONNECT_FAILED, 0);
    assert_int_equal(middle(&r, 1000, RECONNECT_FAILED, RECONNECT_FORGET_MS - 1), 32000);
    assert_int_equal(middle(&r, 1000, RECONNECT_FAILED, RECONNECT_FORGET_MS), 1000);
    assert_int_equal(middle(&r, 1000, RECONNECT_FAILED, 5), 2000);
}

/* A carrier that takes a bind and drops it at once is not asked each second for ever. */
static void short_sessions_are_failures(void **state)
{
    struct reconnect r = {0};
    int64_t last = 0;
    for (int i = 0; i < 10; i++)
        last = middle(&r, 500, RECONNECT_FAILED, 3000);
    assert_int_equal(last, 32000);
}

static void every_random_stays_in_the_range(void **state)
{
    static const uint64_t random[] = {0, 1, 399, 400, 401, 12345, UINT64_MAX};
    for (size_t i = 0; i < sizeof random / sizeof random[0]; i++) {
        struct reconnect r = {0};
        int64_t pause = reconnect_pause(&r, 1000, RECONNECT_FAILED, 0, random[i]);
        assert_in_range(pause, 800, 1200);
        pause = reconnect_pause(&(struct reconnect){0}, 1, RECONNECT_FAILED, 0, random[i]);
        assert_int_equal(pause, 1); /* no room for a spread, and no division by it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_to_64_times_the_first),
        cmocka_unit_test(refused_goes_to_the_long_pause_at_once),
        cmocka_unit_test(a_minute_bound_forgets_what_was),
        cmocka_unit_test(short_sessions_are_failures),
        cmocka_unit_test(every_random_stays_in_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
