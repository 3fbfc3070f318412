/* Look-ups and the times they may take: each owner hears once, or not at all when it cancelled. The
 * servers are a socket of the test's; the clock stands still. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "net/resolver.h"

enum { TIMEOUT_MS = 5000 };

static struct loop *loop;
static struct resolver *resolver;
static int server;
static unsigned answers;
static enum err answer_err;
static int64_t leap_ms; /* the clock moves so far before the sockets are looked at */

static void on_answer(void *arg, const struct resolved *r)
{
    answers++;
    answer_err = r->err;
    *(struct lookup **)arg = NULL;
}

static void leap(void *arg)
{
    clock_advance(leap_ms);
    leap_ms = 0;
}

static void turn(void)
{
    clock_advance(1); /* what is due at once fires with the next tick */
    loop_turn(loop, 0);
}

static void begin(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    char servers[32];
    clock_fake(1000000);
    server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&at, n), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&at, &n), 0);
    snprintf(servers, sizeof servers, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_ok(loop_new(&loop, "test", 16));
    loop_on_turn_end(loop, leap, NULL);
    const struct resolver_config c = {.servers = servers, .timeout_ms = TIMEOUT_MS};
    assert_ok(resolver_new(loop, &c, &resolver));
    answers = 0;
}

static void end(void)
{
    resolver_free(resolver);
    loop_free(loop);
    close(server);
    assert_int_equal(metric_get(METRIC_LOOKUPS), 0);
    clock_real();
}

/* An A record of 127.0.0.1, or that there is none of that type. */
static size_t reply(unsigned char *q, size_t n)
{
    static const unsigned char record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1};
    size_t at = 12;
    while (at < n && q[at])
        at += q[at] + 1u;
    bool is_a = q[at + 2] == 1;
    at += 5;
    q[2] = 0x81;
    q[3] = 0x80;
    memset(q + 6, 0, 6);
    if (!is_a)
        return at;
    q[7] = 1;
    memcpy(q + at, record, sizeof record);
    return at + sizeof record;
}

static void answer_both(void)
{
    for (unsigned n = 0; n < 2;) {
        unsigned char q[512];
        struct sockaddr_in from;
        socklen_t len = sizeof from;
        ssize_t got = recvfrom(server, q, 256, 0, (struct sockaddr *)&from, &len);
        if (got < 12) {
            turn();
            continue;
        }
        size_t size = reply(q, (size_t)got);
        assert_int_equal(sendto(server, q, size, 0, (struct sockaddr *)&from, len), size);
        n++;
    }
}

static void ask(struct lookup **ret)
{
    assert_ok(resolver_host(resolver, STR("name.example"), 80, on_answer, ret, ret));
    assert_int_equal(metric_get(METRIC_LOOKUPS), 1);
}

static void an_answer_in_time(void **state)
{
    struct lookup *k;
    begin();
    ask(&k);
    answer_both();
    while (!answers)
        turn();
    assert_ok(answer_err);
    end();
}

/* It was read, and before its owner's turn came the time was up. */
static void an_answer_beside_the_deadline(void **state)
{
    struct lookup *k;
    begin();
    ask(&k);
    answer_both();
    leap_ms = 2 * TIMEOUT_MS;
    for (int i = 0; i < 10; i++)
        turn();
    assert_int_equal(answers, 1);
    end();
}

static void an_answer_after_the_deadline(void **state)
{
    struct lookup *k;
    begin();
    ask(&k);
    clock_advance(TIMEOUT_MS);
    turn();
    assert_int_equal(answers, 1);
    assert_err(answer_err, ERR_TIMEOUT);
    answer_both();
    while (metric_get(METRIC_LOOKUPS))
        turn();
    assert_int_equal(answers, 1);
    end();
}

static void an_answer_after_its_owner_left(void **state)
{
    struct lookup *k;
    begin();
    ask(&k);
    lookup_cancel(k);
    answer_both();
    while (metric_get(METRIC_LOOKUPS))
        turn();
    assert_int_equal(answers, 0);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_in_time),
        cmocka_unit_test(an_answer_beside_the_deadline),
        cmocka_unit_test(an_answer_after_the_deadline),
        cmocka_unit_test(an_answer_after_its_owner_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
