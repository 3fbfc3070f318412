/* SIP over streams on a network that stands still: bytes that become messages, what waits for a
 * connection, when one ends, and who gets one when there are none left. */
#include "check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "sip/net/transport_conn.h"
#include "still.h"

enum { ACCOUNTS = CONNS_ACCOUNTS, ALL = CONNS_MAX };

static struct loop *loop;
static struct transport *t;
static size_t gone;
static handle last_gone, broken;
static bool admits;
static uint32_t ends_inside; /* a connection that ends while its message is looked at; 0: none */

static struct {
    size_t n;
    struct path from;
    char text[SIP_MESSAGE_MAX]; /* of the last */
} got;
static struct {
    size_t n;
    uint32_t stream;
    struct addr from;
    char text[70000]; /* all, one behind the other */
} sent;

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
    assert_int_equal(bytes[n], 0);
    got.n++;
    got.from = *from;
    assert_ok(str_copy(str_of_bytes(bytes, n), got.text, sizeof got.text));
    if (ends_inside)
        assert_true(still_stream_end(ends_inside, ERR_RESET));
    ends_inside = 0;
}

static struct {
    unsigned n;
    char text[70000];
} large;

static void on_large(void *arg, const struct path *from, char *bytes, size_t n)
{
    large.n++;
    assert_true(n < sizeof large.text);
    memcpy(large.text, bytes, n + 1);
}

static bool may_connect(void *arg, const struct addr *from)
{
    return admits;
}

static void on_broken(void *arg, const struct path *path)
{
    broken = path->conn;
}

static void on_gone(void *arg, handle conn, const char *why)
{
    gone++;
    last_gone = conn;
}

static void on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                    struct str bytes)
{
    size_t at = sent.n < 100 ? strlen(sent.text) : 0;
    sent.n++;
    sent.stream = stream;
    sent.from = *from;
    assert_ok(str_copy(bytes, sent.text + at, sizeof sent.text - at));
}

static void pass(int64_t ms)
{
    clock_advance(ms);
    loop_turn(loop, 0);
}

static int open_all(void **state)
{
    struct sip_listens c = {0};
    const struct transport_user user = {.on_message = on_message,
                                        .on_large = on_large,
                                        .may_connect = may_connect,
                                        .on_gone = on_gone,
                                        .on_broken = on_broken};
    const char *fault;
    char why[128];
    clock_fake(1000000);
    gone = 0;
    admits = true;
    memset(&got, 0, sizeof got);
    large.n = 0;
    memset(&sent, 0, sizeof sent);
    still_sent_to(on_sent, NULL);
    if (loop_new(&loop, "test", 64) != OK ||
        sip_listen_parse("tcp:192.0.2.1:5060", &c, &fault) != OK)
        return -1;
    return transport_new(loop, NULL, &c, &user, &t, why, sizeof why) == OK ? 0 : -1;
}

static int close_all(void **state)
{
    transport_free(t);
    loop_turn(loop, 0);
    loop_free(loop);
    still_reset();
    return 0;
}

/* A message of that account to the i-th address, which takes the connection at once. */
static enum err send_to(uint64_t account, unsigned i, bool in_call)
{
    struct still_stream newest;
    struct path p = {
        .transport = SIP_TCP,
        .account = account,
        .in_call = in_call,
        .peer = {.family = 4, .port = 5060, .ip = {11, 0, (uint8_t)(i >> 8), (uint8_t)i}}};
    enum err err = transport_send(t, &p, (struct str){0}, STR("OPTIONS"));
    if (still_streams(&newest, 1) && newest.outgoing)
        still_stream_open(newest.id);
    return err;
}

static size_t count(bool outgoing)
{
    static struct still_stream all[2 * ALL];
    size_t n = still_streams(all, 2 * ALL), found = 0;
    for (size_t i = 0; i < n; i++)
        found += all[i].outgoing == outgoing;
    return found;
}

static uint32_t carrier(unsigned i)
{
    struct addr at, from = {.family = 4, .port = (uint16_t)(1024 + i), .ip = {192, 0, 2, 9}};
    assert_ok(addr_parse(STR("192.0.2.1:5060"), 0, &at));
    return still_accept(&at, &from);
}

/* ---- bytes that become messages ---- */

static const char message[] = "OPTIONS sip:x SIP/2.0\r\nContent-Length: 3\r\n\r\nabc";

