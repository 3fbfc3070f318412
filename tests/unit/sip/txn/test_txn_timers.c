/* Transactions on a clock that stands still: in every state a timer runs that ends them, whatever
 * peers send and users forget; and the timers that RFC 3261 names. */
#include "check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "sip/txn/transaction.h"
#include "still.h"

enum { T1 = 500, MOST = 64 };

static struct loop *loop;
static struct transport *transport;
static struct blocks *blocks;
static struct transactions *all;
static struct addr peer;
static unsigned sent, responses, failures;
static char last_sent[SIP_MESSAGE_MAX];

static void on_sent(void *arg, uint32_t stream, const struct addr *from, const struct addr *to,
                    struct str bytes)
{
    sent++;
    assert_ok(str_copy(bytes, last_sent, sizeof last_sent));
}

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn)
{
    if (all)
        transactions_on_gone(all, conn);
}

static void on_response(void *arg, struct txn *t, const struct sip_msg *m)
{
    responses++;
}

static void on_failure(void *arg, struct txn *t, enum err err)
{
    failures++;
}

static void on_txn_sent(void *arg, const struct txn *t, struct str bytes)
{
}

static void begin(void)
{
    struct sip_listens c = {0};
    const struct transport_user tu = {on_message, may_connect, on_gone, NULL};
    const struct transaction_user xu = {on_response, on_failure, on_txn_sent, NULL};
    const char *fault;
    char why[128];
    clock_fake(1000000);
    still_reset();
    still_sent_to(on_sent, NULL);
    assert_ok(loop_new(&loop, "test", 64));
    assert_ok(sip_listen_parse("udp:5.0.0.1:5060,tcp:5.0.0.1:5060", &c, &fault));
    assert_ok(transport_new(loop, NULL, &c, &tu, &transport, why, sizeof why));
    assert_ok(blocks_new(&blocks));
    assert_ok(transactions_new(loop, transport, blocks, MOST, T1, &xu, &all));
    assert_ok(addr_parse(STR("5.0.2.1:5060"), 5060, &peer));
    sent = responses = failures = 0;
}

static void end(void)
{
    transactions_free(all);
    all = NULL;
    assert_int_equal(metric_get(METRIC_SIP_TRANSACTIONS), 0);
    transport_free(transport);
    blocks_free(blocks);
    loop_turn(loop, 0);
    loop_free(loop);
    clock_real();
}

static void advance(int64_t ms)
{
    while (ms > 0) {
        int64_t next = still_next_ms(loop), step = next > 0 && next < ms ? next
                                                   : next == 0           ? 1
                                                                         : ms;
        clock_advance(step);
        ms -= step;
        loop_turn(loop, 0);
        transactions_check(all);
    }
}

static void parse(char *text, struct sip_msg *m)
{
    assert_ok(sip_parse(text, strlen(text), m));
}

static struct path path_by(enum sip_transport how)
{
    struct path path = {.transport = (uint8_t)how, .peer = peer};
    assert_ok(transport_route(transport, &path));
    return path;
}

