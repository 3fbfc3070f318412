/* Where SIP listens, from the text of its configuration. */
#include "check.h"
#include "sip/net/listen.h"

static struct sip_listens got;
static const char *why;

static void transports_addresses_and_ports(void **state)
{
    char text[ADDR_TEXT_SIZE];
    static const struct {
        enum sip_transport transport;
        const char *at;
    } expected[] = {{SIP_UDP, "0.0.0.0:5060"},
                    {SIP_TCP, "192.0.2.1:5080"},
                    {SIP_TLS, "[::1]:5061"},
                    {SIP_UDP, "127.0.0.1:0"}};
    assert_ok(sip_listen_parse("udp:0.0.0.0, TCP:192.0.2.1:5080 ,tls:[::1]:5061,udp:127.0.0.1:0",
                               &got, &why));
    assert_int_equal(got.n, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(got.listen[i].transport, expected[i].transport);
        addr_print(&got.listen[i].at, text);
        assert_string_equal(text, expected[i].at);
    }
}

static void nothing_is_a_list_too(void **state)
{
    assert_ok(sip_listen_parse("", &got, &why));
    assert_int_equal(got.n, 0);
}

static void what_it_is_not(void **state)
{
    static const char *const bad[] = {
        "5060",         "udp", "udp:", "udp:host:5060", "udp:1.2.3.4:", "udp:1.2.3.4:65536",
        "udp:1.2.3.4,,"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_err(sip_listen_parse(bad[i], &got, &why), ERR_SYNTAX);
        assert_string_equal(why,
                            "a list of transport:address:port is needed, e.g. udp:0.0.0.0:5060");
    }
    assert_err(sip_listen_parse("sctp:1.2.3.4:5060", &got, &why), ERR_INVALID);
    assert_string_equal(why, "transports are udp, tcp and tls");
}

static void sixteen_at_the_most(void **state)
{
    char text[1024] = "";
    for (int i = 0; i < SIP_LISTEN_MAX; i++)
        strcat(strcat(text, i ? "," : ""), "udp:1.2.3.4:5060");
    assert_ok(sip_listen_parse(text, &got, &why));
    assert_int_equal(got.n, SIP_LISTEN_MAX);
    strcat(text, ",udp:1.2.3.4:5060");
    assert_err(sip_listen_parse(text, &got, &why), ERR_TOO_BIG);
    assert_string_equal(why, "at most 16 addresses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transports_addresses_and_ports),
        cmocka_unit_test(nothing_is_a_list_too),
        cmocka_unit_test(what_it_is_not),
        cmocka_unit_test(sixteen_at_the_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
