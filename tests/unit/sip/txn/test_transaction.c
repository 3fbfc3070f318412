/* The transactions of accounts: none takes the table, whatever its calls do. */
#include "check.h"
#include "base/clock.h"
#include "sip/txn/transaction.h"
#include "still.h"

enum { MAX = 64 };

static struct loop *loop;
static struct transport *tp;
static struct blocks *blocks;
static struct transactions *ts;

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn)
{
}

static void on_response(void *arg, struct txn *t, const struct sip_msg *m)
{
}

static void on_failure(void *arg, struct txn *t, enum err err)
{
}

static void on_sent(void *arg, const struct txn *t, struct str bytes)
{
}

static int open_all(void **state)
{
    struct sip_listens c = {0};
    const struct transport_user tu = {on_message, may_connect, on_gone, NULL};
    const struct transaction_user xu = {on_response, on_failure, on_sent, NULL};
    const char *fault;
    char why[128];
    clock_fake(1000000);
    if (loop_new(&loop, "test", 64) != OK || blocks_new(&blocks) != OK ||
        sip_listen_parse("udp:192.0.2.1:5060", &c, &fault) != OK)
        return -1;
    return transport_new(loop, NULL, &c, &tu, &tp, why, sizeof why) == OK &&
                   transactions_new(loop, tp, blocks, MAX, 500, &xu, &ts) == OK
               ? 0
               : -1;
}

static int close_all(void **state)
{
    transactions_free(ts);
    transport_free(tp);
    blocks_free(blocks);
    loop_turn(loop, 0);
    loop_free(loop);
    still_reset();
    return 0;
}

/* True when it may, and did. */
static bool begin(uint64_t account)
{
    char branch[TOKEN_SIZE + 8];
    const struct path to = {.peer = {.family = 4, .port = 5060, .ip = {192, 0, 2, 9}}};
    struct txn *t = transactions_admit(ts, account)
                        ? txn_client_new(ts, false, &to, (struct str){0}, branch)
                        : NULL;
    if (!t)
        return false;
    txn_charge(ts, t, account);
    txn_send(ts, t, STR("OPTIONS sip:x@y SIP/2.0\r\n\r\n"));
    return true;
}

static unsigned begin_all(uint64_t account)
{
    unsigned n = 0;
    while (n < MAX && begin(account))
        n++;
    return n;
}

static void one_account_leaves_three_quarters(void **state)
{
    assert_int_equal(begin_all(1), MAX / 4);
    for (uint64_t account = 2; account <= 7; account++)
        assert_int_equal(begin_all(account), MAX / 8); /* each an eighth */
    assert_int_equal(transactions_count(ts), MAX);
    assert_false(begin(8));
}

static void what_ends_is_free_again(void **state)
{
    assert_int_equal(begin_all(1), MAX / 4);
    assert_true(begin(2));
    assert_false(begin(1));
    clock_advance(32000); /* timer F */
    loop_turn(loop, 0);
    assert_int_equal(transactions_count(ts), 0);
    assert_int_equal(begin_all(1), MAX / 4);
}

static void whom_it_is_charged_to_may_change(void **state)
{
    char branch[TOKEN_SIZE + 8];
    const struct path to = {.peer = {.family = 4, .port = 5060, .ip = {192, 0, 2, 9}}};
    assert_int_equal(begin_all(1), MAX / 4);
    for (int i = 0; i < MAX / 8; i++) {
        struct txn *t = txn_client_new(ts, false, &to, (struct str){0}, branch);
        assert_non_null(t);
        txn_charge(ts, t, 2);
        txn_charge(ts, t, 3);
    }
    assert_true(transactions_admit(ts, 2));
    assert_false(transactions_admit(ts, 3));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(one_account_leaves_three_quarters),
        TEST(what_ends_is_free_again),
        TEST(whom_it_is_charged_to_may_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
