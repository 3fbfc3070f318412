/* One value of a Via header. */
#include "check.h"
#include "sip/wire/message.h"

static struct via v;

static void parts_of_a_via(void **state)
{
    assert_ok(via_parse(STR("SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx;rport;ttl=3"), &v));
    assert_str(v.transport, "UDP");
    assert_str(v.host, "192.0.2.1");
    assert_int_equal(v.port, 5070);
    assert_str(v.branch, "z9hG4bKx");
    assert_str(v.params, "branch=z9hG4bKx;rport;ttl=3");
    assert_true(v.rport);
    assert_ok(via_parse(STR("SIP / 2.0 / TLS  [2001:db8::1] : 5061 ; BRANCH = x ; rport=9"), &v));
    assert_str(v.transport, "TLS");
    assert_str(v.host, "[2001:db8::1]");
    assert_int_equal(v.port, 5061);
    assert_str(v.branch, "x");
    assert_false(v.rport); /* it has a value: an answer to somebody's question */
    assert_ok(via_parse(STR("SIP/2.0/TCP host"), &v));
    assert_str(v.host, "host");
    assert_int_equal(v.port, 0);
    assert_null(v.branch.p);
    assert_str(v.params, "");
}

static void the_first_branch_counts(void **state)
{
    assert_ok(via_parse(STR("SIP/2.0/UDP h;branch=one;branch=two;"), &v));
    assert_str(v.branch, "one");
}

static void what_is_no_via(void **state)
{
    static const char *const bad[] = {
        "",
        "SIP/2.0",
        "SIP/2.0/UDP",
        "SIP/2.0/UDPhost",
        "SIP/2.0/ h",
        "/2.0/UDP h",
        "SIP 2.0/UDP h",
        "SIP/2.0/UDP :5060",
        "SIP/2.0/UDP h:0",
        "SIP/2.0/UDP h:65536",
        "SIP/2.0/UDP h:",
        "SIP/2.0/UDP h x",
        "SIP/2.0/UDP [::1;branch=x",
        "SIP/2.0/UDP h;branch",
        "SIP/2.0/UDP h;branch=",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (via_parse(str_of(bad[i]), &v) != ERR_SYNTAX)
            fail_msg("%s", bad[i]);
}

/* A 400 goes out with a Via that says whose it is. */
static void what_comes_before_a_broken_parameter_is_there(void **state)
{
    assert_err(via_parse(STR("SIP/2.0/UDP h:5070;branch=x;rport;=y;z"), &v), ERR_SYNTAX);
    assert_str(v.host, "h");
    assert_int_equal(v.port, 5070);
    assert_str(v.branch, "x");
    assert_str(v.params, "branch=x;rport");
    assert_true(v.rport);
    assert_err(via_parse(STR("SIP/2.0/UDP h;;=y"), &v), ERR_SYNTAX);
    assert_str(v.params, "");
    assert_err(via_parse(STR("SIP/2.0/UDP h:99999;branch=x"), &v), ERR_SYNTAX);
    assert_int_equal(v.host.n, 0); /* that one is not believed in part */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_a_via),
        cmocka_unit_test(the_first_branch_counts),
        cmocka_unit_test(what_is_no_via),
        cmocka_unit_test(what_comes_before_a_broken_parameter_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
