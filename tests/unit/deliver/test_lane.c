/* Lanes: whose turn it is. The order within a call, calls that do not wait for each other, lanes
 * that are longer than what is held in memory, lanes on the shelf. */
#include "deliver_kit.h"

static void nth(char out[ID_SIZE], unsigned i)
{
    snprintf(out, ID_SIZE, "evt_%05u", i);
}

static void the_next_of_a_call_waits_for_the_one_before(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    deliver_kit_event(1, "b", "b1");
    assert_non_null(post_open(ep, "a1"));
    assert_null(post_open(ep, "a2"));
    assert_non_null(post_open(ep, "b1"));
    post_reply(post_open(ep, "a1"), 500);
    post_reply(post_open(ep, "b1"), 200);
    assert_int_equal(post_count_open(), 0);
    deliver_kit_advance(799);
    assert_int_equal(post_count(), 2);
    deliver_kit_advance(1);
    assert_non_null(post_open(ep, "a1"));
    assert_null(post_open(ep, "a2"));
    post_reply(post_open(ep, "a1"), 204);
    post_reply(post_open(ep, "a2"), 200);
    assert_int_equal(stored_delivery(ep, "a2").state, DELIVERY_DELIVERED);
    deliver_kit_end();
}

static void what_is_given_up_lets_the_next_go(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, ",\"retry\":{\"schedule_s\":[10],\"give_up_after_s\":5}");
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    post_reply(post_open(ep, "a1"), 500);
    assert_int_equal(stored_delivery(ep, "a1").state, DELIVERY_GIVEN_UP);
    post_reply(post_open(ep, "a2"), 200);
    deliver_kit_end();
}

/* Each POST that is open must be the one that is due next in its lane. */
static void deliver_in_order(uint64_t endpoint, unsigned n)
{
    char id[ID_SIZE];
    for (unsigned i = 0; i < n; i++) {
        nth(id, i);
        assert_int_equal(post_count_open(), 1);
        assert_non_null(post_open(endpoint, id));
        post_reply(post_open(endpoint, id), 200);
    }
    assert_int_equal(post_count_open(), 0);
}

static void a_long_lane_goes_on_from_the_store(void **state)
{
    enum { N = 3 * LANE_ITEMS_MAX + 7 };
    char id[ID_SIZE];
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    for (unsigned i = 0; i < N; i++) {
        nth(id, i);
        deliver_kit_event(1, "a", id);
    }
    deliver_in_order(ep, N);
    assert_int_equal(post_count(), N);
    deliver_kit_end();
}

/* New ones come while the first 256 leave: each is behind those that only the store has. */
static void what_comes_to_a_long_lane_is_its_last(void **state)
{
    enum { N = 2 * LANE_ITEMS_MAX };
    char id[ID_SIZE];
    unsigned made = 0;
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    for (; made < LANE_ITEMS_MAX + 5; made++) {
        nth(id, made);
        deliver_kit_event(1, "a", id);
    }
    for (unsigned i = 0; i < N; i++) {
        nth(id, i);
        assert_int_equal(post_count_open(), 1);
        post_reply(post_open(ep, id), 200);
        if (made < N) {
            nth(id, made++);
            deliver_kit_event(1, "a", id);
        }
    }
    assert_int_equal(post_count_open(), 0);
    assert_int_equal(post_count(), N);
    deliver_kit_end();
}

/* New ones come while the store is being read for the lane's next 256. */
static void what_comes_while_a_lane_is_read_is_sent_once(void **state)
{
    enum { FIRST = LANE_ITEMS_MAX + 5 };
    char id[ID_SIZE];
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    for (unsigned i = 0; i < FIRST; i++) {
        nth(id, i);
        deliver_kit_event(1, "a", id);
    }
    for (unsigned i = 0; i + 1 < LANE_ITEMS_MAX; i++) {
        nth(id, i);
        post_reply(post_open(ep, id), 200);
    }
    deliver_kit.store_held = true;
    nth(id, LANE_ITEMS_MAX - 1);
    post_reply(post_open(ep, id), 200);
    store_turn(deliver_kit.store); /* the attempt is committed: the lane's rest will be read … */
    nth(id, FIRST);
    deliver_kit_submit(1, "a", id);
    store_turn(deliver_kit.store); /* … and this one will be in it, and is told of as well */
    deliver_kit_turn();
    deliver_kit.store_held = false;
    deliver_kit_turn();
    for (unsigned i = LANE_ITEMS_MAX; i <= FIRST; i++) {
        nth(id, i);
        assert_int_equal(post_count_open(), 1);
        post_reply(post_open(ep, id), 200);
    }
    assert_int_equal(post_count_open(), 0);
    assert_int_equal(post_count(), FIRST + 1);
    deliver_kit_end();
}

static void a_long_wait_is_spent_on_the_shelf(void **state)
{
    deliver_kit_begin();
    uint64_t ep =
        deliver_kit_endpoint(1, ",\"retry\":{\"schedule_s\":[100],\"give_up_after_s\":1000}");
    deliver_kit_event(1, "a", "a1");
    post_reply(post_open(ep, "a1"), 500);
    assert_int_equal(deliver_kit.deliver->courier[0].items, 0);
    deliver_kit_event(1, "a", "a2"); /* joins it there: it must not overtake */
    assert_int_equal(post_count(), 1);
    deliver_kit_advance(79999);
    assert_int_equal(post_count(), 1);
    deliver_kit_advance(2);
    assert_non_null(post_open(ep, "a1"));
    assert_null(post_open(ep, "a2"));
    post_reply(post_open(ep, "a1"), 200);
    post_reply(post_open(ep, "a2"), 200);
    deliver_kit_end();
}

static void a_restart_goes_on_where_it_was(void **state)
{
    deliver_kit_begin();
    uint64_t ep = deliver_kit_endpoint(1, "");
    uint64_t other = deliver_kit_endpoint(1, "");
    deliver_kit_event(1, "a", "a1");
    deliver_kit_event(1, "a", "a2");
    post_reply(post_open(ep, "a1"), 200);
    post_reply(post_open(other, "a1"), 500);
    deliver_kit_restart();
    assert_non_null(post_open(ep, "a2"));
    assert_null(post_open(other, "a1")); /* its time has not come */
    deliver_kit_advance(800);
    assert_int_equal(post_open(other, "a1")->attempt, 2);
    assert_null(post_open(other, "a2"));
    post_reply(post_open(ep, "a2"), 200);
    post_reply(post_open(other, "a1"), 200);
    post_reply(post_open(other, "a2"), 200);
    deliver_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_of_a_call_waits_for_the_one_before),
        cmocka_unit_test(what_is_given_up_lets_the_next_go),
        cmocka_unit_test(a_long_lane_goes_on_from_the_store),
        cmocka_unit_test(what_comes_to_a_long_lane_is_its_last),
        cmocka_unit_test(what_comes_while_a_lane_is_read_is_sent_once),
        cmocka_unit_test(a_long_wait_is_spent_on_the_shelf),
        cmocka_unit_test(a_restart_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
