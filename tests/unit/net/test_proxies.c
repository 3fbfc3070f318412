/* Who the client is behind proxies: what they wrote, as far as they are trusted, and no further. */
#include "check.h"
#include "net/proxies.h"

static const char trusted[] = "10.0.0.0/8, 192.0.2.7,2001:db8:1::/48";

static void check_client(enum forwarded kind, const char *peer, const char *const *lines,
                         const char *due)
{
    struct proxies p;
    struct addr from, client;
    struct hops h = {0};
    char text[ADDR_TEXT_SIZE];
    assert_ok(proxies_parse(str_of(trusted), &p));
    assert_ok(addr_parse(str_of(peer), 0, &from));
    for (; *lines; lines++)
        hops_put(&h, kind, str_of(*lines));
    client = proxies_client(&p, &from, &h);
    addr_print_host(&client, text);
    assert_string_equal(text, due);
}

#define X_FOR(peer, due, ...)                                                                      \
    check_client(FORWARDED_X_FOR, peer, (const char *const[]){__VA_ARGS__, NULL}, due)
#define RFC7239(peer, due, ...)                                                                    \
    check_client(FORWARDED_RFC7239, peer, (const char *const[]){__VA_ARGS__, NULL}, due)

static void the_nearest_that_is_not_trusted_is_the_client(void **state)
{
    X_FOR("10.0.0.1", "203.0.113.9", "203.0.113.9");
    X_FOR("10.0.0.1", "203.0.113.9", "203.0.113.9, 10.9.9.9");
    X_FOR("10.0.0.1", "203.0.113.9", "1.1.1.1, 203.0.113.9, 192.0.2.7,10.1.1.1");
    X_FOR("10.0.0.1", "203.0.113.9", "1.1.1.1", "203.0.113.9"); /* HAProxy adds a line */
    X_FOR("10.0.0.1", "203.0.113.9", "1.1.1.1, 203.0.113.9", "10.2.2.2");
    X_FOR("10.0.0.1", "[2001:db8:2::1]", "2001:db8:2::1, 2001:db8:1::5");
    X_FOR("[2001:db8:1::5]", "203.0.113.9", "203.0.113.9");
    X_FOR("10.0.0.1", "10.3.3.3", "10.3.3.3, 10.2.2.2"); /* all trusted: the furthest */
    X_FOR("10.0.0.1", "10.0.0.1", "");
}

static void a_peer_that_is_not_trusted_is_the_client(void **state)
{
    X_FOR("203.0.113.1", "203.0.113.1", "198.51.100.1");
    X_FOR("192.0.2.8", "192.0.2.8", "10.0.0.1");
    RFC7239("203.0.113.1", "203.0.113.1", "for=198.51.100.1");
}

static void addresses_are_written_in_many_ways(void **state)
{
    X_FOR("10.0.0.1", "203.0.113.9", " \t203.0.113.9:4711 ");
    X_FOR("10.0.0.1", "[2001:db8:2::1]", "[2001:DB8:2::1]:443");
    X_FOR("10.0.0.1", "[2001:db8:2::1]", "[2001:db8:2::1]");
    X_FOR("10.0.0.1", "203.0.113.9", "::ffff:203.0.113.9");
    X_FOR("10.0.0.1", "203.0.113.9", "203.0.113.9, , ,");
    RFC7239("10.0.0.1", "203.0.113.9", "for=203.0.113.9");
    RFC7239("10.0.0.1", "203.0.113.9", "For=\"203.0.113.9:47011\";proto=https;by=10.0.0.1");
    RFC7239("10.0.0.1", "[2001:db8:2::1]",
            "for=1.1.1.1, host=\"a,b\\\"\" ; FOR=\"[2001:db8:2::1]:80\"");
    RFC7239("10.0.0.1", "203.0.113.9", "for=\"203.0.113.9:_gazonk\"");
    RFC7239("10.0.0.1", "203.0.113.9", "for=203.0.113.9,for=10.0.0.2", "for=10.0.0.3");
}

