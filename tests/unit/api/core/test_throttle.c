/* Attempts to log in, by a clock of our own. */
#include "check.h"
#include "api/core/throttle.h"
#include "base/clock.h"
#include "base/crypto.h"

static struct throttle *t;

static int set_up(void **state)
{
    clock_fake(1000000);
    assert_ok(throttle_new(&t));
    return 0;
}

static int tear_down(void **state)
{
    throttle_free(t);
    clock_real();
    return 0;
}

/* 0: let through; else the wait. */
static unsigned attempt(const char *name, const char *address)
{
    unsigned wait_s = 0;
    bool may = throttle_begin(t, str_of(name), str_of(address), &wait_s);
    assert_int_equal(may, wait_s == 0);
    return wait_s;
}

static void the_first_are_free_then_waits_grow(void **state)
{
    for (int i = 0; i < THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    for (unsigned wait = 1; wait < 2 * THROTTLE_NAME_WAIT_S; wait *= 2) {
        unsigned due = wait < THROTTLE_NAME_WAIT_S ? wait : THROTTLE_NAME_WAIT_S;
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
        assert_int_equal(attempt("ann", "192.0.2.1"), due);
        clock_advance(due * 1000 - 1);
        assert_int_equal(attempt("ann", "192.0.2.9"), 1); /* from anywhere */
        clock_advance(1);
    }
    assert_int_equal(attempt("bob", "192.0.2.1"), 0); /* another name is not meant */
}

static void an_address_is_counted_whatever_the_names(void **state)
{
    char name[16];
    for (int i = 0; i <= THROTTLE_ADDRESS_FREE; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(attempt(name, "192.0.2.1"), 0);
    }
    assert_int_equal(attempt("new", "192.0.2.1"), 1);
    assert_int_equal(attempt("new", "192.0.2.2"), 0);
}

static void what_is_refused_is_not_counted(void **state)
{
    for (int i = 0; i <= THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(attempt("ann", "192.0.2.2"), 1);
    clock_advance(1000);
    assert_int_equal(attempt("ann", "192.0.2.2"), 0);
}

static void the_right_password_makes_the_name_as_new(void **state)
{
    for (int i = 0; i <= THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    clock_advance(1000);
    assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    throttle_forgive(t, STR("ann"), STR("192.0.2.1"));
    for (int i = 0; i < THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    throttle_forgive(t, STR("nobody"), STR("nowhere"));
}

/* Who knows one password cannot guess others for free: the address is given one attempt back. */
static void an_own_log_in_does_not_clear_the_address(void **state)
{
    char name[16];
    unsigned wait_s = 0;
    for (int i = 0; i < 3 * THROTTLE_ADDRESS_FREE && !wait_s; i++) {
        snprintf(name, sizeof name, "n%d", i);
        wait_s = attempt(name, "192.0.2.1");
        if (!wait_s && i % 2) {
            wait_s = attempt("own", "192.0.2.1");
            throttle_forgive(t, STR("own"), STR("192.0.2.1"));
        }
    }
    assert_true(wait_s > 0);
}

static void all_is_forgotten_in_time(void **state)
{
    for (int i = 0; i <= THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
    clock_advance((THROTTLE_FORGET_S + 1) * 1000LL);
    for (int i = 0; i < THROTTLE_NAME_FREE; i++)
        assert_int_equal(attempt("ann", "192.0.2.1"), 0);
}

static void the_table_is_bounded_and_keeps_who_is_busy(void **state)
{
    char name[16], address[24];
    for (int i = 0; i < 3 * THROTTLE_ENTRIES; i++) {
        if (i % 4 == 0 && i < 4 * (THROTTLE_NAME_FREE + 1))
            assert_int_equal(attempt("ann", "192.0.2.1"), 0);
        snprintf(name, sizeof name, "n%d", i);
        snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        assert_int_equal(attempt(name, address), 0);
        clock_advance(1);
        if (i < 100)
            throttle_forgive(t, str_of(name), str_of(address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_are_free_then_waits_grow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_is_counted_whatever_the_names, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_refused_is_not_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_right_password_makes_the_name_as_new, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_own_log_in_does_not_clear_the_address, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_is_forgotten_in_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_is_bounded_and_keeps_who_is_busy, set_up,
                                        tear_down),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
