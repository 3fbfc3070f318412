/* Who gets a connection when there are none left, over a network that stands still. */
#include "check.h"
#include "base/clock.h"
#include "sip/net/transport.h"
#include "still.h"

enum { ACCOUNTS = 3072, ALL = 4096 }; /* as transport_conn.h says */

static struct loop *loop;
static struct transport *t;
static size_t gone;

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn)
{
    gone++;
}

static void pass(int64_t ms)
{
    clock_advance(ms);
    loop_turn(loop, 0);
}

static int open_all(void **state)
{
    struct sip_listens c = {0};
    const struct transport_user user = {on_message, may_connect, on_gone, NULL};
    const char *fault;
    char why[128];
    clock_fake(1000000);
    gone = 0;
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
        TEST(one_account_takes_what_is_not_the_carriers),
        TEST(another_account_gets_its_own_from_the_biggest),
        TEST(a_carrier_never_waits),
        TEST(calls_that_are_up_keep_theirs),
        TEST(accounts_share_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