static void bytes_are(uint32_t stream, const char *text)
{
    assert_true(still_stream_bytes(stream, str_of(text)));
}

static void a_message_says_where_it_ends(void **state)
{
    uint32_t in = carrier(1);
    for (const char *p = message; *p; p++) {
        assert_int_equal(got.n, 0);
        assert_true(still_stream_bytes(in, str_of_bytes(p, 1)));
    }
    assert_int_equal(got.n, 1);
    assert_string_equal(got.text, message);
    assert_int_equal(got.from.transport, SIP_TCP);
    assert_int_equal(got.from.account, 0);
    assert_int_equal(got.from.peer.port, 1025);
    assert_true(got.from.conn);
    bytes_are(in,
              "OPTIONS sip:1 SIP/2.0\r\nl: 0\r\n\r\n\r\nOPTIONS sip:2 SIP/2.0\r\nl: 0\r\n\r\nOPT");
    assert_int_equal(got.n, 3);
    assert_string_equal(got.text, "OPTIONS sip:2 SIP/2.0\r\nl: 0\r\n\r\n");
    bytes_are(in, "IONS sip:3 SIP/2.0\r\nl: 0\r\n\r\n");
    assert_int_equal(got.n, 4);
    assert_string_equal(got.text, "OPTIONS sip:3 SIP/2.0\r\nl: 0\r\n\r\n");
    assert_int_equal(sent.n, 0);
}

/* All of it goes with its message: none is taken for the beginning of the next. */
static void blanks_before_a_message_go_with_it(void **state)
{
    uint32_t in = carrier(1);
    bytes_are(in, "\r\nOPTIONS sip:1 SIP/2.0\r\nl: 3\r\n\r\nabc"
                  "OPTIONS sip:2 SIP/2.0\r\nl: 3\r\n\r\ndef");
    assert_int_equal(got.n, 2);
    assert_string_equal(got.text, "OPTIONS sip:2 SIP/2.0\r\nl: 3\r\n\r\ndef");
}

static void a_ping_is_answered(void **state)
{
    uint32_t in = carrier(1);
    bytes_are(in, "\r\n\r\n");
    assert_int_equal(sent.n, 1);
    assert_int_equal(sent.stream, in);
    assert_string_equal(sent.text, "\r\n");
    bytes_are(in, "\r\n"); /* what follows a message, or somebody's pong */
    assert_int_equal(sent.n, 1);
    bytes_are(in, message);
    assert_int_equal(got.n, 1);
    assert_string_equal(got.text, message);
}

/* RFC 5626 §4.4.1, however the bytes are cut. */
static void a_ping_in_pieces_is_answered(void **state)
{
    uint32_t in = carrier(1);
    bytes_are(in, "\r\n");
    bytes_are(in, "\r");
    assert_int_equal(sent.n, 0);
    bytes_are(in, "\n");
    assert_int_equal(sent.n, 1);
    bytes_are(in, "\r");
    bytes_are(in, "\n\r\n\r\n\r\n");
    assert_int_equal(sent.n, 3);
    bytes_are(in, "\r\n");
    bytes_are(in, message); /* it was the message's own blank line */
    bytes_are(in, "\r\n");
    assert_int_equal(sent.n, 3);
    bytes_are(in, "\n\n\r\r\n\r");
    assert_int_equal(sent.n, 3);
    bytes_are(in, "\n");
    assert_int_equal(sent.n, 4);
}

#define LARGE "OPTIONS sip:x SIP/2.0\r\nl: 65536\r\n\r\n"

/* §21.5.7: its head is handed over once, its body passes by, and the connection goes on. */
static void what_is_too_large_takes_nothing_with_it(void **state)
{
    static char body[65536 + 1];
    uint32_t in = carrier(1);
    memset(body, 'b', 65536);
    bytes_are(in, LARGE "bbb");
    assert_int_equal(large.n, 1);
    assert_string_equal(large.text, LARGE);
    for (size_t at = 3; at < 65536; at += 1000)
        assert_true(still_stream_bytes(in, str_slice(str_of(body), at, 1000)));
    assert_int_equal(got.n, 0);
    bytes_are(in, message);
    assert_int_equal(got.n, 1);
    assert_int_equal(large.n, 1);
    assert_int_equal(gone, 0);
    bytes_are(in, LARGE); /* and all at once */
    body[65536] = '\0';
    assert_true(still_stream_bytes(in, str_of(body)));
    bytes_are(in, message);
    assert_int_equal(got.n, 2);
    assert_int_equal(large.n, 2);
}

