/* Shards: left when the attempts under way have ended, taken with all that the store has; nothing
 * is lost, doubled or out of order on the way, and what a former owner still writes counts for
 * nothing. */
#include "deliver_kit.h"

#include "store/rows/shards.h"

static unsigned left; /* how often a shard was left */

static void on_left(void *arg, unsigned shard)
{
    assert_int_equal(shard, *(const unsigned *)arg);
    left++;
}

static void leave(unsigned *shard)
{
    assert_ok(deliver_leave_shard(deliver_kit.deliver, *shard, on_left, shard));
    deliver_kit_turn();
}

static void take(unsigned shard)
{
    assert_ok(deliver_take_shard(deliver_kit.deliver, shard, 0));
    deliver_kit_turn();
}

static void endpoints_spread_over_all_shards(void **state)
{
    for (unsigned step = 1; step <= 3; step++) {
        unsigned n[SHARDS] = {0};
        for (uint64_t i = 0; i < 64000; i++)
            n[shard_of(1 + i * step)]++;
        for (unsigned s = 0; s < SHARDS; s++)
            assert_in_range(n[s], 900, 1100);
    }
}

static void a_shard_is_left_when_its_attempts_have_ended(void **state)
{
    deliver_kit_begin();
    left = 0;
    uint64_t ep = deliver_kit_endpoint(1, "");
    unsigned shard = shard_of(ep);
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    deliver_kit_event(1, "b", "b1");
    leave(&shard);
    assert_int_equal(left, 0);
    post_reply(post_open(ep, "a1"), 200);
    assert_int_equal(post_count_open(), 1); /* a2 stays */
    assert_int_equal(left, 0);
    post_reply(post_open(ep, "b1"), 500);
    assert_int_equal(left, 1);
    assert_int_equal(stored_delivery(ep, "a1").state, DELIVERY_DELIVERED);
    assert_int_equal(stored_delivery(ep, "b1").attempts, 1);
    assert_int_equal(deliver_leave_shard(deliver_kit.deliver, shard, on_left, &shard),
                     ERR_NOT_FOUND);
    deliver_kit_event(1, "c", "c1"); /* stored, and nobody's for now */
    deliver_kit_advance(60000);
    assert_int_equal(post_count(), 2);
    assert_int_equal(deliver_kit.deliver->courier[0].items, 0);
    deliver_kit_end();
}

static void another_shard_goes_on(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, ""), other = deliver_kit_endpoint(1, "");
    unsigned shard = shard_of(ep);
    assert_int_not_equal(shard, shard_of(other));
    leave(&shard);
    deliver_kit_event(1, "a", "a1");
    assert_null(post_open(ep, "a1"));
    post_reply(post_open(other, "a1"), 200);
    deliver_kit_end();
}

/* Stored before it was taken, while it is read, and after: in the order of the call, each once. */
static void what_comes_while_it_is_taken_waits_for_what_was_before(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    unsigned shard = shard_of(ep);
    leave(&shard);
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    deliver_kit.store_held = true;
    take(shard);
    store_turn(deliver_kit.store); /* its epoch is raised */
    deliver_kit_submit(1, "a", "a3");
    deliver_kit_submit(1, "b", "b1");
    store_turn(deliver_kit.store);
    deliver_kit_turn();
    assert_int_equal(post_count(), 0);
    deliver_kit.store_held = false;
    deliver_kit_turn();
    assert_int_equal(deliver_kit_queue(ep)->pending, 4);
    deliver_kit_event(1, "a", "a4");
    static const char *const order[] = {"a1", "a2", "a3", "a4"};
    post_reply(post_open(ep, "b1"), 200);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(post_count_open(), 1);
        post_reply(post_open(ep, order[i]), 200);
    }
    assert_int_equal(post_count(), 5);
    assert_int_equal(deliver_kit_queue(ep)->pending, 0);
    deliver_kit_end();
}

static void an_outage_goes_along(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    unsigned shard = shard_of(ep);
    deliver_kit_make_fail(1, ep);
    leave(&shard);
    assert_int_equal(deliver_kit_queue(ep)->health.state, HEALTH_HEALTHY);
    take(shard);
    assert_int_equal(deliver_kit_queue(ep)->health.state, HEALTH_FAILING);
    size_t before = post_count();
    deliver_kit_advance(5000);
    assert_int_equal(post_count(), before + 1);
    post_reply(post_last_open(), 500);
    deliver_kit_end();
}

/* Another process took the shard while this one wrote an attempt: the row stays as it is. */
struct thief {
    struct store_job job;
    struct shard_hold hold;
};

static enum err steal_run(struct store_job *job, struct db *db)
{
    return shard_take(db, &((struct thief *)job)->hold);
}

static void a_late_statement_changes_nothing(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 500);
    deliver_kit_advance(800);
    struct thief t = {.job.run = steal_run, .hold.shard = shard_of(ep)};
    assert_ok(store_write_now(deliver_kit.store, &t.job));
    post_reply(post_open(ep, "a1"), 200);
    struct kit_stored s = stored_delivery(ep, "a1");
    assert_int_equal(s.state, DELIVERY_PENDING);
    assert_int_equal(s.attempts, 1);
    assert_int_equal(s.rows, 1);
    deliver_kit_end();
}

static void a_late_outage_changes_nothing(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    struct thief t = {.job.run = steal_run, .hold.shard = shard_of(ep)};
    assert_ok(store_write_now(deliver_kit.store, &t.job));
    deliver_kit_make_fail(1, ep);
    assert_int_equal(stored_outage(ep).since_ms, 0);
    deliver_kit_end();
}

static void a_store_that_fails_delays_the_taking(void **state)
{
    static const enum fault_how how[] = {FAULT_NOT_DONE, FAULT_FULL, FAULT_UNSURE_DONE,
                                         FAULT_UNSURE_NOT};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        deliver_kit_begin();
        uint64_t ep = deliver_kit_endpoint(1, "");
        unsigned shard = shard_of(ep);
        leave(&shard);
        deliver_kit_event(1, "a", "a1");
        fault_arm(FAULT_COMMIT, how[i], 1, 2);
        take(shard);
        deliver_kit_advance(5000);
        fault_disarm();
        deliver_kit_advance(5000);
        post_reply(post_open(ep, "a1"), 200);
        assert_int_equal(stored_delivery(ep, "a1").state, DELIVERY_DELIVERED);
        assert_int_equal(post_count(), 1);
        deliver_kit_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints_spread_over_all_shards),
        cmocka_unit_test(a_shard_is_left_when_its_attempts_have_ended),
        cmocka_unit_test(another_shard_goes_on),
        cmocka_unit_test(what_comes_while_it_is_taken_waits_for_what_was_before),
        cmocka_unit_test(an_outage_goes_along),
        cmocka_unit_test(a_late_statement_changes_nothing),
        cmocka_unit_test(a_late_outage_changes_nothing),
        cmocka_unit_test(a_store_that_fails_delays_the_taking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
