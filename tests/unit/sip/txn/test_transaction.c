/* The server half of transactions and the table of all: timers G to J and L with their exact times,
 * what makes a request the same request, an end in every state, and accounts that share the table
 * (RFC 3261 §17.2, RFC 6026, RFC 4320). T1 is 500 ms. */
#include "txn_kit.h"

#include "base/metrics.h"

/* ---- what is repeated, and until when ---- */

static void a_failure_is_repeated_until_the_ack(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    kit_advance(100);
    kit_answer(t, 486);
    assert_int_equal(t->state, TXN_COMPLETED);
    kit_advance(16000);
    kit_expect_sent(7, (int64_t[]){100, 600, 1600, 3600, 7600, 11600, 15600}); /* timer G */
    int64_t repeats = metric_get(METRIC_SIP_RETRANSMITS_OUT);
    assert_true(txn_server_ack(kit.all, t));
    assert_int_equal(t->state, TXN_CONFIRMED);
    assert_true(txn_server_ack(kit.all, t)); /* again: absorbed */
    txn_server_repeat(kit.all, t);           /* the INVITE, late */
    kit_advance(4999);
    assert_int_equal(transactions_count(kit.all), 1);
    kit_advance(1); /* timer I */
    assert_int_equal(transactions_count(kit.all), 0);
    kit_expect_silence();
    assert_int_equal(metric_get(METRIC_SIP_RETRANSMITS_OUT), repeats);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void without_an_ack_it_is_over_after_timer_h(void **state)
{
    txn_kit_begin();
    kit_answer(kit_server("INVITE", "z9hG4bK1", SIP_UDP), 500);
    kit_advance(31999);
    assert_int_equal(transactions_count(kit.all), 1);
    kit_expect_sent(
        11, (int64_t[]){0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500});
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    kit_advance(64 * T1);
    kit_expect_silence();
    txn_kit_end();
}

static void over_a_stream_a_failure_is_said_once(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_TCP);
    kit_answer(t, 486);
    assert_true(still_stream_open(1));
    kit_advance(31999);
    kit_expect_sent(1, (int64_t[]){0});
    assert_int_equal(transactions_count(kit.all), 1); /* timer H */
    assert_true(txn_server_ack(kit.all, t));
    kit_advance(1); /* timer I is nought */
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void a_repeated_request_gets_the_last_answer_again(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    txn_server_repeat(kit.all, t);
    kit_expect_silence(); /* there is none yet */
    kit_answer(t, 100);
    kit_answer(t, 180);
    txn_server_repeat(kit.all, t);
    assert_string_equal(kit_last(), "SIP/2.0 180 X\r\n\r\n");
    kit_answer(t, 480);
    txn_server_repeat(kit.all, t);
    assert_string_equal(kit_last(), "SIP/2.0 480 X\r\n\r\n");
    kit_expect_sent(5, (int64_t[]){0, 0, 0, 0, 0});
    assert_int_equal(kit.on_sent, 5);
    txn_kit_end();
}

static void another_request_is_absorbed_until_timer_j(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INFO", "z9hG4bK1", SIP_UDP);
    kit_advance(1000);
    kit_answer(t, 200);
    kit_advance(31999);
    txn_server_repeat(kit.all, t);
    kit_expect_sent(2, (int64_t[]){1000, 32999});
    assert_int_equal(transactions_count(kit.all), 1);
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    t = kit_server("INFO", "z9hG4bK2", SIP_TCP);
    kit_answer(t, 200);
    kit_advance(1); /* nought over a stream */
    assert_int_equal(transactions_count(kit.all), 0);
    assert_int_equal(kit.failures, 0);
    txn_kit_end();
}

static void a_2xx_is_the_call_s_to_repeat(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    kit_answer(t, 200);
    assert_int_equal(t->state, TXN_ACCEPTED);
    assert_int_equal(blocks_held(kit.blocks), 0);
    txn_server_repeat(kit.all, t);
    assert_false(txn_server_ack(kit.all, t)); /* that ACK is the call's, too */
    kit_advance(31999);
    kit_expect_sent(1, (int64_t[]){0});
    assert_int_equal(transactions_count(kit.all), 1);
    kit_advance(1); /* timer L, over streams the same */
    assert_int_equal(transactions_count(kit.all), 0);
    kit_answer(kit_server("INVITE", "z9hG4bK2", SIP_TCP), 200);
    kit_advance(31999);
    assert_int_equal(transactions_count(kit.all), 1);
    kit_advance(1);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void there_is_one_final_answer(void **state)
{
    txn_kit_begin();
    struct txn *invite = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    struct txn *info = kit_server("INFO", "z9hG4bK2", SIP_UDP);
    kit_answer(invite, 200);
    kit_answer(info, 200);
    kit_answer(invite, 486);
    kit_answer(invite, 180);
    kit_answer(info, 500);
    kit_expect_sent(2, (int64_t[]){0, 0});
    txn_kit_end();
}

static void an_ack_before_the_answer_says_nothing(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    assert_false(txn_server_ack(kit.all, t));
    kit_answer(t, 180);
    assert_false(txn_server_ack(kit.all, t));
    assert_int_equal(t->state, TXN_PROCEEDING);
    txn_kit_end();
}

/* ---- users that forget ---- */

static void answer_408(struct txn *t)
{
    kit_answer(t, 408);
}

static void a_request_that_nobody_answers_is_told_in_time(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INFO", "z9hG4bK1", SIP_UDP);
    kit_advance(29999);
    assert_int_equal(kit.failures, 0);
    kit_advance(1); /* its client waits 2 s more */
    assert_int_equal(kit.failures, 1);
    assert_int_equal(kit.failure, ERR_TIMEOUT);
    assert_ptr_equal(txn_at(kit.all, t->self), t);
    kit_advance(31999);
    assert_int_equal(transactions_count(kit.all), 1);
    kit_advance(1);
    assert_int_equal(kit.failures, 2);
    assert_int_equal(transactions_count(kit.all), 0);

    kit.on_failure = answer_408;
    kit_server("INFO", "z9hG4bK2", SIP_UDP);
    kit_advance(30000);
    kit_expect_sent(1, (int64_t[]){92000});
    kit_advance(32000);
    assert_int_equal(kit.failures, 3);
    assert_int_equal(transactions_count(kit.all), 0);
    txn_kit_end();
}

static void an_invite_may_ring_for_an_hour(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    kit_answer(t, 180);
    kit_advance(UNANSWERED_MAX_MS - 1);
    assert_int_equal(kit.failures, 0);
    kit_advance(1);
    assert_int_equal(kit.failures, 1);
    kit_answer(t, 480); /* the last moment */
    assert_true(txn_server_ack(kit.all, t));
    kit_advance(10 * T1);
    assert_int_equal(transactions_count(kit.all), 0);
    assert_int_equal(kit.failures, 1);
    txn_kit_end();
}

static void it_may_be_ended_while_it_is_told(void **state)
{
    txn_kit_begin();
    struct txn *t = kit_server("INFO", "z9hG4bK1", SIP_UDP);
    handle self = t->self;
    txn_end(kit.all, t);
    assert_null(txn_at(kit.all, self));
    assert_null(txn_server_of(
        kit.all, kit_request(&(struct kit_request){.method = "INFO", .branch = "z9hG4bK1"})));
    assert_null(txn_at(kit.all, 0));
    txn_kit_end();
}

/* ---- the same request (§17.2.3) ---- */

static struct txn *found(struct kit_request r)
{
    return txn_server_of(kit.all, kit_request(&r));
}

static void a_request_is_the_same_by_branch_sent_by_and_method(void **state)
{
    txn_kit_begin();
    struct txn *invite = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    struct txn *info = kit_server("INFO", "z9hG4bK1", SIP_UDP);
    assert_ptr_not_equal(invite, info);
#define R(...) found((struct kit_request){__VA_ARGS__})
    assert_ptr_equal(R(.method = "INVITE", .branch = "z9hG4bK1"), invite);
    assert_ptr_equal(R(.method = "ACK", .branch = "z9hG4bK1"), invite);
    assert_ptr_equal(R(.method = "CANCEL", .branch = "z9hG4bK1"), invite);
    assert_ptr_equal(R(.method = "INFO", .branch = "z9hG4bK1"), info);
    assert_null(R(.method = "BYE", .branch = "z9hG4bK1"));
    assert_null(R(.method = "INVITE", .branch = "z9hG4bK2"));
    assert_null(R(.method = "INVITE", .branch = "z9hG4bK"));
    assert_null(R(.method = "INVITE", .branch = "z9hG4bK1", .via = "5.0.2.1:5061"));
    assert_null(R(.method = "INVITE", .branch = "z9hG4bK1", .via = "5.0.2.1"));
    assert_null(R(.method = "INVITE", .branch = "z9hG4bK1", .via = "5.0.2.2:5060"));
    /* with a branch of the cookie's kind nothing else counts */
    assert_ptr_equal(R(.method = "INVITE", .branch = "z9hG4bK1", .call_id = "other", .cseq = 9,
                       .tag = "other", .ruri = "sip:other@5.0.0.1"),
                     invite);
    txn_kit_end();
}

/* RFC 2543's branches are not unique: all that a retransmission repeats counts. */
static void without_the_cookie_all_that_is_repeated_counts(void **state)
{
    static const char *const old[] = {NULL, "1", "z9hG4bK"};
    txn_kit_begin();
    for (size_t i = 0; i < 3; i++) {
        struct txn *t = kit_server("INVITE", old[i], SIP_UDP);
        const char *same = old[(i + 1) % 3]; /* the branch is not looked at */
        assert_ptr_equal(R(.method = "INVITE", .branch = same), t);
        assert_ptr_equal(R(.method = "ACK", .branch = same), t);
        assert_null(R(.method = "INFO", .branch = same));
        assert_null(R(.method = "INVITE", .branch = same, .call_id = "other"));
        assert_null(R(.method = "INVITE", .branch = same, .cseq = 2));
        assert_null(R(.method = "INVITE", .branch = same, .tag = "other"));
        assert_null(R(.method = "INVITE", .branch = same, .ruri = "sip:other@5.0.0.1"));
        assert_null(R(.method = "INVITE", .branch = same, .via = "5.0.2.9"));
        txn_end(kit.all, t);
    }
#undef R
    txn_kit_end();
}

static void the_request_is_kept_until_its_final_answer(void **state)
{
    static struct sip_msg m;
    txn_kit_begin();
    struct txn *t = kit_server("INVITE", "z9hG4bK1", SIP_UDP);
    assert_ok(txn_request(t, &m));
    assert_str(m.via.branch, "z9hG4bK1");
    kit_answer(t, 180);
    assert_ok(txn_request(t, &m));
    kit_answer(t, 486);
    assert_err(txn_request(t, &m), ERR_NOT_FOUND);
    txn_kit_end();
}

static void one_that_is_too_long_to_keep_does_not_begin(void **state)
{
    static char raw[70000];
    txn_kit_begin();
    struct path path = kit_path(SIP_UDP);
    const struct sip_msg *m =
        kit_request(&(struct kit_request){.method = "INFO", .branch = "z9hG4bK1"});
    assert_null(txn_server_new(kit.all, m, &path, str_of_bytes(raw, sizeof raw), true));
    assert_int_equal(transactions_count(kit.all), 0);
    struct txn *t = txn_server_new(kit.all, m, &path, str_of_bytes(raw, sizeof raw), false);
    assert_non_null(t);
    txn_answer(kit.all, t, 200, str_of_bytes(raw, sizeof raw));
    kit_expect_silence();
    assert_int_equal(t->state, TXN_TRYING); /* another answer may be tried */
    txn_kit_end();
}

/* ---- connections ---- */

/* An answer goes over the connection that its request came on, and when that is gone to where the
 * request says that its sender listens (§18.2.2). */
static void an_answer_finds_its_way_back(void **state)
{
    static const struct {
        const char *via;
        uint16_t port;
    } t[] = {{"5.0.2.1:5090", 5090}, {"5.0.2.1", 5060}, {"named.example:5070", 5070}};
    for (size_t i = 0; i < 3; i++) {
        struct still_stream newest;
        txn_kit_begin();
        uint32_t in = kit_connect();
        struct txn *s = kit_server_on(
            in, &(struct kit_request){.method = "INVITE", .branch = "z9hG4bK1", .via = t[i].via});
        kit_answer(s, 180);
        assert_int_equal(kit.sent[0].stream, in);
        assert_true(still_stream_end(in, ERR_CLOSED));
        kit_advance(1);
        assert_int_equal(kit.failures, 0); /* the call goes on */
        kit_answer(s, 486);
        assert_int_equal(still_streams(&newest, 1), 1);
        assert_true(newest.outgoing && addr_eq_host(&newest.peer, &kit.peer));
        assert_int_equal(newest.peer.port, t[i].port);
        kit_expect_sent(1, (int64_t[]){0});
        assert_true(still_stream_open(newest.id));
        assert_string_equal(kit_last(), "SIP/2.0 486 X\r\n\r\n");
        assert_int_equal(s->path.peer.port, 33000); /* what Via's rport says */
        txn_kit_end();
    }
}

/* §18.2.2 and RFC 3581: the port is the Via's, the address never is. */
static void an_answer_over_udp_goes_to_the_port_that_the_via_says(void **state)
{
    static const struct {
        const char *via, *branch;
        enum sip_transport how;
        uint16_t port;
    } t[] = {
        {"5.0.2.1:5090", "z9hG4bK1", SIP_UDP, 5090},
        {"5.0.2.1", "z9hG4bK1", SIP_UDP, 5060},
        {"named.example:5070", "z9hG4bK1", SIP_UDP, 5070},
        {"5.0.2.1:5090", "z9hG4bK1;rport", SIP_UDP, 33000},
        {"10.0.0.7:5090", "z9hG4bK1", SIP_UDP, 33000}, /* behind NAT */
        {"5.0.2.1:5090", "z9hG4bK1", SIP_TCP, 33000},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct path from = {.transport = (uint8_t)t[i].how,
                            .peer = {.family = 4, .ip = {5, 0, 2, 1}, .port = 33000}};
        const struct sip_msg *m = kit_request(
            &(struct kit_request){.method = "INVITE", .via = t[i].via, .branch = t[i].branch});
        struct path to = txn_reply_path(m, &from);
        assert_int_equal(to.peer.port, t[i].port);
        assert_true(addr_eq_host(&to.peer, &from.peer));
    }
}

/* ---- strays ---- */

static void each_stray_answer_is_hung_up_once(void **state)
{
    static const char *const tag[] = {"a", "b", "c", "d"};
    struct strays s = {0};
    for (size_t i = 0; i < 4; i++)
        assert_true(strays_add(&s, str_of(tag[i])));
    for (size_t i = 0; i < 4; i++)
        assert_false(strays_add(&s, str_of(tag[i])));
    assert_true(strays_add(&s, STR("e"))); /* in the place of the oldest */
    assert_false(strays_add(&s, STR("b")));
    assert_true(strays_add(&s, STR("a")));
}

/* ---- the table ---- */

static void the_table_is_bounded(void **state)
{
    txn_kit_begin();
    for (size_t i = 0; i < TXNS_MAX; i++)
        assert_non_null(kit_client(i % 2 ? "INVITE" : "INFO", SIP_UDP));
    assert_null(kit_client("INVITE", SIP_UDP));
    assert_null(kit_server("INFO", "z9hG4bK1", SIP_UDP));
    assert_null(found((struct kit_request){.method = "INFO", .branch = "z9hG4bK1"}));
    txn_kit_end();
}

/* True when the account may begin one, and did. */
static bool begin(uint64_t account)
{
    struct txn *t = transactions_admit(kit.all, account) ? kit_client("OPTIONS", SIP_UDP) : NULL;
    if (t)
        txn_charge(kit.all, t, account);
    return t != NULL;
}

static unsigned begin_all(uint64_t account)
{
    unsigned n = 0;
    while (n < TXNS_MAX && begin(account))
        n++;
    return n;
}

static void one_account_leaves_three_quarters(void **state)
{
    txn_kit_begin();
    assert_int_equal(begin_all(1), TXNS_MAX / 4);
    for (uint64_t account = 2; account <= 7; account++)
        assert_int_equal(begin_all(account), TXNS_MAX / 8); /* each an eighth */
    assert_int_equal(transactions_count(kit.all), TXNS_MAX);
    assert_false(begin(8));
    txn_kit_end();
}

static void what_ends_is_free_again(void **state)
{
    txn_kit_begin();
    assert_int_equal(begin_all(1), TXNS_MAX / 4);
    assert_true(begin(2));
    assert_false(begin(1));
    kit_advance(64 * T1);
    assert_int_equal(transactions_count(kit.all), 0);
    assert_int_equal(begin_all(1), TXNS_MAX / 4);
    txn_kit_end();
}

static void whom_it_is_charged_to_may_change(void **state)
{
    txn_kit_begin();
    assert_int_equal(begin_all(1), TXNS_MAX / 4);
    for (int i = 0; i < TXNS_MAX / 8; i++) {
        struct txn *t = kit_client("OPTIONS", SIP_UDP);
        txn_charge(kit.all, t, 2);
        txn_charge(kit.all, t, 3);
    }
    assert_true(transactions_admit(kit.all, 2));
    assert_false(transactions_admit(kit.all, 3));
    txn_kit_end();
}

/* ---- whatever is called in whatever order ---- */

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static struct txn *begin_any(uint32_t *r, unsigned i, char branch[TOKEN_SIZE + 8])
{
    static const char *const method[] = {"INVITE", "INFO"};
    char theirs[32];
    enum sip_transport how = draw(r) % 4 ? SIP_UDP : SIP_TCP;
    snprintf(theirs, sizeof theirs, "z9hG4bK%u", i);
    struct txn *t = draw(r) % 2 ? kit_client(method[draw(r) % 2], how)
                                : kit_server(method[draw(r) % 2], theirs, how);
    if (t && !t->server)
        kit_branch(t, branch);
    return t;
}

static void do_anything(uint32_t *r, struct txn *t, const char *branch)
{
    static const int status[] = {100, 180, 183, 200, 202, 301, 486, 487, 603};
    static const char *const method[] = {"INVITE", "INFO", "CANCEL"};
    int s = status[draw(r) % (sizeof status / sizeof *status)];
    if (t->server && draw(r) % 3)
        kit_answer(t, s);
    else if (t->server)
        (void)txn_server_ack(kit.all, t);
    else if (draw(r) % 4 == 0)
        txn_cancel(kit.all, t, (struct str){0});
    else
        kit_respond_to(branch, method[draw(r) % 3], s);
}

/* In every state a timer runs that ends it: nothing is left when the longest time has passed. */
static void nothing_stays(void **state)
{
    for (uint32_t seed = 1; seed <= 300; seed++) {
        uint32_t r = seed;
        char branch[8][TOKEN_SIZE + 8] = {""};
        handle h[8] = {0};
        txn_kit_begin();
        for (unsigned i = 0; i < 60; i++) {
            unsigned k = draw(&r) % 8;
            struct txn *t = txn_at(kit.all, h[k]);
            if (t)
                do_anything(&r, t, branch[k]);
            else if ((t = begin_any(&r, i, branch[k])))
                h[k] = t->self;
            transactions_check(kit.all);
            kit_advance(draw(&r) % 8 ? 0 : draw(&r));
            kit_forget_sent();
        }
        for (unsigned i = 0; i < 8; i++, kit_forget_sent())
            kit_advance(UNANSWERED_MAX_MS / 8 + 25 * T1);
        assert_int_equal(transactions_count(kit.all), 0);
        assert_int_equal(blocks_held(kit.blocks), 0);
        txn_kit_end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_repeated_until_the_ack),
        cmocka_unit_test(without_an_ack_it_is_over_after_timer_h),
        cmocka_unit_test(over_a_stream_a_failure_is_said_once),
        cmocka_unit_test(a_repeated_request_gets_the_last_answer_again),
        cmocka_unit_test(another_request_is_absorbed_until_timer_j),
        cmocka_unit_test(a_2xx_is_the_call_s_to_repeat),
        cmocka_unit_test(there_is_one_final_answer),
        cmocka_unit_test(an_ack_before_the_answer_says_nothing),
        cmocka_unit_test(a_request_that_nobody_answers_is_told_in_time),
        cmocka_unit_test(an_invite_may_ring_for_an_hour),
        cmocka_unit_test(it_may_be_ended_while_it_is_told),
        cmocka_unit_test(a_request_is_the_same_by_branch_sent_by_and_method),
        cmocka_unit_test(without_the_cookie_all_that_is_repeated_counts),
        cmocka_unit_test(the_request_is_kept_until_its_final_answer),
        cmocka_unit_test(one_that_is_too_long_to_keep_does_not_begin),
        cmocka_unit_test(an_answer_finds_its_way_back),
        cmocka_unit_test(an_answer_over_udp_goes_to_the_port_that_the_via_says),
        cmocka_unit_test(each_stray_answer_is_hung_up_once),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(one_account_leaves_three_quarters),
        cmocka_unit_test(what_ends_is_free_again),
        cmocka_unit_test(whom_it_is_charged_to_may_change),
        cmocka_unit_test(nothing_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
