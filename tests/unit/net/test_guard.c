#include "../check.h"
#include "net/guard.h"

static enum err judge(struct guard *g, const char *text)
{
    struct addr a;
    const char *why = NULL;
    assert_ok(addr_parse(str_of(text), 80, &a));
    enum err err = guard_judge(g, &a, &why);
    if (err != OK)
        assert_non_null(why);
    return err;
}

static void private_is_blocked_unless_allowed(void **state)
{
    struct guard *g;
    assert_ok(guard_new("10.1.0.0/16, fd00::/8", &g));
    assert_err(judge(g, "127.0.0.1"), ERR_BLOCKED);
    assert_err(judge(g, "10.2.0.1"), ERR_BLOCKED);
    assert_ok(judge(g, "10.1.2.3"));
    assert_ok(judge(g, "[fd00::1]"));
    assert_ok(judge(g, "8.8.8.8"));
    assert_ok(judge(g, "[::ffff:10.1.2.3]"));
    assert_err(judge(g, "[::ffff:10.2.2.3]"), ERR_BLOCKED);
    guard_free(g);
    assert_err(guard_new("10.0.0.0/99", &g), ERR_SYNTAX);
}

static void our_own_sockets_are_refused_whatever_is_allowed(void **state)
{
    struct guard *g;
    struct addr own;
    assert_ok(guard_new("0.0.0.0/0", &g));
    assert_ok(addr_parse(STR("127.0.0.1:8080"), 0, &own));
    assert_ok(guard_refuse(g, &own));
    assert_err(judge(g, "127.0.0.1:8080"), ERR_BLOCKED);
    assert_ok(judge(g, "127.0.0.1:8081"));
    guard_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_is_blocked_unless_allowed),
        cmocka_unit_test(our_own_sockets_are_refused_whatever_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