/* More than anybody should send, or a head without an end: an answer, and the end. */
static void what_is_without_end_is_closed_behind_the_answer(void **state)
{
    static char head[70001];
    memset(head, 'h', 70000);
    memcpy(head, "OPTIONS sip:x SIP/2.0\r\nVia: v\r\nX: ", 34);
    const char *const endless[] = {"OPTIONS sip:x SIP/2.0\r\nl: 16777217\r\n\r\n", head};
    for (unsigned i = 0; i < 2; i++) {
        uint32_t in = carrier(i);
        bytes_are(in, endless[i]);
        assert_int_equal(large.n, i + 1);
        assert_int_equal(gone, i);
        bytes_are(in, message); /* nothing is read any more */
        assert_int_equal(got.n, 0);
        pass(1999);
        assert_int_equal(gone, i);
        pass(1);
        assert_int_equal(gone, i + 1);
    }
    assert_string_equal(large.text, "OPTIONS sip:x SIP/2.0\r\nVia: v\r\n");
}

static void what_cannot_be_cut_is_closed(void **state)
{
    static const char *const bad[] = {"OPTIONS sip:x SIP/2.0\r\n\r\n",
                                      "OPTIONS sip:x SIP/2.0\r\nContent-Length: -1\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        int64_t malformed = metric_get(METRIC_SIP_MALFORMED);
        uint32_t in = carrier((unsigned)i);
        bytes_are(in, bad[i]);
        assert_int_equal(gone, i + 1);
        assert_int_equal(metric_get(METRIC_SIP_MALFORMED), malformed + 1);
        assert_false(still_stream_bytes(in, STR("x")));
    }
    assert_int_equal(got.n, 0);
    assert_int_equal(count(false), 0);
}

static void a_connection_may_end_within_its_message(void **state)
{
    uint32_t in = ends_inside = carrier(1);
    char two[2 * sizeof message];
    snprintf(two, sizeof two, "%s%s", message, message);
    bytes_are(in, two);
    assert_int_equal(got.n, 1); /* nothing more is heard from there */
    assert_int_equal(gone, 1);
    assert_int_equal(last_gone, got.from.conn);
}

static void who_is_nobody_is_not_let_in(void **state)
{
    admits = false;
    assert_false(carrier(1));
    assert_int_equal(count(false), 0);
    assert_int_equal(gone, 0);
}

/* ---- what is sent ---- */

static struct path path_to(const char *peer)
{
    struct path p = {.transport = SIP_TCP};
    assert_ok(addr_parse(str_of(peer), 5060, &p.peer));
    return p;
}

static void what_is_sent_waits_for_the_connection(void **state)
{
    struct path p = path_to("11.0.0.1");
    assert_ok(transport_send(t, &p, (struct str){0}, STR("one ")));
    assert_true(p.conn);
    assert_ok(transport_send(t, &p, (struct str){0}, STR("two")));
    struct path other = path_to("11.0.0.1"); /* the same peer: the same connection */
    assert_ok(transport_send(t, &other, (struct str){0}, STR(" three")));
    assert_int_equal(other.conn, p.conn);
    assert_int_equal(sent.n, 0);
    assert_true(still_stream_open(1));
    assert_string_equal(sent.text, "one two three");
    assert_ok(transport_send(t, &p, (struct str){0}, STR(" four")));
    assert_string_equal(sent.text, "one two three four");
    assert_false(transport_came_in(t, &p));
    struct addr own = transport_from(t, &p);
    assert_true(addr_eq(&own, &sent.from)); /* what the connect chose */
}

static void what_waits_for_a_connection_that_is_not_made_is_lost(void **state)
{
    struct path p = path_to("11.0.0.1");
    assert_ok(transport_send(t, &p, (struct str){0}, STR("lost")));
    handle first = p.conn;
    pass(CONN_CONNECT_MS - 1);
    assert_int_equal(gone, 0);
    pass(2);
    assert_int_equal(gone, 1);
    assert_int_equal(last_gone, first);
    assert_ok(transport_send(t, &p, (struct str){0}, STR("again"))); /* the next one tries anew */
    assert_int_not_equal(p.conn, first);
    assert_true(still_stream_open(2));
    assert_string_equal(sent.text, "again");
}