/* The last word of a trusted peer counts: where it is no address, it is the peer's that said it. */
static void what_is_no_address_leaves_the_one_who_said_it(void **state)
{
    static const char *const bad[] = {"unknown",      "_hidden",       "example.com", "1.2.3",
                                      "1.2.3.4.5",    "1.2.3.4:99999", "1.2.3.4:",    "[::1",
                                      "fe80::1%eth0", "<script>",      "1.2.3.4 5",   "01.2.3.4",
                                      "0x7f.1",       "2130706433",    "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        X_FOR("10.0.0.1", "10.0.0.1", bad[i]);
        X_FOR("10.0.0.1", "10.4.4.4", "203.0.113.9", bad[i], "10.4.4.4");
        X_FOR("10.0.0.1", "203.0.113.9", bad[i], "203.0.113.9");
    }
}

/* A client's open quote must not swallow what the proxy writes behind it. */
static void a_line_that_is_not_rfc_7239_is_not_read(void **state)
{
    static const char *const bad[] = {"for=\"x, for=203.0.113.9",
                                      "for=\"x\\\", for=203.0.113.9",
                                      "for=\", for=\"[2001:db8:2::1]\"",
                                      "for",
                                      "for=",
                                      "=203.0.113.9",
                                      "for=203.0.113.9;for=1.1.1.1",
                                      "for=203.0.113.9 x",
                                      "for=[2001:db8:2::1]",
                                      "203.0.113.9",
                                      "for=203.0.113.9;",
                                      "for =203.0.113.9",
                                      ",for=203.0.113.9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        RFC7239("10.0.0.1", "10.0.0.1", bad[i]);
    RFC7239("10.0.0.1", "10.0.0.1", "for=unknown");
    RFC7239("10.0.0.1", "10.0.0.1", "proto=https");
    RFC7239("10.0.0.1", "203.0.113.9", "for=\"x", "for=203.0.113.9"); /* lines are read alone */
}

static void no_more_than_so_many_hops_are_followed(void **state)
{
    struct proxies p;
    struct addr peer, client;
    struct hops h = {0};
    char text[ADDR_TEXT_SIZE];
    assert_ok(proxies_parse(str_of(trusted), &p));
    assert_ok(addr_parse(STR("10.0.0.1"), 0, &peer));
    hops_put(&h, FORWARDED_X_FOR, STR("203.0.113.9"));
    for (int i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "10.1.1.%d", i);
        hops_put(&h, FORWARDED_X_FOR, str_of(text));
    }
    client = proxies_client(&p, &peer, &h);
    addr_print_host(&client, text);
    assert_string_equal(text, "10.1.1.69"); /* the furthest of the last 32 */
}

static void lists_that_cannot_be_are_refused(void **state)
{
    struct proxies p;
    char many[PROXIES_MAX * 12 + 32] = "";
    assert_ok(proxies_parse(STR(""), &p));
    assert_int_equal(p.n, 0);
    assert_ok(proxies_parse(STR(" 10.0.0.0/8 ,, ::1 "), &p));
    assert_int_equal(p.n, 2);
    assert_err(proxies_parse(STR("10.0.0.0/33"), &p), ERR_SYNTAX);
    assert_err(proxies_parse(STR("localhost"), &p), ERR_SYNTAX);
    assert_err(proxies_parse(STR("0.0.0.0/0"), &p), ERR_INVALID);
    assert_err(proxies_parse(STR("10.0.0.1,::/0"), &p), ERR_INVALID);
    for (int i = 0; i <= PROXIES_MAX; i++)
        sprintf(many + strlen(many), "10.0.0.%d,", i);
    assert_err(proxies_parse(str_of(many), &p), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_that_is_not_trusted_is_the_client),
        cmocka_unit_test(a_peer_that_is_not_trusted_is_the_client),
        cmocka_unit_test(addresses_are_written_in_many_ways),
        cmocka_unit_test(what_is_no_address_leaves_the_one_who_said_it),
        cmocka_unit_test(a_line_that_is_not_rfc_7239_is_not_read),
        cmocka_unit_test(no_more_than_so_many_hops_are_followed),
        cmocka_unit_test(lists_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
