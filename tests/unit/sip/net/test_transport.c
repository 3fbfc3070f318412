/* Where SIP listens, which way leads where, and what we say of ourselves; over a network that
 * stands still. */
#include "check.h"
#include "base/clock.h"
#include "sip/net/transport.h"
#include "still.h"

static struct loop *loop;
static struct transport *t;
static struct guard *guard; /* of the next transport; NULL: none */
static char why[128];

static struct {
    size_t n;
    struct path from;
    int64_t waited_ms;
    char text[256];
} got;

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
    got.n++;
    got.from = *from;
    got.waited_ms = waited_ms;
    assert_ok(str_copy(str_of_bytes(bytes, n), got.text, sizeof got.text));
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn, const char *words)
{
}

static struct addr addr_of(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_of(text), 5060, &a));
    return a;
}

static enum err open_at(const char *listen, const char *advertise)
{
    struct sip_listens c = {0};
    const struct transport_user user = {
        .on_message = on_message, .may_connect = may_connect, .on_gone = on_gone};
    const char *fault;
    t = NULL;
    assert_ok(sip_listen_parse(listen, &c, &fault));
    assert_ok(str_copy(str_of(advertise), c.advertise, sizeof c.advertise));
    return transport_new(loop, guard, &c, &user, &t, why, sizeof why);
}

static int set_up(void **state)
{
    clock_fake(1000000);
    memset(&got, 0, sizeof got);
    guard = NULL;
    t = NULL;
    return loop_new(&loop, "test", 64) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    transport_free(t);
    guard_free(guard);
    loop_turn(loop, 0);
    loop_free(loop);
    still_reset();
    still_sent_to(NULL, NULL);
    clock_real();
    return 0;
}

static struct path path_to(enum sip_transport how, const char *peer)
{
    return (struct path){.transport = (uint8_t)how, .peer = addr_of(peer)};
}

/* ---- where it listens ---- */

static void a_datagram_is_a_message(void **state)
{
    assert_ok(open_at("tcp:5.0.0.1:5060,udp:5.0.0.1:5060,udp:5.0.0.2:5070", ""));
    struct addr second = addr_of("5.0.0.2:5070"), peer = addr_of("5.0.1.9:40000");
    assert_true(still_arrive(&second, &peer, STR("OPTIONS"), 17));
    assert_int_equal(got.n, 1);
    assert_string_equal(got.text, "OPTIONS");
    assert_int_equal(got.waited_ms, 17);
    assert_int_equal(got.from.transport, SIP_UDP);
    assert_int_equal(got.from.listen, 2);
    assert_int_equal(got.from.conn, 0);
    assert_true(addr_eq(&got.from.peer, &peer));
    struct addr local = transport_local(t, 2);
    assert_true(addr_eq(&local, &second));
}

static void tls_is_not_listened_for(void **state)
{
    assert_err(open_at("udp:5.0.0.1,tls:5.0.0.1:5061", ""), ERR_UNSUPPORTED);
    assert_null(t);
    assert_string_equal(why, "sip.listen: TLS 5.0.0.1:5061: TLS is for outgoing calls only so far");
    assert_true(still_is_quiet()); /* the other one is closed again */
}

static void names_of_transports(void **state)
{
    assert_string_equal(transport_name(SIP_UDP), "UDP");
    assert_string_equal(transport_name(SIP_TCP), "TCP");
    assert_string_equal(transport_name(SIP_TLS), "TLS");
}

/* ---- which way leads where ---- */

static void a_way_leaves_from_a_listener_of_its_kind(void **state)
{
    assert_ok(
        open_at("udp:[2001:db8::1]:5060,udp:5.0.0.1:5060,tcp:5.0.0.1:5060,udp:5.0.0.2:5060", ""));
    static const struct {
        enum sip_transport how;
        const char *peer;
        uint8_t listen;
    } to[] = {{SIP_UDP, "5.0.1.1:5060", 1},
              {SIP_UDP, "[2001:db8::2]:5060", 0},
              {SIP_TCP, "5.0.1.1:5060", 2},
              {SIP_TLS, "5.0.1.1:5061", 2}};
    for (size_t i = 0; i < 4; i++) {
        struct path p = path_to(to[i].how, to[i].peer);
        p.conn = 7;
        assert_ok(transport_route(t, &p));
        assert_int_equal(p.listen, to[i].listen);
        assert_int_equal(p.conn, 0);
    }
}

