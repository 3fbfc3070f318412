#include "check.h"
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
    assert_err(judge(g, "0.0.0.0:8080"), ERR_BLOCKED); /* the kernel connects to this machine */
    assert_ok(judge(g, "127.0.0.1:8081"));
    guard_free(g);
}

static void a_wildcard_listener_is_ours_at_every_address(void **state)
{
    static const char *const any[] = {"0.0.0.0:8080", "[::]:8080"};
    for (size_t i = 0; i < 2; i++) {
        struct guard *g;
        struct addr own;
        assert_ok(guard_new("0.0.0.0/0,::/0", &g));
        assert_ok(addr_parse(str_of(any[i]), 0, &own));
        assert_ok(guard_refuse(g, &own));
        assert_err(judge(g, "127.0.0.1:8080"), ERR_BLOCKED);
        assert_err(judge(g, "127.99.3.4:8080"), ERR_BLOCKED);
        assert_err(judge(g, "0.0.0.0:8080"), ERR_BLOCKED);
        assert_err(judge(g, "[::]:8080"), ERR_BLOCKED);
        assert_err(judge(g, "[::ffff:127.0.0.1]:8080"), ERR_BLOCKED);
        assert_err(judge(g, "[64:ff9b::7f00:1]:8080"), ERR_BLOCKED);
        assert_err(judge(g, "[2002:7f00:1::1]:8080"), ERR_BLOCKED);
        assert_ok(judge(g, "127.0.0.1:8081"));
        assert_ok(judge(g, "8.8.8.8:8080"));
        guard_free(g);
    }
}

static void ours_behind_a_translator(void **state)
{
    struct guard *g;
    struct addr own;
    assert_ok(guard_new("", &g));
    assert_ok(addr_parse(STR("8.8.8.8:443"), 0, &own));
    assert_ok(guard_refuse(g, &own));
    assert_err(judge(g, "8.8.8.8:443"), ERR_BLOCKED);
    assert_err(judge(g, "[64:ff9b::808:808]:443"), ERR_BLOCKED);
    assert_ok(judge(g, "[64:ff9b::808:808]:80"));
    guard_free(g);
}

static void the_list_is_replaced_as_a_whole(void **state)
{
    struct guard *g;
    assert_ok(guard_new("10.0.0.0/8", &g));
    assert_ok(guard_allow(g, "127.0.0.0/8"));
    assert_ok(judge(g, "127.0.0.1"));
    assert_err(judge(g, "10.0.0.1"), ERR_BLOCKED);
    assert_err(guard_allow(g, "10.0.0.0/99"), ERR_SYNTAX);
    assert_ok(judge(g, "127.0.0.1"));
    assert_ok(guard_allow(g, ""));
    assert_err(judge(g, "127.0.0.1"), ERR_BLOCKED);
    guard_free(g);
}

static bool leads(const char *to, const char *own)
{
    struct addr a, b;
    assert_ok(addr_parse(str_of(to), 5060, &a));
    assert_ok(addr_parse(str_of(own), 5060, &b));
    return guard_leads_to(&a, &b);
}

static void ours_in_every_spelling(void **state)
{
    static const char *const one[] = {"127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0",
                                      "[::]",      "[64:ff9b::7f00:1]",  "[::127.0.0.1]"};
    static const char *const any[] = {"127.0.0.1", "127.9.8.7", "[::ffff:127.9.8.7]",
                                      "0.0.0.0",   "[::]",      "[::1]"};
    for (size_t i = 0; i < sizeof one / sizeof *one; i++)
        assert_true(leads(one[i], "127.0.0.1"));
    for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
        assert_true(leads(any[i], "0.0.0.0"));
        assert_true(leads(any[i], "[::]"));
    }
    assert_true(leads("127.0.0.1", "[::ffff:127.0.0.1]"));
    assert_false(leads("127.0.0.2", "127.0.0.1"));
    assert_false(leads("127.0.0.1:5061", "127.0.0.1"));
    assert_false(leads("8.8.8.8", "0.0.0.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_is_blocked_unless_allowed),
        cmocka_unit_test(our_own_sockets_are_refused_whatever_is_allowed),
        cmocka_unit_test(a_wildcard_listener_is_ours_at_every_address),
        cmocka_unit_test(ours_behind_a_translator),
        cmocka_unit_test(the_list_is_replaced_as_a_whole),
        cmocka_unit_test(ours_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
