/* An outage: kept in the store with its last error, for people and for the next process, and over
 * with the first answer. */
#include "deliver_kit.h"

#include "base/clock.h"

enum { PROBE_MS = 27000 /* the first, 30 s less the jitter */ };

static void an_outage_keeps_its_last_error(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    assert_int_equal(stored_outage(ep).since_ms, 0);
    deliver_kit_make_fail(1, ep);
    int64_t since_ms = clock_wall_ms();
    struct outage o = stored_outage(ep);
    assert_int_equal(o.since_ms, since_ms);
    assert_true(o.is_failing);
    assert_int_equal(o.last_at_ms, since_ms);
    assert_int_equal(o.status, 500);
    assert_int_equal(o.err, OK);
    assert_string_equal(o.detail, "");
    assert_int_equal(o.next_at_ms, since_ms + PROBE_MS);
    deliver_kit_advance(PROBE_MS);
    assert_int_equal(post_count_open(), 1);
    post_reply(post_last_open(), 0);
    o = stored_outage(ep);
    assert_int_equal(o.since_ms, since_ms);
    assert_int_equal(o.last_at_ms, since_ms + PROBE_MS);
    assert_int_equal(o.status, 0);
    assert_int_equal(o.err, ERR_UNREACHABLE);
    assert_string_equal(o.detail, "refused");
    assert_int_equal(o.next_at_ms, since_ms + PROBE_MS + 2 * PROBE_MS);
    deliver_kit_end();
}

/* Nothing of it was taken: told, though it is not failing yet and all that is due leaves. */
static void trouble_is_told_before_it_is_an_outage(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 400);
    int64_t since_ms = clock_wall_ms();
    for (int i = 0; i < 14; i++) { /* refused again and again, it is the event's own trouble */
        struct outage o = stored_outage(ep);
        assert_int_equal(o.since_ms, since_ms);
        assert_int_equal(o.status, 400);
        assert_false(o.is_failing);
        assert_int_equal(o.next_at_ms, stored_delivery(ep, "a1").next_at_ms);
        deliver_kit_advance(o.next_at_ms - clock_wall_ms());
        post_reply(post_open(ep, "a1"), 400);
        if (i == 3)
            deliver_kit_restart();
    }
    deliver_kit_event(1, "b", "b1");
    post_reply(post_open(ep, "b1"), 200);
    assert_int_equal(stored_outage(ep).since_ms, 0);
    deliver_kit_end();
}

static void an_answer_ends_it_and_all_that_waits_goes(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_make_fail(1, ep);
    deliver_kit_advance(PROBE_MS - 1);
    assert_int_equal(post_count_open(), 0);
    deliver_kit_advance(1);
    assert_int_equal(post_count_open(), 1); /* one probe at a time */
    post_reply(post_last_open(), 200);
    assert_int_equal(stored_outage(ep).since_ms, 0);
    assert_int_equal(deliver_kit_queue(ep)->health.state, HEALTH_HEALTHY);
    size_t taken = 1;
    for (; post_count_open(); taken++) /* nobody sits out its timer */
        post_reply(post_last_open(), 200);
    assert_in_range(taken, 10, 16);
    deliver_kit_end();
}

static void the_next_process_knows_of_it(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_make_fail(1, ep);
    int64_t since_ms = stored_outage(ep).since_ms;
    deliver_kit_advance(1000);
    size_t before = post_count();
    deliver_kit_restart();
    struct queue *t = deliver_kit_queue(ep);
    assert_int_equal(t->health.state, HEALTH_FAILING);
    assert_int_equal(t->health.failing_since_ms, clock_mono_of(since_ms));
    deliver_kit_advance(1);
    assert_int_equal(post_count(), before + 1); /* probed soon, and one at a time */
    post_reply(post_at(before), 500);
    assert_int_equal(stored_outage(ep).since_ms, since_ms);
    assert_int_equal(post_count_open(), 0);
    deliver_kit_end();
}

/* Five days since it began, though the daemon was started again on the way. */
static void five_days_are_five_days_across_a_restart(void **state)
{
    enum { DAY_MS = 86400000 };
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, ",\"retry\":{\"schedule_s\":[3600],"
                                          "\"give_up_after_s\":2592000}");
    deliver_kit_make_fail(1, ep);
    int64_t since_ms = stored_outage(ep).since_ms;
    for (int i = 0; clock_wall_ms() - since_ms < 5ll * DAY_MS; i++) {
        if (i == 300)
            deliver_kit_restart();
        while (post_count_open())
            post_reply(post_last_open(), 500);
        assert_false(deliver_kit_is_disabled(ep));
        deliver_kit_advance(600000);
    }
    for (int i = 0; i < 4 && !deliver_kit_is_disabled(ep); i++) {
        while (post_count_open())
            post_reply(post_last_open(), 500);
        deliver_kit_advance(600000);
    }
    assert_true(deliver_kit_is_disabled(ep));
    deliver_kit_end();
}

/* It is written with the next change. */
static void a_store_that_fails_loses_no_outage(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_make_fail(1, ep);
    deliver_kit_queue(ep)->saved = false;
    deliver_kit_advance(PROBE_MS);
    post_reply(post_last_open(), 503);
    assert_int_equal(stored_outage(ep).status, 503);
    assert_true(deliver_kit_queue(ep)->saved);
    deliver_kit_end();
}

static void a_person_ends_it(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_make_fail(1, ep);
    size_t before = post_count();
    deliver_nudge(deliver_kit.deliver, ep);
    deliver_kit_turn();
    assert_int_equal(stored_outage(ep).since_ms, 0);
    assert_int_equal(post_count(), before + 2); /* the window begins with two */
    while (post_count_open())
        post_reply(post_last_open(), 200);
    deliver_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_outage_keeps_its_last_error),
        cmocka_unit_test(trouble_is_told_before_it_is_an_outage),
        cmocka_unit_test(an_answer_ends_it_and_all_that_waits_goes),
        cmocka_unit_test(the_next_process_knows_of_it),
        cmocka_unit_test(five_days_are_five_days_across_a_restart),
        cmocka_unit_test(a_store_that_fails_loses_no_outage),
        cmocka_unit_test(a_person_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
