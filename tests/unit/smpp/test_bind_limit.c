#include "check.h"
#include "base/crypto.h"
#include "smpp/bind_limit.h"

static struct addr at(unsigned n)
{
    struct addr a = {.family = 4, .ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
    a.port = (uint16_t)(1024 + n); /* which is not looked at */
    return a;
}

static void five_by_name_and_twenty_by_address(void **state)
{
    struct bind_limit *l;
    struct addr a = at(1), b = at(2);
    assert_ok(bind_limit_new(&l));
    for (int i = 0; i < BIND_FAILURES_MAX; i++) {
        assert_false(bind_limit_is_over(l, &a, STR("x"), 0));
        bind_limit_failed(l, &a, STR("x"), 0);
    }
    a.port++;
    assert_true(bind_limit_is_over(l, &a, STR("x"), 0));
    assert_false(bind_limit_is_over(l, &a, STR("y"), 0));
    assert_false(bind_limit_is_over(l, &b, STR("x"), 0));
    for (int i = 0; i < BIND_FAILURES_OF_ADDRESS_MAX - BIND_FAILURES_MAX; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%d", i);
        assert_false(bind_limit_is_over(l, &a, STR("y"), 0));
        bind_limit_failed(l, &a, str_of(name), 0);
    }
    assert_true(bind_limit_is_over(l, &a, STR("y"), 0));
    assert_true(bind_limit_is_over(l, &a, STR("y"), BIND_LIMIT_MS - 1));
    assert_false(bind_limit_is_over(l, &a, STR("y"), BIND_LIMIT_MS));
    assert_false(bind_limit_is_over(l, &a, STR("x"), BIND_LIMIT_MS));
    bind_limit_free(l);
}

/* Many addresses cost no memory, and one that fails just now is known all the same. */
static void a_hundred_thousand_addresses(void **state)
{
    struct bind_limit *l;
    assert_ok(bind_limit_new(&l));
    for (unsigned i = 0; i < 100000; i++) {
        struct addr a = at(i);
        bind_limit_failed(l, &a, STR("x"), i);
    }
    struct addr last = at(7);
    for (int i = 0; i < BIND_FAILURES_MAX; i++)
        bind_limit_failed(l, &last, STR("x"), 100000);
    assert_true(bind_limit_is_over(l, &last, STR("x"), 100000));
    bind_limit_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_by_name_and_twenty_by_address),
        cmocka_unit_test(a_hundred_thousand_addresses),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
