#include "../check.h"
#include "net/addr.h"

static bool is_public(const char *text)
{
    struct addr a;
    if (addr_parse(str_of(text), 0, &a) != OK)
        fail_msg("%s", text);
    return addr_is_public(&a);
}

static void reads_and_prints(void **state)
{
    struct addr a;
    char text[ADDR_TEXT_SIZE];
    assert_ok(addr_parse(STR("192.0.2.1:5070"), 5060, &a));
    addr_print(&a, text);
    assert_string_equal(text, "192.0.2.1:5070");
    assert_ok(addr_parse(STR("[2001:db8::1]"), 5060, &a));
    addr_print(&a, text);
    assert_string_equal(text, "[2001:db8::1]:5060");
    assert_err(addr_parse(STR("example.com"), 1, &a), ERR_SYNTAX);
    assert_err(addr_parse(STR("1.2.3.4:99999"), 1, &a), ERR_SYNTAX);
    assert_err(addr_parse(STR("1.2.3"), 1, &a), ERR_SYNTAX);
}

static void cidr_blocks(void **state)
{
    struct cidr c;
    struct addr in, out;
    assert_ok(cidr_parse(STR("10.1.0.0/16"), &c));
    assert_ok(addr_parse(STR("10.1.255.1"), 0, &in));
    assert_ok(addr_parse(STR("10.2.0.1"), 0, &out));
    assert_true(cidr_has(&c, &in));
    assert_false(cidr_has(&c, &out));
    assert_ok(cidr_parse(STR("2001:db8::/33"), &c));
    assert_ok(addr_parse(STR("2001:db8:7fff::1"), 0, &in));
    assert_ok(addr_parse(STR("2001:db8:8000::1"), 0, &out));
    assert_true(cidr_has(&c, &in));
    assert_false(cidr_has(&c, &out));
    assert_err(cidr_parse(STR("10.0.0.0/33"), &c), ERR_SYNTAX);
}

static void what_is_not_public(void **state)
{
    static const char *const no[] = {
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[fe80::1]",
        "[fc00::1]",
        "[fdff::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[100::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a00:1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::]",
        "[2001:0:102:304:0:ffff:80ff:fffe]",
        "[::127.0.0.1]",
    };
    static const char *const yes[] = {"8.8.8.8",           "1.1.1.1",     "172.32.0.1",
                                      "100.128.0.1",       "192.169.0.1", "[2606:4700::1111]",
                                      "[64:ff9b::808:808]"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (is_public(no[i]))
            fail_msg("%s counts as public", no[i]);
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!is_public(yes[i]))
            fail_msg("%s does not count as public", yes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints),
        cmocka_unit_test(cidr_blocks),
        cmocka_unit_test(what_is_not_public),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
