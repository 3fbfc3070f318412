/* An attempt: counted when its row is committed, on time, and never lost or doubled when the store
 * fails in any of its ways. */
#include "deliver_kit.h"

#include "base/clock.h"

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

/* Without a descriptor or memory of ours the delivery waits a moment, as if it had not been tried. */
static void what_we_lack_is_no_attempt(void **state)
{
    static const enum err lack[] = {ERR_FULL, ERR_NOMEM};
    for (size_t i = 0; i < 2; i++) {
        deliver_kit_begin();
        uint64_t ep = deliver_kit_endpoint(1, "");
        deliver_kit_event(1, "a", "a1");
        for (unsigned n = 0; n < 12; n++) {
            post_fail_with(post_open(ep, "a1"), lack[i]);
            deliver_kit_advance(2000);
        }
        assert_int_equal(post_open(ep, "a1")->attempt, 1);
        struct kit_stored s = stored_delivery(ep, "a1");
        assert_int_equal(s.state, DELIVERY_PENDING);
        assert_int_equal(s.attempts, 0);
        assert_int_equal(deliver_kit_queue(ep)->health.state, HEALTH_HEALTHY);
        post_reply(post_open(ep, "a1"), 200);
        deliver_kit_end();
    }
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

/* Three attempts before an endpoint's outage, perhaps more in it: behind the outage the waits are
 * those of a new delivery, and stay so across a restart. */
static void a_schedule_begins_again_behind_an_outage(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(800);
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(4000);
    post_reply(post_open(ep, "a1"), 500); /* the next one would be in 24 s */
    deliver_kit_make_fail(1, ep);
    for (int i = 0; i < 3600 && deliver_kit_queue(ep)->health.state == HEALTH_FAILING; i++) {
        deliver_kit_advance(1000);
        struct kit_post *p = post_last_open(); /* a probe: a1's fail, another is taken */
        if (p)
            post_reply(p, strcmp(p->id, "a1") ? 200 : 500);
    }
    while (!post_open(ep, "a1")) /* it is back, and all that waits follows */
        post_reply(post_last_open(), 200);
    unsigned before = stored_delivery(ep, "a1").attempts;
    assert_true(before >= 3);
    post_reply(post_open(ep, "a1"), 500);
    assert_int_equal(stored_delivery(ep, "a1").schedule_from, before);
    assert_int_equal(stored_delivery(ep, "a1").attempts, before + 1);
    assert_int_equal(stored_delivery(ep, "a1").next_at_ms, clock_wall_ms() + 800);
    deliver_kit_restart();
    deliver_kit_advance(800);
    post_reply(post_open(ep, "a1"), 500);
    assert_int_equal(stored_delivery(ep, "a1").next_at_ms, clock_wall_ms() + 4000);
    assert_int_equal(stored_delivery(ep, "a1").schedule_from, before);
    deliver_kit_end();
}

/* Back from an outage, a receiver refuses some at random: no delivery waits long for that. */
static void while_an_endpoint_settles_no_schedule_grows(void **state)
{
    enum { SETTLED_MS = 120000 };
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_make_fail(1, ep);
    deliver_kit_advance(27000);
    post_reply(post_last_open(), 200);
    int64_t back_ms = clock_mono_ms();
    while (post_count_open() > 1)
        post_reply(post_last_open(), 200);
    struct kit_post *p = post_last_open();
    char id[ID_SIZE];
    assert_ok(str_copy(str_of(p->id), id, sizeof id));
    for (int i = 0; clock_mono_ms() < back_ms + SETTLED_MS; i++) {
        char other[24];
        snprintf(other, sizeof other, "other_%d", i);
        post_reply(post_open(ep, id), 500);
        deliver_kit_event(1, other, other);
        post_reply(post_open(ep, other), 200);
        int64_t waits_ms = stored_delivery(ep, id).next_at_ms - clock_wall_ms();
        assert_in_range(waits_ms, 800, 4000);
        deliver_kit_advance(waits_ms);
    }
    for (int i = 0; i < 3; i++) { /* it has settled */
        post_reply(post_open(ep, id), 500);
        deliver_kit_advance(stored_delivery(ep, id).next_at_ms - clock_wall_ms());
    }
    assert_true(clock_mono_ms() > back_ms + SETTLED_MS + 24000);
    deliver_kit_end();
}

/* Three failures in a row and a success hurry what waits, but are no outage: an event that is never
 * taken would live for ever. */
static void a_short_outage_leaves_the_schedule(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(800);
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(4000);
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_event(1, "b", "b1");
    post_reply(post_open(ep, "b1"), 200);
    post_reply(post_open(ep, "a1"), 500); /* hurried */
    assert_int_equal(stored_delivery(ep, "a1").schedule_from, 0);
    assert_int_equal(stored_delivery(ep, "a1").next_at_ms, clock_wall_ms() + 96000);
    deliver_kit_end();
}

/* Five days behind its first attempt no outage makes its schedule begin again. */
static void an_old_delivery_is_given_up_all_the_same(void **state)
{
    enum { HOUR_MS = 3600000 };
    for (int days = 4; days <= 5; days++) {
        deliver_kit_begin();
        uint64_t ep = deliver_kit_endpoint(1, "");
        deliver_kit_event(1, "a", "a1");
        post_reply(post_open(ep, "a1"), 500);
        clock_advance(days * INT64_C(24) * HOUR_MS); /* nothing leaves meanwhile */
        deliver_kit_queue(ep)->back_ms = clock_mono_ms();
        deliver_kit_turn();
        post_reply(post_open(ep, "a1"), 500);
        assert_int_equal(stored_delivery(ep, "a1").state,
                         days == 4 ? DELIVERY_PENDING : DELIVERY_GIVEN_UP);
        deliver_kit_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attempts_are_counted_and_kept),
        cmocka_unit_test(what_we_lack_is_no_attempt),
        cmocka_unit_test(a_commit_that_fails_is_tried_until_it_is_done),
        cmocka_unit_test(the_next_waits_for_the_commit_of_the_one_before),
        cmocka_unit_test(gone_switches_the_endpoint_off),
        cmocka_unit_test(a_retry_reads_its_event_again),
        cmocka_unit_test(a_schedule_begins_again_behind_an_outage),
        cmocka_unit_test(while_an_endpoint_settles_no_schedule_grows),
        cmocka_unit_test(a_short_outage_leaves_the_schedule),
        cmocka_unit_test(an_old_delivery_is_given_up_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
