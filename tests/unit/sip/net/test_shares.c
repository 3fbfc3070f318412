/* How much of something common each account holds. */
#include "check.h"
#include "sip/net/shares.h"

static void each_holds_what_it_took(void **state)
{
    struct shares *s;
    size_t n;
    assert_ok(shares_new(&s));
    assert_int_equal(shares_most(s, &n), 0);
    assert_int_equal(n, 0);
    for (int i = 0; i < 3; i++)
        assert_true(shares_take(s, 7));
    assert_true(shares_take(s, 8));
    assert_int_equal(shares_of(s, 7), 3);
    assert_int_equal(shares_of(s, 8), 1);
    assert_int_equal(shares_of(s, 9), 0);
    assert_int_equal(shares_all(s), 4);
    assert_int_equal(shares_most(s, &n), 7);
    assert_int_equal(n, 3);
    for (int i = 0; i < 3; i++)
        shares_give(s, 7);
    assert_int_equal(shares_of(s, 7), 0);
    assert_int_equal(shares_most(s, &n), 8);
    assert_int_equal(shares_all(s), 1);
    shares_free(s);
}

static void many_accounts(void **state)
{
    struct shares *s;
    assert_ok(shares_new(&s));
    for (uint64_t a = 1; a <= 5000; a++)
        assert_true(shares_take(s, a));
    for (uint64_t a = 1; a <= 5000; a += 2)
        shares_give(s, a);
    assert_int_equal(shares_all(s), 2500);
    assert_int_equal(shares_of(s, 4), 1);
    shares_free(s);
    shares_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_holds_what_it_took),
        cmocka_unit_test(many_accounts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
