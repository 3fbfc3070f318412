/* UDP in batches, over loopback: the other side is a plain socket. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "net/datagram.h"

static struct loop *loop;
static struct datagram *d;
static struct addr at, peer;
static int fd;

static struct {
    size_t n, batches;
    struct addr from;
    int64_t waited_ms;
    char text[66000];
    size_t text_n;
    uint32_t next; /* numbers count on */
} got;

static void on_batch(void *arg, const struct packet *p, size_t n)
{
    got.batches++;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(p[i].bytes.p[p[i].bytes.n], 0);
        got.from = p[i].from;
        got.waited_ms = p[i].waited_ms;
        got.text_n = p[i].bytes.n;
        memcpy(got.text, p[i].bytes.p, p[i].bytes.n);
        if (p[i].bytes.n == 4)
            assert_memory_equal(p[i].bytes.p, &got.next, 4);
        got.next++;
        got.n++;
    }
}

#define UNTIL(condition)                                                                           \
    for (int64_t give_up_ms = clock_mono_ms() + 20000; !(condition);) {                            \
        if (clock_mono_ms() > give_up_ms)                                                          \
            fail_msg("waited in vain for %s", #condition);                                         \
        loop_turn(loop, 10);                                                                       \
    }

static int set_up(void **state)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    int big = 4 << 20;
    memset(&got, 0, sizeof got);
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    if (loop_new(&loop, "test", 64) != OK || bind(fd, (struct sockaddr *)&sa, n) != 0 ||
        getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
        return -1;
    addr_from_sockaddr((struct sockaddr *)&sa, &peer);
    if (addr_parse(STR("127.0.0.1:0"), 0, &at) != OK ||
        datagram_open(loop, &at, on_batch, NULL, &d) != OK)
        return -1;
    at = datagram_local(d);
    return 0;
}

static int tear_down(void **state)
{
    datagram_close(d);
    close(fd);
    for (int i = 0; i < 3; i++)
        loop_turn(loop, 1);
    loop_free(loop);
    return 0;
}

static void throw(const void *bytes, size_t n)
{
    struct sockaddr_storage sa;
    socklen_t sa_n = addr_to_sockaddr(&at, &sa);
    assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&sa, sa_n), n);
}

static struct {
    unsigned n;
    struct addr to;
    int error;
    char quoted[64];
} refused;

static void on_icmp(void *arg, const struct addr *to, int error, struct str quoted)
{
    refused.n++;
    refused.to = *to;
    refused.error = error;
    snprintf(refused.quoted, sizeof refused.quoted, "%.*s", STR_FMT(quoted));
}

/* What the kernel hears of one packet neither stops the socket nor takes another one with it. */
static void nobody_listens_and_the_socket_goes_on(void **state)
{
    struct addr nobody = peer;
    char bytes[64];
    int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof sa;
    memset(&refused, 0, sizeof refused);
    assert_int_equal(bind(other, (struct sockaddr *)&sa, n), 0);
    assert_int_equal(getsockname(other, (struct sockaddr *)&sa, &n), 0);
    assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &nobody));
    close(other);
    datagram_on_icmp(d, on_icmp);
    for (unsigned i = 1; i <= 3; i++) {
        assert_ok(datagram_send(d, &nobody, STR("is anybody there?")));
        loop_turn(loop, 1);
        assert_ok(datagram_send(d, &peer, STR("to you")));
        UNTIL(refused.n == i);
        assert_true(addr_eq(&refused.to, &nobody));
        assert_int_equal(refused.error, ECONNREFUSED);
        assert_string_equal(refused.quoted, "is anybody there?");
        UNTIL(recv(fd, bytes, sizeof bytes, 0) == 6);
        throw("hello", 5);
        UNTIL(got.n == i);
    }
}

/* A kernel without IPv6 has nothing to say. */
static void nobody_listens_by_ipv6(void **state)
{
    struct datagram *six;
    struct addr own, nobody;
    assert_ok(addr_parse(STR("[::1]"), 0, &own));
    if (datagram_open(loop, &own, on_batch, NULL, &six) != OK)
        skip();
    memset(&refused, 0, sizeof refused);
    datagram_on_icmp(six, on_icmp);
    nobody = datagram_local(six);
    nobody.port = 1; /* nobody but root may listen there, and root does not */
    assert_ok(datagram_send(six, &nobody, STR("by IPv6")));
    UNTIL(refused.n == 1);
    assert_true(addr_eq(&refused.to, &nobody));
    assert_int_equal(refused.error, ECONNREFUSED);
    assert_string_equal(refused.quoted, "by IPv6");
    datagram_close(six);
    loop_turn(loop, 0);
}

