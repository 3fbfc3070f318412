/* A receiver whose connections fail is knocked at, and what waits goes as soon as it is back. */
#include "deliver_kit.h"

#include "base/clock.h"

enum { OFTEN_MS = 2000, SELDOM_MS = 15000, TEN_MINUTES_MS = 600000, HOUR_MS = 3600000 };

/* An event whose connection is refused; the kit's clock stands at that moment. */
static uint64_t refused(const char *more)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, more);
    deliver_kit_event(1, "a", "a1");
    assert_int_equal(knock_count(), 0);
    post_reply(post_open(ep, "a1"), 0);
    return ep;
}

static void shut_for(int64_t ms)
{
    for (int64_t until_ms = clock_mono_ms() + ms; clock_mono_ms() < until_ms;) {
        deliver_kit_advance(1000);
        if (knock_last_open())
            knock_end(knock_last_open(), ERR_UNREACHABLE);
        if (post_last_open())
            post_reply(post_last_open(), 0);
    }
}

static void all_goes_when_a_knock_opens(int64_t shut_ms, int64_t every_ms)
{
    uint64_t ep = refused("");
    for (int i = 0; i < 12; i++) {
        char call[8], id[8];
        snprintf(call, sizeof call, "c%d", i);
        snprintf(id, sizeof id, "c%d_1", i);
        deliver_kit_event(1, call, id);
    }
    shut_for(shut_ms);
    size_t posts = post_count();
    for (int64_t waited_ms = 0; !knock_last_open(); waited_ms += 500) {
        assert_in_range(waited_ms, 0, every_ms);
        deliver_kit_advance(500);
        while (post_last_open()) /* a probe, on its own time */
            post_reply(post_last_open(), 0);
    }
    posts = post_count();
    knock_end(knock_last_open(), OK);
    deliver_kit_advance(1);
    assert_int_equal(post_count(), posts + 1); /* one tries it */
    size_t taken = 0;
    for (; post_count_open(); taken++)
        post_reply(post_last_open(), 200);
    assert_int_equal(taken, 13); /* nobody sat out a timer */
    assert_int_equal(stored_outage(ep).since_ms, 0);
    size_t knocks = knock_count();
    deliver_kit_advance(HOUR_MS);
    assert_int_equal(knock_count(), knocks);
    deliver_kit_end();
}

static void soon_and_late_all_goes_when_a_knock_opens(void **state)
{
    all_goes_when_a_knock_opens(5000, OFTEN_MS);
    all_goes_when_a_knock_opens(TEN_MINUTES_MS / 2, OFTEN_MS);
    all_goes_when_a_knock_opens(2 * HOUR_MS, SELDOM_MS);
}

static void it_is_knocked_at_often_and_then_seldom(void **state)
{
    refused("");
    shut_for(TEN_MINUTES_MS);
    assert_in_range(knock_count(), 190, TEN_MINUTES_MS / OFTEN_MS);
    size_t before = knock_count();
    shut_for(TEN_MINUTES_MS);
    assert_in_range(knock_count() - before, 35, TEN_MINUTES_MS / SELDOM_MS + 1);
    deliver_kit_end();
}

/* It takes connections and its TLS never answers: each attempt fails all the same. */
static void a_door_that_opens_in_vain_is_tried_less_and_less(void **state)
{
    refused("");
    for (int i = 0; i < HOUR_MS / 1000; i++) {
        deliver_kit_advance(1000);
        if (knock_last_open())
            knock_end(knock_last_open(), OK);
        if (post_last_open())
            post_fail_with(post_last_open(), ERR_UNREACHABLE);
    }
    assert_in_range(knock_count(), 5, 20);
    deliver_kit_end();
}

static void answers_and_other_failures_are_not_knocked_at(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    for (int i = 0; i < 3; i++) {
        static const enum err way[] = {ERR_RESET, ERR_TLS, ERR_BLOCKED};
        post_fail_with(post_open(ep, "a1"), way[i]);
        deliver_kit_advance(i ? 30000 : 800);
    }
    if (post_last_open())
        post_reply(post_last_open(), 500);
    deliver_kit_advance(60000);
    assert_int_equal(knock_count(), 0);
    deliver_kit_end();
}

static void the_pace_is_shared(void **state)
{
    enum { ENDPOINTS = 100, AT_ONCE = 64 };
    deliver_kit_begin();
    for (int i = 0; i < ENDPOINTS; i++)
        (void)deliver_kit_endpoint(1 + (uint64_t)i, "");
    for (int i = 0; i < ENDPOINTS; i++) {
        char id[16];
        snprintf(id, sizeof id, "e%d", i);
        deliver_kit_event(1 + (uint64_t)i, id, id);
        post_reply(post_last_open(), 0);
    }
    deliver_kit_advance(OFTEN_MS + 50);
    assert_in_range(knock_count(), 1, 12); /* 5 ms apart */
    deliver_kit_advance(1000);
    assert_int_equal(knock_count(), AT_ONCE);
    knock_end(knock_last_open(), ERR_UNREACHABLE);
    deliver_kit_advance(10);
    assert_int_equal(knock_count(), AT_ONCE + 1);
    deliver_kit_end();
}

static void an_endpoint_that_is_gone_is_left_alone(void **state)
{
    uint64_t ep = refused("");
    deliver_kit_advance(OFTEN_MS);
    assert_int_equal(knock_count(), 1);
    knock_end(knock_last_open(), ERR_UNREACHABLE);
    while (!post_last_open())
        deliver_kit_advance(1000);
    post_reply(post_last_open(), 410);
    assert_true(deliver_kit_is_disabled(ep));
    size_t before = knock_count();
    deliver_kit_advance(HOUR_MS);
    assert_int_equal(knock_count(), before);
    deliver_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(soon_and_late_all_goes_when_a_knock_opens),
        cmocka_unit_test(it_is_knocked_at_often_and_then_seldom),
        cmocka_unit_test(a_door_that_opens_in_vain_is_tried_less_and_less),
        cmocka_unit_test(answers_and_other_failures_are_not_knocked_at),
        cmocka_unit_test(the_pace_is_shared),
        cmocka_unit_test(an_endpoint_that_is_gone_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