static void so_much_waits_and_no_more(void **state)
{
    static char much[65536];
    struct path p = path_to("11.0.0.1");
    for (size_t n = 0; n < CONN_UNSENT_MAX; n += sizeof much)
        assert_ok(transport_send(t, &p, (struct str){0}, str_of_bytes(much, sizeof much)));
    assert_err(transport_send(t, &p, (struct str){0}, STR("x")), ERR_FULL);
}

static void who_opens_with_a_full_socket_is_closed(void **state)
{
    struct path p = path_to("11.0.0.1");
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    still_fail(ERR_FULL);
    assert_true(still_stream_open(1));
    assert_int_equal(gone, 1);
    assert_int_equal(last_gone, p.conn);
}

/* Closed in an orderly way, a connection was idle; and only those of calls are told of. */
static void that_a_calls_connection_broke_is_told(void **state)
{
    static const enum err why[] = {ERR_CLOSED, ERR_RESET, ERR_RESET, ERR_TIMEOUT};
    for (uint32_t i = 0; i < 4; i++) {
        struct path p = path_to("11.0.0.1");
        broken = 0;
        p.in_call = i == 0 || i == 3;
        assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
        if (i == 2)
            transport_mark_in_call(t, &p);
        assert_true(still_stream_open(i + 1));
        assert_true(still_stream_end(i + 1, why[i]));
        assert_int_equal(broken, i < 2 ? 0 : p.conn);
        assert_int_equal(last_gone, p.conn);
    }
    struct path p = path_to("11.0.0.1");
    p.in_call = true;
    broken = 0;
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    assert_true(still_stream_end(5, ERR_RESET)); /* it never stood */
    assert_int_equal(broken, 0);
}

static void an_answer_goes_over_the_connection_of_its_request(void **state)
{
    uint32_t in = carrier(7);
    bytes_are(in, message);
    struct path p = got.from;
    assert_true(transport_came_in(t, &p));
    assert_ok(transport_send(t, &p, (struct str){0}, STR("answer")));
    assert_int_equal(sent.stream, in);
    assert_true(still_stream_end(in, ERR_CLOSED));
    assert_int_equal(last_gone, p.conn);
    assert_false(transport_came_in(t, &p));
    p.listens = 5090; /* as its Via says */
    assert_ok(transport_send(t, &p, (struct str){0}, STR("late")));
    struct still_stream newest;
    assert_int_equal(still_streams(&newest, 1), 1);
    assert_true(newest.outgoing);
    assert_int_equal(newest.peer.port, 5090);
}

/* A certificate's name belongs to the connection; over TCP there is none. */
static void a_name_has_a_connection_of_its_own(void **state)
{
    struct path p[3];
    static const char *const host[] = {"a.example", "b.example", "a.example"};
    for (size_t i = 0; i < 3; i++) {
        p[i] = path_to("11.0.0.1:5061");
        p[i].transport = SIP_TLS;
        assert_ok(transport_send(t, &p[i], str_of(host[i]), STR("x")));
    }
    assert_int_not_equal(p[0].conn, p[1].conn);
    assert_int_equal(p[0].conn, p[2].conn);
    struct path tcp = path_to("11.0.0.1:5061");
    assert_ok(transport_send(t, &tcp, (struct str){0}, STR("x")));
    assert_int_equal(count(true), 3);
    struct path named = path_to("11.0.0.1:5061");
    transport_reach(t, &named, STR("a.example"));
    assert_int_equal(named.conn, tcp.conn);
}

/* ---- how long it stays ---- */

static void what_idles_for_ten_minutes_is_closed(void **state)
{
    struct path p = path_to("11.0.0.1");
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    assert_true(still_stream_open(1));
    uint32_t in = carrier(1);
    pass(CONN_IDLE_MS - 1);
    bytes_are(in, "\r"); /* that is something */
    pass(1);
    assert_int_equal(gone, 1);
    assert_int_equal(last_gone, p.conn);
    pass(CONN_IDLE_MS - 2);
    assert_int_equal(gone, 1);
    pass(1);
    assert_int_equal(gone, 2);
    assert_int_equal(count(true) + count(false), 0);
}

static void what_is_sent_keeps_it(void **state)
{
    struct path p = path_to("11.0.0.1");
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    assert_true(still_stream_open(1));
    pass(CONN_IDLE_MS - 1);
    assert_ok(transport_send(t, &p, (struct str){0}, STR("x")));
    pass(CONN_IDLE_MS - 1);
    assert_int_equal(gone, 0);
    pass(1);
    assert_int_equal(gone, 1);
}

