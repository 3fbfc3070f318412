/* An attempt: counted when its row is committed, on time, and never lost or doubled when the store
 * fails in any of its ways. */
#include "deliver_kit.h"

static void attempts_are_counted_and_kept(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    assert_int_equal(post_open(ep, "a1")->attempt, 1);
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(800);
    assert_int_equal(post_open(ep, "a1")->attempt, 2);
    post_reply(post_open(ep, "a1"), 0);
    deliver_kit_advance(4000);
    assert_int_equal(post_open(ep, "a1")->attempt, 3);
    struct kit_stored s = stored_delivery(ep, "a1");
    assert_int_equal(s.state, DELIVERY_PENDING);
    assert_int_equal(s.attempts, 2);
    assert_int_equal(s.numbers, 3);
    post_reply(post_open(ep, "a1"), 200);
    s = stored_delivery(ep, "a1");
    assert_int_equal(s.state, DELIVERY_DELIVERED);
    assert_int_equal(s.attempts, 3);
    assert_int_equal(s.rows, 3);
    assert_int_equal(s.numbers, 7);
    deliver_kit_end();
}

/* The receiver took it, and the store cannot say so, in each way that it can fail: it is written
 * down later, and the event is not sent again while this process lives. */
static void a_commit_that_fails_is_tried_until_it_is_done(void **state)
{
    static const enum fault_how how[] = {FAULT_NOT_DONE, FAULT_FULL, FAULT_NO_MEMORY,
                                         FAULT_UNSURE_DONE, FAULT_UNSURE_NOT};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        deliver_kit_begin();
        uint64_t ep = deliver_kit_endpoint(1, "");
        deliver_kit_event(1, "a", "a1");
        deliver_kit_event(1, "a", "a2");
        fault_arm(FAULT_COMMIT, how[i], 1, 2);
        post_reply(post_open(ep, "a1"), 200);
        deliver_kit_advance(20000);
        fault_disarm();
        deliver_kit_advance(20000);
        assert_int_equal(post_count(), 2);
        struct kit_stored s = stored_delivery(ep, "a1");
        assert_int_equal(s.state, DELIVERY_DELIVERED);
        assert_int_equal(s.rows, 1);
        post_reply(post_open(ep, "a2"), 200);
        deliver_kit_end();
    }
}

static void the_next_waits_for_the_commit_of_the_one_before(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    deliver_kit.store_held = true;
    post_reply(post_open(ep, "a1"), 200);
    assert_int_equal(post_count_open(), 0);
    deliver_kit.store_held = false;
    deliver_kit_turn();
    post_reply(post_open(ep, "a2"), 200);
    deliver_kit_end();
}

static void gone_switches_the_endpoint_off(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "b", "b1");
    post_reply(post_open(ep, "a1"), 410);
    assert_true(deliver_kit_is_disabled(ep));
    post_reply(post_open(ep, "b1"), 500);
    deliver_kit_advance(3600 * 1000); /* what is pending waits for somebody to enable it */
    assert_int_equal(post_count(), 2);
    assert_int_equal(stored_delivery(ep, "b1").state, DELIVERY_PENDING);
    deliver_kit_end();
}

/* The event is in memory for the first attempt alone. */
static void a_retry_reads_its_event_again(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 500);
    assert_int_equal(deliver_kit.deliver->courier[0].events_held, 0);
    deliver_kit.store_held = true;
    deliver_kit_advance(800);
    assert_int_equal(post_count_open(), 0);
    deliver_kit.store_held = false;
    deliver_kit_turn();
    post_reply(post_open(ep, "a1"), 200);
    deliver_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_are_counted_and_kept),
        cmocka_unit_test(a_commit_that_fails_is_tried_until_it_is_done),
        cmocka_unit_test(the_next_waits_for_the_commit_of_the_one_before),
        cmocka_unit_test(gone_switches_the_endpoint_off),
        cmocka_unit_test(a_retry_reads_its_event_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
