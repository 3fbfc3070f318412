/* Lanes: what has to stay in order shares a key, and nothing else does; filters of endpoints. */
#include "check.h"
#include "hub/intake.h"

static struct event call(const char *id, const char *call_id)
{
    return (struct event){.kind = EVENT_CALL_ENDED,
                          .account = 1,
                          .id = str_of(id),
                          .number = STR("+15550001"),
                          .peer = STR("+15550002"),
                          .call_id = str_of(call_id)};
}

static void a_lane_is_an_endpoint_and_a_call(void **state)
{
    struct event a = call("evt_1", "call_1"), b = call("evt_2", "call_1"),
                 c = call("evt_3", "call_2");
    assert_true(lane_key(7, &a) == lane_key(7, &b));
    assert_true(lane_key(7, &a) != lane_key(8, &a));
    assert_true(lane_key(7, &a) != lane_key(7, &c));
    assert_true(lane_key(1, &a) != lane_key(11, &a));
}

static void messages_of_two_people_share_one(void **state)
{
    struct event a = {.kind = EVENT_SMS_RECEIVED,
                      .id = STR("evt_1"),
                      .number = STR("+15550001"),
                      .peer = STR("+15550002")};
    struct event b = a, c = a, d = a;
    b.id = STR("evt_2");
    c.peer = STR("+15550003");
    d.number = STR("+15550004");
    assert_true(lane_key(7, &a) == lane_key(7, &b));
    assert_true(lane_key(7, &a) != lane_key(7, &c));
    assert_true(lane_key(7, &a) != lane_key(7, &d));
}

static void what_belongs_to_nothing_goes_alone(void **state)
{
    struct event a = {.kind = EVENT_PING, .id = STR("evt_1")}, b = a;
    b.id = STR("evt_2");
    assert_true(lane_key(7, &a) != lane_key(7, &b));
}

static void filters(void **state)
{
    static const char numbers[2][NUMBER_SIZE] = {"+15550001", "+15550002"};
    struct endpoint set = {.events = EVENT_BIT(EVENT_CALL_ENDED), .disabled = true};
    struct book_endpoint ep = {.n = 7, .set = &set};
    assert_true(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+1")));
    assert_false(endpoint_wants(&ep, EVENT_INCOMING_CALL, STR("+1")));
    set.numbers = numbers;
    set.n_numbers = 2;
    assert_true(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+15550002")));
    assert_false(endpoint_wants(&ep, EVENT_CALL_ENDED, STR("+1555000")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lane_is_an_endpoint_and_a_call),
        cmocka_unit_test(messages_of_two_people_share_one),
        cmocka_unit_test(what_belongs_to_nothing_goes_alone),
        cmocka_unit_test(filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
