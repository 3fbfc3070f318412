/* How many events of a call each endpoint got. */
#include <limits.h>

#include "check.h"
#include "hub/intake.h"

static unsigned next_of(struct sequences *s, uint64_t endpoint)
{
    unsigned n;
    assert_ok(sequence_next(s, endpoint, &n));
    return n;
}

static void each_endpoint_is_counted_by_itself(void **state)
{
    struct sequences s = {0};
    assert_int_equal(next_of(&s, 12), 1);
    assert_int_equal(next_of(&s, 14), 1);
    assert_int_equal(next_of(&s, 12), 2);
    sequences_fini(&s);
    assert_int_equal(s.n, 0);
}

static void the_count_goes_past_a_byte(void **state)
{
    struct sequences s = {0};
    for (unsigned i = 1; i <= 70000; i++)
        assert_int_equal(next_of(&s, 12), i);
    sequences_fini(&s);
}

static void any_number_of_endpoints_is_counted(void **state)
{
    struct sequences s = {0};
    for (unsigned round = 1; round <= 2; round++)
        for (unsigned endpoint = 1; endpoint <= 1000; endpoint++)
            assert_int_equal(next_of(&s, endpoint), round);
    assert_int_equal(s.n, 1000);
    sequences_fini(&s);
}

static void without_a_count_the_store_is_asked(void **state)
{
    assert_int_equal(next_of(NULL, 12), UINT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_endpoint_is_counted_by_itself),
        cmocka_unit_test(the_count_goes_past_a_byte),
        cmocka_unit_test(any_number_of_endpoints_is_counted),
        cmocka_unit_test(without_a_count_the_store_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
