#include "check.h"
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

/* IANA's special-purpose registries, and what is special by itself (multicast, site-local, the
 * compatible block): first and last of each block. */
static void the_registries_blocks_to_their_edges(void **state)
{
    static const char *const block[] = {
        "0.0.0.0/8",         "10.0.0.0/8",      "100.64.0.0/10",   "127.0.0.0/8",
        "169.254.0.0/16",    "172.16.0.0/12",   "192.0.0.0/24",    "192.0.2.0/24",
        "192.31.196.0/24",   "192.52.193.0/24", "192.88.99.0/24",  "192.168.0.0/16",
        "192.175.48.0/24",   "198.18.0.0/15",   "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4",       "240.0.0.0/4",     "::/128",          "::1/128",
        "::ffff:0:0:0/96",   "64:ff9b:1::/48",  "100::/64",        "100:0:0:1::/64",
        "2001::/23",         "2001::/32",       "2001:1::1/128",   "2001:1::2/128",
        "2001:2::/48",       "2001:3::/32",     "2001:4:112::/48", "2001:10::/28",
        "2001:20::/28",      "2001:30::/28",    "2001:db8::/32",   "2002::/16",
        "2620:4f:8000::/48", "3fff::/20",       "5f00::/16",       "fc00::/7",
        "fe80::/10",         "fec0::/10",       "ff00::/8",        "4000::/2",
        "168.63.129.16/32",  "1000::/4",        "8000::/1",
    };
    for (size_t i = 0; i < sizeof block / sizeof *block; i++) {
        struct cidr c;
        assert_ok(cidr_parse(str_of(block[i]), &c));
        struct addr first = c.base, last = c.base;
        for (unsigned bit = c.bits; bit < (c.base.family == 4 ? 32u : 128u); bit++)
            last.ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        if (addr_is_public(&first) || addr_is_public(&last))
            fail_msg("%s counts as public", block[i]);
    }
    static const char *const beside[] = {
        "1.0.0.0",        "9.255.255.255",     "11.0.0.0",           "100.63.255.255",
        "100.128.0.0",    "126.255.255.255",   "128.0.0.0",          "169.253.255.255",
        "169.255.0.0",    "172.15.255.255",    "172.32.0.0",         "191.255.255.255",
        "192.0.1.0",      "192.0.3.0",         "192.31.195.255",     "192.31.197.0",
        "192.52.192.255", "192.88.98.255",     "192.88.100.0",       "192.167.255.255",
        "192.169.0.0",    "198.17.255.255",    "198.20.0.0",         "198.51.99.255",
        "198.51.101.0",   "203.0.112.255",     "203.0.114.0",        "223.255.255.255",
        "168.63.129.15",  "[2001:200::]",      "[2001:db7:ffff::1]", "[2001:db9::]",
        "[2003::]",       "[2620:4f:7fff::1]", "[2620:4f:8001::]",   "[3ffe:ffff::1]",
        "[2a00::1]",      "[2000::]",
    };
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (!is_public(beside[i]))
            fail_msg("%s does not count as public", beside[i]);
}

/* Every way in which IPv6 carries an IPv4 address, around each special one. */
static void what_is_inside_counts(void **state)
{
    static const char *const inside[] = {"127.0.0.1",  "10.0.0.1", "169.254.169.254", "192.168.1.1",
                                         "100.64.0.1", "0.0.0.0",  "224.0.0.1",       "8.8.8.8"};
    static const char *const form[] = {
        "::ffff:%1$02x%2$02x:%3$02x%4$02x",
        "::%1$02x%2$02x:%3$02x%4$02x",
        "::ffff:0:%1$02x%2$02x:%3$02x%4$02x",
        "64:ff9b::%1$02x%2$02x:%3$02x%4$02x",
        "64:ff9b:1::%1$02x%2$02x:%3$02x%4$02x",
        "2002:%1$02x%2$02x:%3$02x%4$02x::1",
        "2a00:1:2:3:0:5efe:%1$02x%2$02x:%3$02x%4$02x",
        "2a00:1:2:3:200:5efe:%1$02x%2$02x:%3$02x%4$02x",
    };
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        for (size_t k = 0; k < sizeof form / sizeof *form; k++) {
            struct addr in, a, out;
            char text[64];
            assert_ok(addr_parse(str_of(inside[i]), 0, &in));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(text, sizeof text, form[k], in.ip[0], in.ip[1], in.ip[2], in.ip[3]);
#pragma GCC diagnostic pop
            assert_ok(addr_parse(str_of(text), 0, &a));
            assert_true(addr_embedded(&a, &out));
            assert_true(addr_eq_host(&in, &out));
            bool reaches = i == 7 && (k == 3 || k >= 6); /* NAT64 and ISATAP of 8.8.8.8 */
            if (addr_is_public(&a) != reaches)
                fail_msg("%s: %d", text, !reaches);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints),
        cmocka_unit_test(cidr_blocks),
        cmocka_unit_test(what_is_not_public),
        cmocka_unit_test(the_registries_blocks_to_their_edges),
        cmocka_unit_test(what_is_inside_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