static void a_stream_leaves_without_a_listener_of_its_own(void **state)
{
    assert_ok(open_at("udp:5.0.0.1:5060,udp:5.0.0.2:5060", ""));
    struct path p = path_to(SIP_TLS, "5.0.1.1:5061");
    assert_ok(transport_route(t, &p));
    assert_int_equal(p.listen, 1);
    p = path_to(SIP_UDP, "[2001:db8::2]:5060");
    assert_err(transport_route(t, &p), ERR_UNREACHABLE);
    transport_free(t);
    assert_ok(open_at("", ""));
    p = path_to(SIP_TCP, "5.0.1.1:5060");
    assert_err(transport_route(t, &p), ERR_UNREACHABLE);
}

static void no_way_leads_to_ourselves(void **state)
{
    assert_ok(open_at("udp:5.0.0.1:5060,tcp:5.0.0.1:5070", ""));
    static const char *const own[] = {"5.0.0.1:5060", "5.0.0.1:5070", "[::ffff:5.0.0.1]:5060"};
    for (size_t i = 0; i < 3; i++) {
        struct path p = path_to(SIP_UDP, own[i]);
        p.unguarded = true; /* whoever wrote it */
        assert_err(transport_route(t, &p), ERR_DENIED);
    }
    struct path p = path_to(SIP_UDP, "5.0.0.1:5080");
    assert_ok(transport_route(t, &p));
}

static void accounts_are_guarded_the_operator_is_not(void **state)
{
    assert_ok(guard_new("10.1.0.0/16", &guard));
    assert_ok(open_at("udp:5.0.0.1:5060", ""));
    struct path p = path_to(SIP_UDP, "10.2.0.1:5060");
    assert_err(transport_route(t, &p), ERR_BLOCKED);
    p.unguarded = true;
    assert_ok(transport_route(t, &p));
    p = path_to(SIP_UDP, "10.1.0.1:5060");
    assert_ok(transport_route(t, &p));
}

static void a_way_from_before_a_restart_is_found_again(void **state)
{
    assert_ok(open_at("udp:5.0.0.1:5060,tcp:5.0.0.1:5060,udp:5.0.0.2:5060", ""));
    struct addr own = addr_of("5.0.0.2:5060"), none = {0}, elsewhere = addr_of("5.0.0.9:5060");
    struct path p = path_to(SIP_UDP, "5.0.1.1:5060");
    assert_true(transport_route_again(t, &own, &p));
    assert_int_equal(p.listen, 2);
    assert_true(transport_route_again(t, &none, &p));
    assert_int_equal(p.listen, 0);
    assert_true(transport_route_again(t, &elsewhere, &p));
    assert_int_equal(p.listen, 0);
    own = addr_of("5.0.0.1:5060");
    p = path_to(SIP_TCP, "5.0.1.1:5060");
    assert_true(transport_route_again(t, &own, &p)); /* the same address, by its own transport */
    assert_int_equal(p.listen, 1);
    p = path_to(SIP_UDP, "[2001:db8::2]:5060");
    assert_false(transport_route_again(t, &own, &p));
}

/* ---- what is sent ---- */

static struct {
    size_t n;
    uint32_t stream;
    struct addr from, to;
} sent;

static void on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                    struct str bytes)
{
    sent.n++;
    sent.stream = stream;
    sent.from = *from;
    sent.to = *to;
}

static void a_datagram_leaves_from_its_listener(void **state)
{
    static char long_text[65508];
    still_sent_to(on_sent, NULL);
    assert_ok(open_at("udp:5.0.0.1:5060,udp:5.0.0.2:5070", ""));
    struct path p = path_to(SIP_UDP, "5.0.1.9:40000");
    struct addr second = addr_of("5.0.0.2:5070");
    p.listen = 1;
    sent.n = 0;
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    assert_int_equal(sent.n, 1);
    assert_int_equal(sent.stream, 0);
    assert_true(addr_eq(&sent.from, &second) && addr_eq(&sent.to, &p.peer));
    assert_err(transport_send(t, &p, (struct str){0}, str_of_bytes(long_text, sizeof long_text)),
               ERR_TOO_BIG);
    assert_int_equal(p.conn, 0);
    assert_false(transport_came_in(t, &p));
}