static struct txn *client(bool invite, enum sip_transport how, char branch[TOKEN_SIZE + 8])
{
    struct path path = path_by(how);
    char text[1024];
    struct txn *t = txn_client_new(all, invite, &path, STR("5.0.2.1"), branch);
    if (!t)
        return NULL;
    const char *method = invite ? "INVITE" : "INFO";
    snprintf(text, sizeof text,
             "%s sip:a@5.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n"
             "From: <sip:us@5.0.0.1>;tag=1\r\nTo: <sip:a@5.0.2.1>\r\nCall-ID: c\r\nCSeq: 1 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             method, branch, method);
    txn_send(all, t, str_of(text));
    return t;
}

/* `name`: what stands before the address in To. */
static void respond(const char *branch, const char *method, int status, const char *name)
{
    static char text[SIP_MESSAGE_MAX];
    static struct sip_msg m;
    snprintf(text, sizeof text,
             "SIP/2.0 %d X\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n"
             "From: <sip:us@5.0.0.1>;tag=1\r\nTo: \"%s\" <sip:a@5.0.2.1>;tag=2\r\nCall-ID: c\r\n"
             "CSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
             status, branch, name, method);
    parse(text, &m);
    struct txn *t = txn_client_of(all, &m);
    if (t)
        txn_on_response(all, t, &m);
    transactions_check(all);
}

static struct txn *server(const char *method, unsigned n, enum sip_transport how)
{
    static char text[1024];
    static struct sip_msg m;
    struct path path = path_by(how);
    snprintf(text, sizeof text,
             "%s sip:us@5.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 5.0.2.1:5060;branch=z9hG4bK%u\r\n"
             "From: <sip:a@5.0.2.1>;tag=2\r\nTo: <sip:us@5.0.0.1>\r\nCall-ID: s\r\nCSeq: 1 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             method, n, method);
    parse(text, &m);
    return txn_server_new(all, &m, &path, str_of(text), true);
}

static void a_client_that_hears_nothing(void **state)
{
    char branch[TOKEN_SIZE + 8];
    for (int invite = 0; invite < 2; invite++) {
        begin();
        client(invite, SIP_UDP, branch);
        advance(64 * T1 - 1);
        assert_int_equal(sent, invite ? 7 : 11); /* timers A and E */
        assert_int_equal(failures, 0);
        advance(2);
        assert_int_equal(failures, 1);
        assert_int_equal(transactions_count(all), 0);
        end();
    }
}

static void an_invite_that_rings_for_ever(void **state)
{
    char branch[TOKEN_SIZE + 8];
    begin();
    client(true, SIP_UDP, branch);
    respond(branch, "INVITE", 180, "");
    advance(TIMER_C_MS / 2);
    respond(branch, "INVITE", 180, ""); /* as long again */
    advance(TIMER_C_MS - 2);
    assert_memory_equal(last_sent, "INVITE", 6);
    advance(4);
    assert_memory_equal(last_sent, "CANCEL", 6);
    assert_int_equal(failures, 0);
    respond(branch, "INVITE", 180, ""); /* not any longer */
    advance(64 * T1);
    assert_int_equal(failures, 2); /* the INVITE and its CANCEL */
    assert_int_equal(transactions_count(all), 0);
    end();
}

static void cancel_waits_for_a_provisional_answer(void **state)
{
    char branch[TOKEN_SIZE + 8];
    begin();
    txn_cancel(all, client(true, SIP_UDP, branch));
    advance(T1);
    assert_memory_equal(last_sent, "INVITE", 6);
    respond(branch, "INVITE", 100, "");
    assert_memory_equal(last_sent, "CANCEL", 6);
    unsigned n = sent;
    respond(branch, "INVITE", 180, "");
    assert_int_equal(sent, n); /* once */
    respond(branch, "CANCEL", 200, "");
    respond(branch, "INVITE", 487, "");
    assert_memory_equal(last_sent, "ACK", 3);
    advance(64 * T1 + 1);
    assert_int_equal(transactions_count(all), 0);
    end();
}

static void a_long_failure_is_acknowledged(void **state)
{
    static char name[20000];
    char branch[TOKEN_SIZE + 8];
    begin();
    memset(name, 'n', sizeof name - 1);
    client(true, SIP_UDP, branch);
    respond(branch, "INVITE", 486, name);
    assert_memory_equal(last_sent, "ACK", 3);
    assert_non_null(strstr(last_sent, name));
    respond(branch, "INVITE", 200, ""); /* of another branch of a proxy */
    assert_int_equal(responses, 2);
    advance(64 * T1 + 1);
    assert_int_equal(transactions_count(all), 0);
    end();
}

static void a_server_that_nobody_answers(void **state)
{
    begin();
    server("INFO", 1, SIP_UDP);
    advance(60 * T1 + 1);
    assert_int_equal(failures, 1); /* while its client waits still */
    advance(64 * T1);
    assert_int_equal(transactions_count(all), 0);
    struct txn *t = server("INVITE", 2, SIP_UDP);
    txn_answer(all, t, 180, STR("SIP/2.0 180 Ringing\r\n\r\n"));
    advance(UNANSWERED_MAX_MS + 1);
    assert_int_equal(failures, 3);
    txn_answer(all, t, 480, STR("SIP/2.0 480 X\r\n\r\n"));
    advance(64 * T1 + 1);
    assert_int_equal(transactions_count(all), 0);
    end();
}

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* Whatever is called in whatever order, nothing is left when the longest time has passed. */
static void nothing_stays(void **state)
{
    static const int status[] = {100, 180, 183, 200, 202, 301, 486, 487, 603};
    static const char *const method[] = {"INVITE", "INFO", "CANCEL"};
    for (uint32_t seed = 1; seed <= 300; seed++) {
        uint32_t r = seed;
        char branch[8][TOKEN_SIZE + 8] = {""};
        handle h[8] = {0};
        begin();
        for (unsigned i = 0; i < 60; i++) {
            unsigned k = draw(&r) % 8;
            struct txn *t = txn_at(all, h[k]);
            int s = status[draw(&r) % (sizeof status / sizeof *status)];
            enum sip_transport how = draw(&r) % 4 ? SIP_UDP : SIP_TCP;
            if (!t && draw(&r) % 2)
                t = client(draw(&r) % 2, how, branch[k]);
            else if (!t)
                t = server(method[draw(&r) % 2], seed * 100 + i, how);
            else if (t->server && draw(&r) % 3)
                txn_answer(all, t, s, STR("SIP/2.0 X\r\n\r\n"));
            else if (t->server)
                (void)txn_server_ack(all, t);
            else if (draw(&r) % 4 == 0)
                txn_cancel(all, t);
            else
                respond(branch[k], method[draw(&r) % 3], s, "");
            h[k] = t ? t->self : 0;
            transactions_check(all);
            advance(draw(&r) % 8 ? 0 : draw(&r));
        }
        for (size_t k = 0; k < 8; k++)
            h[k] = 0;
        advance(UNANSWERED_MAX_MS + 200 * T1);
        assert_int_equal(transactions_count(all), 0);
        assert_int_equal(blocks_held(blocks), 0);
        end();
    }
}

static void the_table_is_bounded(void **state)
{
    char branch[TOKEN_SIZE + 8];
    begin();
    for (size_t i = 0; i < MOST; i++)
        assert_non_null(client(i % 2, SIP_UDP, branch));
    assert_null(client(true, SIP_UDP, branch));
    assert_null(server("INFO", 1, SIP_UDP));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_hears_nothing),
        cmocka_unit_test(an_invite_that_rings_for_ever),
        cmocka_unit_test(cancel_waits_for_a_provisional_answer),
        cmocka_unit_test(a_long_failure_is_acknowledged),
        cmocka_unit_test(a_server_that_nobody_answers),
        cmocka_unit_test(nothing_stays),
        cmocka_unit_test(the_table_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
