/* Which addresses are public: both ends of each special block, and IPv4 inside IPv6. */
#include "check.h"
#include "net/addr.h"

static bool is_public(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_of(text), 80, &a));
    return addr_is_public(&a);
}

/* The last address before a block, its first, its last, the first behind it. */
static void special_blocks_of_ipv4_end_where_they_end(void **state)
{
    static const struct {
        const char *before, *first, *last, *behind;
    } blocks[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "255.255.255.255", NULL},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        if (blocks[i].before && !is_public(blocks[i].before))
            fail_msg("%s", blocks[i].before);
        if (is_public(blocks[i].first) || is_public(blocks[i].last))
            fail_msg("%s to %s", blocks[i].first, blocks[i].last);
        if (blocks[i].behind && !is_public(blocks[i].behind))
            fail_msg("%s", blocks[i].behind);
    }
}

static void global_unicast_alone_is_public_of_ipv6(void **state)
{
    static const char *const public[] = {"[2000::1]", "[2001:200::1]", "[2001:db7::1]",
                                         "[2606:4700::1111]", "[3fff:1000::1]"};
    static const char *const special[] = {"[::]",
                                          "[::1]",
                                          "[100::1]",
                                          "[1fff::1]",
                                          "[2001::1]",
                                          "[2001:db8::1]",
                                          "[2001:1ff::1]",
                                          "[3fff::1]",
                                          "[3fff:fff::1]",
                                          "[4000::1]",
                                          "[5f00::1]",
                                          "[fc00::1]",
                                          "[fdff::1]",
                                          "[fe80::1]",
                                          "[fec0::1]",
                                          "[ff02::1]",
                                          "[2620:4f:8000::1]"};
    for (size_t i = 0; i < sizeof public / sizeof *public; i++)
        if (!is_public(public[i]))
            fail_msg("%s is public", public[i]);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (is_public(special[i]))
            fail_msg("%s is not public", special[i]);
}

/* 127.0.0.1 and 8.8.8.8 in each way that IPv6 carries an IPv4 address. */
static void an_address_inside_an_address_is_judged(void **state)
{
    static const struct {
        const char *loopback, *other;
        bool other_is_public;
    } ways[] = {
        {"[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]", false}, /* outside of 2000::/3 */
        {"[::127.0.0.1]", "[::8.8.8.8]", false},
        {"[64:ff9b::7f00:1]", "[64:ff9b::808:808]", true},
        {"[64:ff9b:1::7f00:1]", "[64:ff9b:1::808:808]", false},
        {"[2002:7f00:1::1]", "[2002:808:808::1]", false}, /* 6to4 is never direct */
        {"[2606:4700::5efe:7f00:1]", "[2606:4700::5efe:808:808]", true},
        {"[2606:4700::200:5efe:7f00:1]", "[2606:4700::200:5efe:808:808]", true},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct addr a, inside;
        assert_false(is_public(ways[i].loopback));
        if (is_public(ways[i].other) != ways[i].other_is_public)
            fail_msg("%s", ways[i].other);
        assert_ok(addr_parse(str_of(ways[i].loopback), 443, &a));
        assert_true(addr_embedded(&a, &inside));
        assert_int_equal(inside.family, 4);
        assert_int_equal(inside.port, 443);
        assert_int_equal(inside.ip[0], 127);
        assert_int_equal(inside.ip[3], 1);
    }
}

/* RFC 4380 §4: the client's address stands there with all bits inverted. */
static void teredo_hides_its_client(void **state)
{
    struct addr a, inside;
    assert_ok(addr_parse(STR("[2001:0:4136:e378:8000:63bf:80ff:fffe]"), 80, &a));
    assert_true(addr_embedded(&a, &inside));
    assert_int_equal(inside.ip[0], 127);
    assert_int_equal(inside.ip[3], 1);
    assert_false(addr_is_public(&a));
    assert_ok(addr_parse(STR("8.8.8.8"), 80, &a));
    assert_false(addr_embedded(&a, &inside));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_blocks_of_ipv4_end_where_they_end),
        cmocka_unit_test(global_unicast_alone_is_public_of_ipv6),
        cmocka_unit_test(an_address_inside_an_address_is_judged),
        cmocka_unit_test(teredo_hides_its_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
