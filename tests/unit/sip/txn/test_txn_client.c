/* The client half of transactions: timers A to F, K and M with their exact times, ACK and CANCEL,
 * answers that find their transaction or none, connections that break (RFC 3261 §17.1, RFC 6026
 * §7.2, RFC 4320). T1 is 500 ms. */
#include <errno.h>

#include "txn_kit.h"

/* ---- what is repeated, and until when ---- */

static void an_invite_is_repeated_at_doubled_times(void **state)
{
    txn_kit_begin();
    kit_client("INVITE", SIP_UDP);
    kit_advance(31999);
    assert_int_equal(kit.failures, 0);
    kit_expect_sent(7, (int64_t[]){0, 500, 1500, 3500, 7500, 15500, 31500}); /* timer A */
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failed_ms, 32000); /* timer B */
    assert_int_equal(kit.failure, ERR_TIMEOUT);
    assert_int_equal(transactions_count(kit.all), 0);
    kit_advance(64 * T1);
    kit_expect_silence();
    txn_kit_end();
}

static void another_request_is_repeated_each_t2_at_last(void **state)
{
    txn_kit_begin();
    kit_client("INFO", SIP_UDP);
    kit_advance(31999);
    assert_int_equal(kit.failures, 0);
    kit_expect_sent(11, (int64_t[]){0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500,
                                    31500}); /* timer E */
    kit_advance(1);
    assert_int_equal(kit.failed_ms, 32000); /* timer F */
    assert_int_equal(kit.failure, ERR_TIMEOUT);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void over_a_stream_nothing_is_repeated(void **state)
{
    static const char *const method[] = {"INVITE", "INFO"};
    for (size_t i = 0; i < 2; i++) {
        txn_kit_begin();
        kit_client(method[i], SIP_TCP);
        assert_true(still_stream_open(1));
        kit_advance(31999);
        kit_expect_sent(1, (int64_t[]){0});
        assert_int_equal(kit.failures, 0);
        kit_advance(1);
        assert_int_equal(kit.failure, ERR_TIMEOUT);
        assert_int_equal(transactions_count(kit.all), 0);
        txn_kit_end();
    }
}

static void a_provisional_answer_ends_the_repeats_of_an_invite(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_advance(1600);
    kit_respond(t, "INVITE", 100);
    assert_int_equal(kit.responses, 1);
    assert_int_equal(t->state, TXN_PROCEEDING);
    kit_advance(60000);
    kit_expect_sent(3, (int64_t[]){0, 500, 1500});
    assert_int_equal(kit.failures, 0); /* timer B has nothing to say any more */
    txn_kit_end();
}

/* Timer E goes on, each T2 (§17.1.2.2), and timer F is what it was. */
static void a_provisional_answer_slows_down_another_request(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INFO", SIP_UDP);
    kit_advance(600);
    kit_respond(t, "INFO", 100);
    assert_int_equal(kit.responses, 0); /* it is no news */
    assert_int_equal(t->state, TXN_PROCEEDING);
    kit_advance(31399);
    kit_expect_sent(10, (int64_t[]){0, 500, 1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500});
    kit_advance(1);
    assert_int_equal(kit.failed_ms, 32000);
    txn_kit_end();
}

static void a_final_answer_ends_another_request_at_once(void **state)
{
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct txn *t = kit_client("BYE", SIP_UDP);
    kit_branch(t, branch);
    kit_advance(700);
    kit_respond_to(branch, "BYE", 481);
    assert_int_equal(kit.responses, 1);
    assert_int_equal(kit.status, 481);
    assert_int_equal(transactions_count(kit.all), 0);
    kit_respond_to(branch, "BYE", 481); /* timer K: a repeat finds nothing */
    assert_int_equal(kit.responses, 1);
    kit_advance(64 * T1);
    kit_expect_sent(2, (int64_t[]){0, 500});
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void a_network_that_is_full_gets_it_again(void **state)
{
    txn_kit_begin();
    still_fail(ERR_FULL);
    kit_client("INFO", SIP_UDP);
    still_fail(OK);
    assert_int_equal(kit.on_sent, 0);
    kit_advance(500);
    kit_expect_sent(1, (int64_t[]){500});
    assert_int_equal(kit.on_sent, 1);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

/* ---- a failure and its ACK ---- */

static void a_failure_is_acknowledged_as_often_as_it_comes(void **state)
{
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_branch(t, branch);
    kit_respond(t, "INVITE", 486);
    assert_int_equal(kit.status, 486);
    char via[128]; /* §17.1.1.3: the first Via, the Routes, the answer's To */
    snprintf(via, sizeof via, "\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n", branch);
    assert_non_null(strstr(kit_last(), via));
    assert_memory_equal(kit_last(), "ACK sip:a@5.0.2.1 SIP/2.0\r\n", 27);
    assert_non_null(strstr(kit_last(), "\r\nRoute: <sip:r1;lr>, <sip:r2;lr>\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nRoute: <sip:r3;lr>\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nFrom: <sip:us@5.0.0.1>;tag=1\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nTo: <sip:a@5.0.2.1>;tag=2\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nCall-ID: c\r\nCSeq: 7 ACK\r\n"));
    kit_expect_sent(2, (int64_t[]){0, 0});
    kit_advance(31999);
    kit_respond(t, "INVITE", 486);
    kit_respond(t, "INVITE", 603); /* whatever it says now */
    kit_expect_sent(2, (int64_t[]){31999, 31999});
    assert_int_equal(kit.responses, 1);
    kit_respond(t, "INVITE", 180);
    kit_expect_silence();
    kit_advance(1); /* timer D */
    assert_int_equal(transactions_count(kit.all), 0);
    kit_respond_to(branch, "INVITE", 486);
    kit_expect_silence();
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void over_a_stream_a_failure_ends_with_its_ack(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_TCP);
    assert_true(still_stream_open(1));
    kit_respond(t, "INVITE", 500);
    assert_memory_equal(kit_last(), "ACK ", 4);
    assert_int_equal(kit.sent[1].stream, 1);
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

/* The To of an answer may be longer than any of ours. */
static void the_ack_of_a_long_failure_is_whole(void **state)
{
    static char text[SIP_MESSAGE_MAX], name[20000];
    static struct sip_msg m;
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    memset(name, 'n', sizeof name - 1);
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_branch(t, branch);
    snprintf(text, sizeof text,
             "SIP/2.0 486 X\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n"
             "From: <sip:us@5.0.0.1>;tag=1\r\nTo: \"%s\" <sip:a@5.0.2.1>;tag=2\r\n"
             "Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
             branch, name);
    assert_ok(sip_parse(text, strlen(text), &m));
    txn_on_response(kit.all, txn_client_of(kit.all, &m), &m);
    assert_memory_equal(kit_last(), "ACK ", 4);
    assert_non_null(strstr(kit_last(), name));
    assert_non_null(strstr(kit_last(), "\r\nCSeq: 7 ACK\r\n"));
    txn_kit_end();
}

/* ---- a 2xx ---- */

static void every_2xx_is_news_until_timer_m(void **state)
{
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_branch(t, branch);
    kit_advance(10000);
    kit_respond(t, "INVITE", 200);
    assert_int_equal(t->state, TXN_ACCEPTED);
    assert_int_equal(blocks_held(kit.blocks), 0); /* the request is not needed any more */
    kit_advance(31999);
    kit_respond(t, "INVITE", 200);
    assert_int_equal(kit.responses, 2);
    kit_respond(t, "INVITE", 486); /* of a fork that has lost */
    kit_respond(t, "INVITE", 180);
    assert_int_equal(kit.responses, 2);
    kit_expect_sent(5, (int64_t[]){0, 500, 1500, 3500, 7500}); /* no ACK: that is the user's */
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    kit_respond_to(branch, "INVITE", 200);
    assert_int_equal(kit.responses, 2);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void a_2xx_behind_a_failure_is_news(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 408);
    kit_advance(20000);
    kit_respond(t, "INVITE", 200);
    assert_int_equal(kit.responses, 2);
    assert_int_equal(kit.status, 200);
    kit_advance(11999);
    assert_int_equal(transactions_count(kit.all), 1); /* timer D is what it was */
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

/* ---- CANCEL ---- */

static void cancel_waits_for_a_provisional_answer(void **state)
{
    char branch[TOKEN_SIZE + 8], via[128];
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_branch(t, branch);
    txn_cancel(kit.all, t, (struct str){0});
    txn_cancel(kit.all, t, (struct str){0});
    kit_advance(600);
    kit_expect_sent(2, (int64_t[]){0, 500});
    kit_respond(t, "INVITE", 180);
    assert_memory_equal(kit_last(), "CANCEL sip:a@5.0.2.1 SIP/2.0\r\n", 30);
    snprintf(via, sizeof via, "\r\nVia: SIP/2.0/UDP 5.0.0.1:5060;branch=%s\r\n", branch);
    assert_non_null(strstr(kit_last(), via)); /* that of the INVITE (§9.1) */
    assert_non_null(strstr(kit_last(), "\r\nRoute: <sip:r1;lr>, <sip:r2;lr>\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nTo: <sip:a@5.0.2.1>\r\n"));
    assert_non_null(strstr(kit_last(), "\r\nCSeq: 7 CANCEL\r\n"));
    kit_expect_sent(1, (int64_t[]){600});
    kit_respond(t, "INVITE", 180); /* once */
    txn_cancel(kit.all, t, (struct str){0});
    kit_advance(500);
    kit_expect_sent(1, (int64_t[]){1100}); /* its own timer E */
    kit_respond(t, "CANCEL", 200);
    kit_advance(5000);
    kit_expect_silence();
    kit_respond(t, "INVITE", 487);
    assert_memory_equal(kit_last(), "ACK ", 4);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void what_rings_is_canceled_at_once_and_not_for_ever(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 180);
    kit_advance(1000);
    txn_cancel(kit.all, t, (struct str){0});
    assert_memory_equal(kit_last(), "CANCEL ", 7);
    kit_respond(t, "CANCEL", 200);
    kit_advance(31000);
    kit_respond(t, "INVITE", 180); /* gives it no more time */
    kit_advance(999);
    assert_int_equal(kit.failures, 0);
    kit_advance(1); /* 64 × T1 behind the CANCEL (§9.1) */
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failed_ms, 33000);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void an_answer_that_crosses_the_cancel_is_news(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 180);
    txn_cancel(kit.all, t, (struct str){0});
    kit_respond(t, "INVITE", 200);
    assert_int_equal(kit.status, 200);
    assert_int_equal(t->state, TXN_ACCEPTED);
    txn_kit_end();
}

static void before_any_answer_timer_b_goes_on(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_advance(10000);
    txn_cancel(kit.all, t, (struct str){0});
    kit_advance(21999);
    assert_int_equal(kit.failures, 0);
    kit_advance(1);
    assert_int_equal(kit.failed_ms, 32000);
    assert_null(strstr(kit_last(), "CANCEL"));
    txn_kit_end();
}

static void what_is_answered_or_no_invite_is_not_canceled(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 200);
    txn_cancel(kit.all, t, (struct str){0});
    struct txn *info = kit_client("INFO", SIP_UDP);
    kit_respond(info, "INFO", 100);
    txn_cancel(kit.all, info, (struct str){0});
    struct txn *server = kit_server("INVITE", "z9hG4bKs", SIP_UDP);
    txn_cancel(kit.all, server, (struct str){0});
    kit_expect_sent(2, (int64_t[]){0, 0});
    txn_kit_end();
}

/* A full table has no room for the CANCEL: the INVITE ends by its own time. */
static void a_full_table_does_not_keep_it(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 180);
    while (kit_client("INFO", SIP_TCP))
        ;
    assert_int_equal(transactions_count(kit.all), TXNS_MAX);
    txn_cancel(kit.all, t, (struct str){0});
    assert_memory_equal(kit_last(), "INVITE ", 7);
    kit_advance(32000);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

/* Timer C: what rings for three minutes is taken back, unless it goes on saying so (§16.8). */
static void timer_c_takes_the_invite_back(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 100);
    kit_advance(100000);
    kit_respond(t, "INVITE", 183);
    kit_advance(TIMER_C_MS - 1);
    assert_memory_equal(kit_last(), "INVITE ", 7);
    kit_advance(1);
    assert_memory_equal(kit_last(), "CANCEL ", 7);
    assert_int_equal(kit.failures, 0);
    kit_respond(t, "CANCEL", 200);
    kit_respond(t, "INVITE", 487);
    assert_int_equal(kit.status, 487);
    txn_kit_end();
}

/* 100 says that somebody got it, not that it rings (§16.7 item 2). */
static void a_100_gives_it_no_more_time(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    kit_respond(t, "INVITE", 100);
    kit_advance(100000);
    kit_respond(t, "INVITE", 100);
    kit_advance(TIMER_C_MS - 100001);
    assert_memory_equal(kit_last(), "INVITE ", 7);
    kit_advance(1);
    assert_memory_equal(kit_last(), "CANCEL ", 7);
    txn_kit_end();
}

static void its_user_may_give_it_more_patience(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_UDP);
    t->patience_ms += 100000;
    kit_respond(t, "INVITE", 180);
    kit_advance(TIMER_C_MS + 99999);
    assert_memory_equal(kit_last(), "INVITE ", 7);
    kit_advance(1);
    assert_memory_equal(kit_last(), "CANCEL ", 7);
    txn_kit_end();
}

/* ---- whose answer it is ---- */

static void an_answer_is_found_by_branch_and_method(void **state)
{
    char branch[TOKEN_SIZE + 8], other[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct txn *invite = kit_client("INVITE", SIP_UDP), *info = kit_client("INFO", SIP_UDP);
    kit_branch(invite, branch);
    kit_branch(info, other);
    assert_true(txn_is_own_branch(kit.all, str_of(branch)));
    kit_respond_to(branch, "INFO", 200);
    kit_respond_to(branch, "CANCEL", 200); /* none is out */
    kit_respond_to(other, "INVITE", 200);
    kit_respond_to(other + 7, "INFO", 200);
    kit_respond_to("z9hG4bK", "INFO", 200);
    kit_respond_to("z9hG4bK-of-somebody-else-and-as-long", "INFO", 200);
    char longer[TOKEN_SIZE + 9], forged[TOKEN_SIZE + 8];
    snprintf(longer, sizeof longer, "%s0", other);
    kit_respond_to(longer, "INFO", 200);
    memcpy(forged, other, sizeof forged);
    forged[7 + 25] = forged[7 + 25] == '0' ? '1' : '0'; /* of its random half */
    kit_respond_to(forged, "INFO", 200);
    assert_false(txn_is_own_branch(kit.all, str_of(forged)));
    assert_int_equal(kit.responses, 0);
    kit_respond_to(other, "INFO", 200);
    assert_int_equal(kit.responses, 1);
    assert_false(txn_is_own_branch(kit.all, str_of(other))); /* it is over */
    txn_kit_end();
}

static void a_server_transaction_s_handle_is_no_branch(void **state)
{
    char branch[TOKEN_SIZE + 8] = "z9hG4bK";
    txn_kit_begin();
    struct txn *t = kit_server("INFO", "z9hG4bKs", SIP_UDP);
    token_print(t->self, 0, branch + 7);
    assert_false(txn_is_own_branch(kit.all, str_of(branch)));
    txn_kit_end();
}

/* ---- connections ---- */

static void a_connection_that_breaks_fails_an_invite_that_waits_on_it(void **state)
{
    txn_kit_begin();
    struct txn *invite = kit_client("INVITE", SIP_TCP);
    kit_client("INFO", SIP_UDP);
    struct txn *answered = kit_client("INVITE", SIP_TCP);
    assert_int_equal(kit.on_sent, 1); /* by UDP; the others wait for the connection */
    assert_true(still_stream_open(1));
    assert_int_equal(kit.on_sent, 3);
    kit_respond(invite, "INVITE", 180);
    kit_respond(answered, "INVITE", 200);
    assert_true(still_stream_end(1, ERR_RESET));
    assert_int_equal(kit.gone, 1);
    assert_int_equal(kit.failures, 0); /* not inside that call */
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    assert_int_equal(transactions_count(kit.all), 2); /* by UDP, and the one that has its answer */
    txn_kit_end();
}

/* §12.2.1.2: it may have been lost on the way, and the dialog goes on. */
static void a_connection_that_breaks_makes_a_request_go_again(void **state)
{
    txn_kit_begin();
    struct txn *bye = kit_client("BYE", SIP_TCP);
    assert_true(still_stream_open(1));
    kit_expect_sent(1, (int64_t[]){0});
    assert_true(still_stream_end(1, ERR_RESET));
    kit_advance(499);
    kit_expect_silence();
    kit_advance(1);
    assert_true(still_stream_open(2));
    kit_expect_sent(1, (int64_t[]){500});
    assert_int_equal(kit.on_sent, 2);
    kit_respond(bye, "BYE", 200);
    assert_int_equal(kit.responses, 1);
    kit_advance(32000);
    kit_expect_silence();
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

/* Each try waits for its connection; refused at once, they are those of timer E. */
static void what_is_never_taken_is_tried_for_64_t1(void **state)
{
    static const int64_t at_ms[] = {0,     500,   1500,  3500,  7500, 11500,
                                    15500, 19500, 23500, 27500, 31500};
    txn_kit_begin();
    kit_client("BYE", SIP_TCP);
    for (uint32_t i = 0; i < sizeof at_ms / sizeof *at_ms; i++) {
        kit_advance(at_ms[i] - kit_now_ms() - (i > 0));
        struct still_stream s[2];
        assert_int_equal(still_streams(s, 2), i == 0);
        kit_advance(i > 0);
        assert_true(still_stream_end(i + 1, ERR_UNREACHABLE));
    }
    kit_advance(32000 - 1 - kit_now_ms());
    assert_int_equal(kit.failures, 0);
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failed_ms, 32000);
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    assert_int_equal(kit.on_sent, 0);
    txn_kit_end();
}

/* A connection that is still being made at the end was no silence of the peer's. */
static void what_never_left_is_unreachable(void **state)
{
    txn_kit_begin();
    kit_client("BYE", SIP_TCP);
    kit_advance(32000);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failed_ms, 32000);
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    txn_kit_end();
}

/* Its peer repeats what it said, and says the rest, on the new connection. Timer B begins anew. */
static void a_reinvite_that_rings_goes_again(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_TCP);
    t->fails_at_once = false;
    assert_true(still_stream_open(1));
    kit_respond(t, "INVITE", 180);
    kit_advance(40000);
    kit_forget_sent();
    assert_true(still_stream_end(1, ERR_CLOSED));
    kit_advance(500);
    assert_true(still_stream_open(2));
    kit_expect_sent(1, (int64_t[]){40500});
    kit_advance(31499);
    assert_int_equal(kit.failures, 0);
    kit_respond(t, "INVITE", 180);
    kit_respond(t, "INVITE", 200);
    assert_int_equal(kit.responses, 3);
    kit_advance(32000);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

/* The request waits for the connection, which never comes. */
static void a_connection_that_is_not_made_fails_it(void **state)
{
    txn_kit_begin();
    kit_client("INVITE", SIP_TCP);
    kit_expect_silence();
    kit_advance(4999);
    assert_int_equal(kit.failures, 0);
    kit_advance(2);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    assert_int_equal(transactions_count(kit.all), 0);
    assert_int_equal(kit.on_sent, 0); /* what never left was not sent */
    kit_expect_silence();
    txn_kit_end();
}

/* §18.4, for an INVITE alone: another address may take it. A request that is repeated anyway goes on
 * as if the message had been lost. */
static void icmp_ends_an_invite_that_nobody_heard(void **state)
{
    const struct addr at = {.family = 4, .ip = {5, 0, 0, 1}, .port = 5060};
    txn_kit_begin();
    kit_client("INFO", SIP_UDP);
    assert_true(still_icmp(&at, &kit.peer, ECONNREFUSED, str_of(kit_last())));
    kit_client("INVITE", SIP_UDP)->fails_at_once = false; /* a re-INVITE */
    assert_true(still_icmp(&at, &kit.peer, ECONNREFUSED, str_of(kit_last())));
    struct txn *heard = kit_client("INVITE", SIP_UDP);
    kit_respond(heard, "INVITE", 100);
    assert_true(still_icmp(&at, &kit.peer, ECONNREFUSED, str_of(kit_last())));
    kit_advance(1);
    assert_int_equal(kit.failures, 0);
    kit_client("INVITE", SIP_UDP);
    const struct addr other = {.family = 4, .ip = {5, 0, 2, 9}, .port = 5060};
    assert_true(still_icmp(&at, &other, ECONNREFUSED, str_of(kit_last())));
    assert_true(still_icmp(&at, &kit.peer, ECONNREFUSED, str_slice(str_of(kit_last()), 0, 80)));
    kit_advance(1);
    assert_int_equal(kit.failures, 0);
    assert_true(still_icmp(&at, &kit.peer, ECONNREFUSED, str_of(kit_last())));
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    txn_kit_end();
}

/* Its CANCEL goes again, since that is a request of its own. */
static void an_invite_that_was_taken_back_does_not_go_again(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_client("INVITE", SIP_TCP);
    t->fails_at_once = false;
    assert_true(still_stream_open(1));
    kit_respond(t, "INVITE", 180);
    txn_cancel(kit.all, t, (struct str){0});
    kit_expect_sent(2, (int64_t[]){0, 0});
    assert_true(still_stream_end(1, ERR_RESET));
    kit_advance(500);
    assert_true(still_stream_open(2));
    assert_int_equal(strncmp(kit_last(), "CANCEL ", 7), 0);
    kit_expect_sent(1, (int64_t[]){500});
    txn_kit_end();
}

static void what_a_stream_does_not_take_goes_again(void **state)
{
    txn_kit_begin();
    kit_client("INFO", SIP_TCP);
    assert_true(still_stream_open(1));
    kit_forget_sent();
    still_fail(ERR_FULL);
    kit_client("INFO", SIP_TCP);
    struct txn *invite = kit_client("INVITE", SIP_TCP);
    assert_non_null(invite);
    still_fail(OK);
    assert_int_equal(kit.failures, 0);
    kit_advance(1);
    assert_int_equal(kit.failures, 1); /* the INVITE */
    assert_int_equal(kit.failure, ERR_UNREACHABLE);
    kit_advance(499);
    kit_expect_sent(1, (int64_t[]){500});
    txn_kit_end();
}

static void a_request_that_is_too_long_fails(void **state)
{
    static char text[70000];
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct path path = kit_path(SIP_UDP);
    struct txn *t = txn_client_new(kit.all, false, &path, (struct str){0}, branch);
    txn_send(kit.all, t, str_of_bytes(text, sizeof text));
    assert_int_equal(kit.failures, 0);
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

/* ---- its user ---- */

static void end_it(struct txn *t)
{
    txn_end(kit.all, t);
}

static void it_may_be_ended_while_it_is_told(void **state)
{
    txn_kit_begin();
    kit.on_failure = end_it;
    kit_client("INVITE", SIP_UDP);
    kit_client("INFO", SIP_UDP);
    kit_advance(32000);
    assert_int_equal(kit.failures, 2);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void a_name_goes_with_tls_alone(void **state)
{
    char branch[TOKEN_SIZE + 8];
    txn_kit_begin();
    struct path path = kit_path(SIP_TLS);
    struct txn *t = txn_client_new(kit.all, true, &path, STR("agent.example"), branch);
    assert_string_equal(t->host, "agent.example");
    path = kit_path(SIP_TCP);
    t = txn_client_new(kit.all, true, &path, STR("agent.example"), branch);
    assert_null(t->host);
    txn_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_is_repeated_at_doubled_times),
        cmocka_unit_test(another_request_is_repeated_each_t2_at_last),
        cmocka_unit_test(over_a_stream_nothing_is_repeated),
        cmocka_unit_test(a_provisional_answer_ends_the_repeats_of_an_invite),
        cmocka_unit_test(a_provisional_answer_slows_down_another_request),
        cmocka_unit_test(a_final_answer_ends_another_request_at_once),
        cmocka_unit_test(a_network_that_is_full_gets_it_again),
        cmocka_unit_test(a_failure_is_acknowledged_as_often_as_it_comes),
        cmocka_unit_test(over_a_stream_a_failure_ends_with_its_ack),
        cmocka_unit_test(the_ack_of_a_long_failure_is_whole),
        cmocka_unit_test(every_2xx_is_news_until_timer_m),
        cmocka_unit_test(a_2xx_behind_a_failure_is_news),
        cmocka_unit_test(cancel_waits_for_a_provisional_answer),
        cmocka_unit_test(what_rings_is_canceled_at_once_and_not_for_ever),
        cmocka_unit_test(an_answer_that_crosses_the_cancel_is_news),
        cmocka_unit_test(before_any_answer_timer_b_goes_on),
        cmocka_unit_test(what_is_answered_or_no_invite_is_not_canceled),
        cmocka_unit_test(a_full_table_does_not_keep_it),
        cmocka_unit_test(timer_c_takes_the_invite_back),
        cmocka_unit_test(a_100_gives_it_no_more_time),
        cmocka_unit_test(its_user_may_give_it_more_patience),
        cmocka_unit_test(an_answer_is_found_by_branch_and_method),
        cmocka_unit_test(a_server_transaction_s_handle_is_no_branch),
        cmocka_unit_test(a_connection_that_breaks_fails_an_invite_that_waits_on_it),
        cmocka_unit_test(a_connection_that_breaks_makes_a_request_go_again),
        cmocka_unit_test(what_is_never_taken_is_tried_for_64_t1),
        cmocka_unit_test(what_never_left_is_unreachable),
        cmocka_unit_test(a_reinvite_that_rings_goes_again),
        cmocka_unit_test(a_connection_that_is_not_made_fails_it),
        cmocka_unit_test(icmp_ends_an_invite_that_nobody_heard),
        cmocka_unit_test(an_invite_that_was_taken_back_does_not_go_again),
        cmocka_unit_test(what_a_stream_does_not_take_goes_again),
        cmocka_unit_test(a_request_that_is_too_long_fails),
        cmocka_unit_test(it_may_be_ended_while_it_is_told),
        cmocka_unit_test(a_name_goes_with_tls_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
