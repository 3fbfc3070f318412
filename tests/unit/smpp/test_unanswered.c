#include "check.h"
#include "smpp/unanswered.h"

static void it_is_taken_once(void **state)
{
    struct unanswered *u;
    assert_ok(unanswered_new(&u));
    unanswered_put(u, 1, 77, 0);
    assert_false(unanswered_take(u, 2, 77, 0)); /* another link's */
    assert_false(unanswered_take(u, 1, 78, 0));
    assert_true(unanswered_take(u, 1, 77, 0));
    assert_false(unanswered_take(u, 1, 77, 0));
    unanswered_put(u, 1, 77, 0);
    unanswered_put(u, 1, 77, 0); /* two equal messages, two repeats */
    assert_true(unanswered_take(u, 1, 77, 0));
    assert_true(unanswered_take(u, 1, 77, 0));
    assert_false(unanswered_take(u, 1, 77, 0));
    unanswered_put(u, 1, 0, 0); /* what the store knows by its id */
    assert_int_equal(unanswered_count(u), 0);
    unanswered_free(u);
}

static void from_before_the_start_it_is_any_links(void **state)
{
    struct unanswered *u;
    assert_ok(unanswered_new(&u));
    unanswered_put(u, UNANSWERED_ANY_LINK, 77, 0);
    assert_true(unanswered_take(u, 5, 77, 0));
    assert_false(unanswered_take(u, 5, 77, 0));
    unanswered_free(u);
}

static void an_hour(void **state)
{
    struct unanswered *u;
    assert_ok(unanswered_new(&u));
    unanswered_put(u, 1, 77, 1000);
    unanswered_put(u, 1, 77 + UNANSWERED_MAX, 1000); /* the same bucket */
    assert_true(unanswered_take(u, 1, 77, 1000 + UNANSWERED_MS - 1));
    assert_false(unanswered_take(u, 1, 77 + UNANSWERED_MAX, 1000 + UNANSWERED_MS));
    assert_int_equal(unanswered_count(u), 0);
    unanswered_free(u);
}

static void the_oldest_goes(void **state)
{
    struct unanswered *u;
    assert_ok(unanswered_new(&u));
    for (uint64_t i = 1; i <= 3 * UNANSWERED_MAX; i++)
        unanswered_put(u, 1, i * 7919, 0);
    assert_int_equal(unanswered_count(u), UNANSWERED_MAX);
    for (uint64_t i = 1; i <= 2 * UNANSWERED_MAX; i++)
        assert_false(unanswered_take(u, 1, i * 7919, 0));
    for (uint64_t i = 3 * UNANSWERED_MAX; i > 2 * UNANSWERED_MAX; i--)
        assert_true(unanswered_take(u, 1, i * 7919, 0));
    assert_int_equal(unanswered_count(u), 0);
    unanswered_free(u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_taken_once),
        cmocka_unit_test(from_before_the_start_it_is_any_links),
        cmocka_unit_test(an_hour),
        cmocka_unit_test(the_oldest_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
