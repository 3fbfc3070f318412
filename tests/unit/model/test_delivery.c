/* The verdict on an attempt, and the names of a delivery's states. */
#include "check.h"
#include "model/delivery.h"

static struct verdict verdict(int status, enum err err, int64_t retry_after_sec, unsigned attempt,
                              int64_t age_ms)
{
    const struct outcome o = {.status = status, .err = err, .retry_after_sec = retry_after_sec};
    return verdict_of(&o, &retry_default, attempt, age_ms, 0);
}

static void any_2xx_is_delivered(void **state)
{
    assert_int_equal(verdict(200, OK, -1, 1, 0).kind, VERDICT_DELIVERED);
    assert_int_equal(verdict(204, OK, -1, 1, 0).kind, VERDICT_DELIVERED);
    assert_int_equal(verdict(299, OK, -1, 1, 0).kind, VERDICT_DELIVERED);
    assert_int_equal(verdict(199, OK, -1, 1, 0).kind, VERDICT_RETRY);
    assert_int_equal(verdict(300, OK, -1, 1, 0).kind, VERDICT_RETRY);
    assert_int_equal(verdict(200, ERR_TIMEOUT, -1, 1, 0).kind, VERDICT_RETRY); /* not whole */
}

static void gone_disables_the_endpoint_at_once(void **state)
{
    struct verdict v = verdict(410, OK, -1, 1, 0);
    assert_int_equal(v.kind, VERDICT_GIVE_UP);
    assert_true(v.disable_endpoint);
    v = verdict(410, ERR_CLOSED, -1, 1, 0);
    assert_int_equal(v.kind, VERDICT_RETRY);
    assert_false(v.disable_endpoint);
}

/* Retry-After counts with 429 and 503 alone (CONTRACT §3). */
static void a_receiver_may_ask_for_a_pause(void **state)
{
    int64_t usual = verdict(500, OK, -1, 1, 0).wait_ms;
    assert_true(usual > 0);
    assert_int_equal(verdict(500, OK, 3600, 1, 0).wait_ms, usual);
    assert_true(verdict(429, OK, 3600, 1, 0).wait_ms >= 3600 * 1000);
    assert_true(verdict(503, OK, 3600, 1, 0).wait_ms >= 3600 * 1000);
}

static void an_old_delivery_is_given_up(void **state)
{
    int64_t age_ms = (int64_t)retry_default.give_up_after_sec * 1000;
    assert_int_equal(verdict(500, OK, -1, 30, age_ms).kind, VERDICT_GIVE_UP);
    assert_false(verdict(500, OK, -1, 30, age_ms).disable_endpoint);
}

static void states_have_names(void **state)
{
    enum delivery_state s;
    for (unsigned i = 0; i <= DELIVERY_CANCELED; i++) {
        assert_true(delivery_state_parse(str_of(delivery_state_name((enum delivery_state)i)), &s));
        assert_int_equal(s, i);
    }
    assert_false(delivery_state_parse(STR("unknown"), &s));
    assert_false(delivery_state_parse(STR(""), &s));
    assert_string_equal(delivery_state_name(DELIVERY_GIVEN_UP), "given_up");
    assert_string_equal(delivery_state_name((enum delivery_state)77), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_2xx_is_delivered),
        cmocka_unit_test(gone_disables_the_endpoint_at_once),
        cmocka_unit_test(a_receiver_may_ask_for_a_pause),
        cmocka_unit_test(an_old_delivery_is_given_up),
        cmocka_unit_test(states_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