static void a_packet_comes_and_an_answer_leaves(void **state)
{
    char bytes[64];
    throw("hello", 5);
    UNTIL(got.n);
    assert_true(addr_eq(&got.from, &peer));
    assert_int_equal(got.text_n, 5);
    assert_memory_equal(got.text, "hello", 5);
    assert_ok(datagram_send(d, &got.from, STR("world")));
    assert_int_equal(recv(fd, bytes, sizeof bytes, 0), -1); /* at the end of the turn */
    loop_turn(loop, 0);
    ssize_t n;
    UNTIL((n = recv(fd, bytes, sizeof bytes, 0)) >= 0);
    assert_int_equal(n, 5);
    assert_memory_equal(bytes, "world", 5);
}

static void many_come_in_batches_and_in_order(void **state)
{
    for (uint32_t i = 0; i < 500; i++)
        throw(&i, 4);
    UNTIL(got.n == 500);
    assert_true(got.batches >= 500 / 32);
    assert_true(got.batches < 100);
}

static void as_many_leave_in_order(void **state)
{
    uint32_t v, next = 0;
    for (uint32_t i = 0; i < 500; i++)
        assert_ok(datagram_send(d, &peer, str_of_bytes((const char *)&i, 4)));
    for (int i = 0; i < 5; i++)
        loop_turn(loop, 1);
    while (recv(fd, &v, 4, 0) == 4)
        assert_int_equal(v, next++);
    assert_int_equal(next, 500);
}

static void the_longest_passes_whole(void **state)
{
    static char longest[65507];
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = (char)(i % 251);
    throw(longest, sizeof longest);
    UNTIL(got.n);
    assert_int_equal(got.text_n, sizeof longest);
    assert_memory_equal(got.text, longest, sizeof longest);
    assert_ok(datagram_send(d, &peer, str_of_bytes(longest, sizeof longest)));
    ssize_t n;
    UNTIL((n = recv(fd, got.text, sizeof got.text, 0)) >= 0);
    assert_int_equal(n, sizeof longest);
}

static void eight_mebibytes_wait_at_the_most(void **state)
{
    static char longest[65507];
    for (int i = 0; i < 128; i++)
        assert_ok(datagram_send(d, &peer, str_of_bytes(longest, sizeof longest)));
    assert_err(datagram_send(d, &peer, str_of_bytes(longest, sizeof longest)), ERR_FULL);
    assert_ok(datagram_send(d, &peer, STR("a small one has room")));
    loop_turn(loop, 0);
    assert_ok(datagram_send(d, &peer, str_of_bytes(longest, sizeof longest)));
    assert_err(datagram_send(d, &peer, str_of_bytes(got.text, 65508)), ERR_TOO_BIG);
}

/* To where nobody listens; the socket goes on. */
static void a_packet_that_cannot_be_sent_is_lost_alone(void **state)
{
    struct addr nobody = peer, v6;
    char bytes[8];
    nobody.port = 1;
    assert_ok(addr_parse(STR("[2001:db8::1]:5060"), 0, &v6));
    (void)!datagram_send(d, &nobody, STR("lost"));
    (void)!datagram_send(d, &v6, STR("lost, too"));
    assert_ok(datagram_send(d, &peer, STR("found")));
    ssize_t n;
    UNTIL((n = recv(fd, bytes, sizeof bytes, 0)) >= 0);
    assert_memory_equal(bytes, "found", 5);
    throw("heard", 5);
    UNTIL(got.n);
}

static void how_long_it_lay_there(void **state)
{
    throw("x", 1);
    int64_t thrown_ms = clock_mono_ms();
    while (clock_mono_ms() < thrown_ms + 60) /* the loop is busy */
        ;
    UNTIL(got.n);
    assert_true(got.waited_ms >= 50);
}

static void one_address_is_opened_once(void **state)
{
    struct datagram *again;
    assert_err(datagram_open(loop, &at, on_batch, NULL, &again), ERR_EXISTS);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_packet_comes_and_an_answer_leaves),
        TEST(many_come_in_batches_and_in_order),
        TEST(as_many_leave_in_order),
        TEST(the_longest_passes_whole),
        TEST(eight_mebibytes_wait_at_the_most),
        TEST(a_packet_that_cannot_be_sent_is_lost_alone),
        TEST(nobody_listens_and_the_socket_goes_on),
        TEST(nobody_listens_by_ipv6),
        TEST(how_long_it_lay_there),
        TEST(one_address_is_opened_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