/* ---- what we say of ourselves ---- */

static void assert_own(const char *listen, const char *advertise, const char *peer,
                       const char *expected)
{
    char text[256];
    struct buf b;
    assert_ok(open_at(listen, advertise));
    struct path p = path_to(SIP_UDP, peer);
    assert_ok(transport_route(t, &p));
    buf_wrap(&b, text, sizeof text);
    transport_put_own(t, &p, &b);
    assert_str(buf_str(&b), expected);
    transport_free(t);
    t = NULL;
}

static void our_address_as_peers_should_see_it(void **state)
{
    assert_own("udp:5.0.0.1:5070", "", "5.0.1.1", "5.0.0.1:5070");
    assert_own("udp:[2001:db8::1]:5060", "", "[2001:db8::2]", "[2001:db8::1]:5060");
    assert_own("udp:5.0.0.1:5070", "sip.example.com", "5.0.1.1", "sip.example.com:5070");
    assert_own("udp:5.0.0.1:5070", "203.0.113.5:5080", "5.0.1.1", "203.0.113.5:5080");
    assert_own("udp:5.0.0.1:5070", "[2001:db8::9]", "5.0.1.1", "[2001:db8::9]:5070");
    assert_own("udp:5.0.0.1:5070", "[2001:db8::9]:5080", "5.0.1.1", "[2001:db8::9]:5080");
}

/* Nobody listens for TLS: the advertised host with the port of the connection that the peer has, also
 * where the setting has a port, which is a listener's. */
static void without_a_listener_it_is_the_connections_end(void **state)
{
    static const struct {
        const char *advertise, *host;
    } as[] = {{"", ""},
              {"sip.example.com", "sip.example.com"},
              {"203.0.113.5:5080", "203.0.113.5"},
              {"[2001:db8::9]", "[2001:db8::9]"},
              {"[2001:db8::9]:5080", "[2001:db8::9]"}};
    for (size_t i = 0; i < 5; i++) {
        char text[256], due[256];
        struct buf b;
        assert_ok(open_at("udp:5.0.0.1:5070", as[i].advertise));
        struct path p = path_to(SIP_TLS, "5.0.1.1:5061");
        assert_ok(transport_route(t, &p));
        transport_reach(t, &p, STR("agent.example"));
        const struct addr end = transport_from(t, &p);
        assert_int_not_equal(end.port, 5070);
        addr_print(&end, due);
        if (*as[i].host)
            snprintf(due, sizeof due, "%s:%u", as[i].host, end.port);
        buf_wrap(&b, text, sizeof text);
        transport_put_own(t, &p, &b);
        assert_str(buf_str(&b), due);
        transport_free(t);
        t = NULL;
    }
}

/* Listening everywhere we are whom the kernel would let speak. */
static void everywhere_it_depends_on_the_peer(void **state)
{
    assert_own("udp:0.0.0.0:5070", "", "127.0.0.9", "127.0.0.1:5070");
    assert_ok(open_at("udp:0.0.0.0:5070", ""));
    struct path p = path_to(SIP_UDP, "127.0.0.9");
    for (int i = 0; i < 3; i++) {
        struct addr own = transport_from(t, &p), expected = addr_of("127.0.0.1:5070");
        assert_true(addr_eq(&own, &expected));
        clock_advance(20000); /* what is remembered is asked again */
        loop_turn(loop, 0);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_datagram_is_a_message),
        TEST(tls_is_not_listened_for),
        TEST(names_of_transports),
        TEST(a_way_leaves_from_a_listener_of_its_kind),
        TEST(a_stream_leaves_without_a_listener_of_its_own),
        TEST(no_way_leads_to_ourselves),
        TEST(accounts_are_guarded_the_operator_is_not),
        TEST(a_way_from_before_a_restart_is_found_again),
        TEST(a_datagram_leaves_from_its_listener),
        TEST(our_address_as_peers_should_see_it),
        TEST(without_a_listener_it_is_the_connections_end),
        TEST(everywhere_it_depends_on_the_peer),
    };
    transport_free(NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