/* ---- who gets one ---- */

static void one_account_takes_what_is_not_the_carriers(void **state)
{
    for (unsigned i = 0; i < ACCOUNTS; i++)
        assert_ok(send_to(1, i, false));
    assert_err(send_to(1, ACCOUNTS, false), ERR_FULL);
    assert_int_equal(count(true), ACCOUNTS);
    pass(20000);
    assert_ok(send_to(1, 0, false)); /* that one is in use */
    pass(12000);
    assert_ok(send_to(1, ACCOUNTS, false)); /* the others are spare now: one made way */
    assert_int_equal(gone, 1);
    assert_int_equal(count(true), ACCOUNTS);
    assert_ok(send_to(1, 0, false));
    assert_int_equal(gone, 1);
}

static void another_account_gets_its_own_from_the_biggest(void **state)
{
    for (unsigned i = 0; i < ACCOUNTS; i++)
        assert_ok(send_to(1, i, true));
    for (unsigned i = 0; i < ACCOUNTS / 2; i++)
        assert_ok(send_to(2, i, false));
    assert_int_equal(gone, ACCOUNTS / 2);
    assert_err(send_to(2, ACCOUNTS, false), ERR_FULL); /* half each: neither takes from the other */
    assert_err(send_to(1, ACCOUNTS, false), ERR_FULL);
    assert_ok(send_to(3, 0, false));
    assert_int_equal(count(true), ACCOUNTS);
}

static void a_carrier_never_waits(void **state)
{
    for (unsigned i = 0; i < ACCOUNTS; i++)
        assert_ok(send_to(1, i, false));
    for (unsigned i = 0; i < ALL; i++)
        assert_true(carrier(i));
    assert_int_equal(count(false), ALL);
    assert_int_equal(count(true), 0); /* each account's made way, one after another */
    assert_false(carrier(ALL));       /* all are the carriers' and in use */
    assert_err(send_to(1, 0, false), ERR_FULL);
    pass(32000);
    assert_true(carrier(ALL + 1)); /* one that is silent makes way */
    assert_int_equal(count(false), ALL);
}

static void calls_that_are_up_keep_theirs(void **state)
{
    assert_ok(send_to(1, 0, true));
    pass(1);
    for (unsigned i = 1; i < ACCOUNTS; i++)
        assert_ok(send_to(1, i, false));
    pass(32000);
    for (unsigned i = 0; i < ACCOUNTS - 1; i++)
        assert_ok(send_to(1, ACCOUNTS + i, false));
    assert_int_equal(gone, ACCOUNTS - 1);
    assert_err(send_to(1, 2 * ACCOUNTS, false), ERR_FULL);
    assert_ok(send_to(1, 0, true)); /* the one of the call is still there */
    assert_int_equal(gone, ACCOUNTS - 1);
}

static void accounts_share_no_connection(void **state)
{
    assert_ok(send_to(1, 0, false));
    assert_ok(send_to(1, 0, false));
    assert_int_equal(count(true), 1);
    assert_ok(send_to(2, 0, false));
    assert_int_equal(count(true), 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(a_message_says_where_it_ends),
        TEST(blanks_before_a_message_go_with_it),
        TEST(a_ping_is_answered),
        TEST(a_ping_in_pieces_is_answered),
        TEST(what_is_too_large_takes_nothing_with_it),
        TEST(what_is_without_end_is_closed_behind_the_answer),
        TEST(what_cannot_be_cut_is_closed),
        TEST(a_connection_may_end_within_its_message),
        TEST(who_is_nobody_is_not_let_in),
        TEST(what_is_sent_waits_for_the_connection),
        TEST(what_waits_for_a_connection_that_is_not_made_is_lost),
        TEST(so_much_waits_and_no_more),
        TEST(who_opens_with_a_full_socket_is_closed),
        TEST(that_a_calls_connection_broke_is_told),
        TEST(an_answer_goes_over_the_connection_of_its_request),
        TEST(a_name_has_a_connection_of_its_own),
        TEST(what_idles_for_ten_minutes_is_closed),
        TEST(what_is_sent_keeps_it),
        TEST(one_account_takes_what_is_not_the_carriers),
        TEST(another_account_gets_its_own_from_the_biggest),
        TEST(a_carrier_never_waits),
        TEST(calls_that_are_up_keep_theirs),
        TEST(accounts_share_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
