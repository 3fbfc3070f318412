/* Who takes a call, branch by branch: the number, what webhooks answer, the number's targets. */
#include <unistd.h>

#include "check.h"
#include "hub/decision.h"

static char dir[] = "/tmp/hookswitch-decision-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static const struct book *book;
static struct decision *d;
static struct decision_step step;
static int64_t now_ms;

enum { ACCOUNT = 3, STRANGER = 4, ASKED_MAX = 32 };

/* ---- what is set ---- */

static void setting_set(enum setting_kind kind, uint64_t n, uint64_t account, const char *id,
                        const char *doc)
{
    struct setting s = {.n = n,
                        .kind = kind,
                        .id = str_of(id),
                        .key = str_of(id),
                        .account = account,
                        .doc = str_of(doc)};
    books_changed(books, &s, false);
    book_drop(&book);
    book = book_take(books);
}

static void number_of(const char *e164, uint64_t account, bool voice, const char *targets)
{
    static char doc[8192];
    static uint64_t n = 1000;
    snprintf(doc, sizeof doc,
             "{\"number\":\"%s\",\"voice\":%s,\"sms\":true,\"forward\":{\"targets\":[%s]}}", e164,
             voice ? "true" : "false", targets);
    setting_set(SETTING_NUMBER, n++, account, e164, doc);
}

static void number(const char *e164, const char *targets)
{
    number_of(e164, ACCOUNT, true, targets);
}

/* Endpoint `n` of the account, at https://h.example/`path`. */
static void endpoint(uint64_t n, const char *path, bool control, unsigned timeout_ms)
{
    char id[32], doc[512];
    snprintf(id, sizeof id, "ep_%llu", (unsigned long long)n);
    snprintf(doc, sizeof doc,
             "{\"url\":\"https://h.example/%s\",\"control\":%s,\"control_timeout_ms\":%u,"
             "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}",
             path, control ? "true" : "false", timeout_ms);
    setting_set(SETTING_ENDPOINT, n, ACCOUNT, id, doc);
    assert_non_null(book_endpoint(book, n));
}

#define TO(e164)  "{\"type\":\"access_number\",\"destination\":\"" e164 "\"}"
#define SIP(user) "{\"type\":\"sip\",\"destination\":\"sip:" user "@192.0.2.1\"}"
#define SIP_WHEN(user, when)                                                                       \
    "{\"type\":\"sip\",\"destination\":\"sip:" user "@192.0.2.1\",\"when\":\"" when "\"}"
#define ASK(path)        "{\"type\":\"webhook\",\"destination\":\"https://h.example/" path "\"}"
#define FORWARD(targets) "{\"action\":\"forward\",\"targets\":[" targets "]}"

/* ---- who is asked ---- */

static struct asked {
    uint64_t mark;
    bool by_delivery;
    unsigned sequence;
    char url[128];
} asked[ASKED_MAX];
static size_t n_asked;
static enum err asking; /* what comes of it */

static enum err on_early(void *arg, const struct event *e, uint64_t n, unsigned sequence)
{
    if (asking == OK && n_asked < ASKED_MAX)
        asked[n_asked++] = (struct asked){.mark = n, .by_delivery = true, .sequence = sequence};
    return asking;
}

static enum err on_ask(void *arg, const struct event *e, struct str to, int64_t timeout_ms,
                       uint64_t mark)
{
    assert_int_equal(timeout_ms, ASKED_URL_TIMEOUT_MS);
    if (asking == OK && n_asked < ASKED_MAX) {
        asked[n_asked] = (struct asked){.mark = mark};
        assert_ok(str_copy(to, asked[n_asked++].url, sizeof asked->url));
    }
    return asking;
}

static const struct askers askers = {on_early, on_ask, NULL};

static void call(const char *e164)
{
    decision_free(d);
    assert_ok(decision_new(book, ACCOUNT, str_of(e164), &d));
    n_asked = 0;
    asking = OK;
    now_ms = 1000000;
}

/* Its incoming_call goes to the endpoints `first` … `last`. */
static void ask_ahead(uint64_t first, uint64_t last)
{
    struct delivery to[ASKED_MAX] = {0};
    size_t n = 0;
    for (uint64_t e = first; e <= last; e++)
        to[n++] = (struct delivery){.endpoint = e, .sequence = 7};
    decision_ask_ahead(d, &askers, NULL, to, n, now_ms);
}

static void answer(uint64_t mark, const char *body)
{
    decision_answer(d, mark, 200, str_of(body), now_ms);
}

static enum decision_kind next(void)
{
    return decision_next(d, now_ms, &step);
}

/* The next step is a target: sip:`user`@192.0.2.1. */
static void expect_target(const char *user)
{
    char whole[64];
    snprintf(whole, sizeof whole, "sip:%s@192.0.2.1", user);
    assert_int_equal(next(), DECISION_TARGET);
    assert_str(step.target->destination, whole);
}

static void expect_end(enum end_reason reason, enum ended_by by, int sip_status)
{
    assert_int_equal(next(), DECISION_END);
    assert_int_equal(step.reason, reason);
    assert_int_equal(step.by, by);
    assert_int_equal(step.sip_status, sip_status);
}

/* ---- the number ---- */

static void a_number_must_be_there_and_take_calls(void **state)
{
    number("+447911000001", SIP("a"));
    number_of("+447911000002", ACCOUNT, false, SIP("a"));
    const struct book_number *n = decision_called(book, STR("+447911000001"));
    assert_non_null(n);
    assert_string_equal(n->id, "+447911000001");
    assert_null(decision_called(book, STR("+447911000002")));
    assert_null(decision_called(book, STR("+447911999999")));
}

static void a_number_that_has_gone_since_leads_nowhere(void **state)
{
    call("+447911999999");
    assert_false(decision_asks(d, NULL, 0));
    ask_ahead(1, 0);
    expect_end(END_FAILED, ENDED_BY_SYSTEM, 480);
}

static void a_number_without_targets_is_not_available(void **state)
{
    number("+447911000003", "");
    call("+447911000003");
    assert_false(decision_asks(d, NULL, 0));
    expect_end(END_FAILED, ENDED_BY_SYSTEM, 480);
    assert_null(step.detail);
    assert_int_equal(decision_action(d), CONTROL_DEFAULT);
}

/* ---- the targets ---- */

static void an_outcome_leads_to_the_next_target(void **state)
{
    number("+447911000004", SIP("a") "," SIP_WHEN("b", "busy") "," SIP_WHEN("c", "no_answer"));
    call("+447911000004");
    assert_false(decision_asks(d, NULL, 0));
    expect_target("a");
    decision_failed(d, 408);
    assert_int_equal(decision_last_status(d), 408);
    expect_target("c");
    decision_failed(d, 603);
    expect_end(END_REJECTED, ENDED_BY_CALLEE, 603);
}

static void targets_that_cannot_be_had_fail_like_others(void **state)
{
    number_of("+447911000006", STRANGER, true, SIP("theirs"));
    number("+447911000005",
           TO("+447911000006") "," TO(
               "+447911000005") ",{\"type\":\"pstn\",\"destination\":\"+12025550100\"},"
                                "{\"type\":\"extension\",\"destination\":\"desk\"}," SIP_WHEN(
                                    "a", "failed"));
    call("+447911000005");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(next(), DECISION_NO_WAY);
        assert_int_equal(step.detail != NULL, i < 2); /* a stranger's, and a loop */
        assert_int_equal(decision_last_status(d), 500);
    }
    expect_target("a");
    decision_failed(d, 404);
    expect_end(END_FAILED, ENDED_BY_CALLEE, 480);
}

static void a_number_leads_on_and_back(void **state)
{
    number("+447911000007", SIP("inner"));
    number("+447911000008",
           TO("+447911000007") ",{\"type\":\"direct_ip\",\"destination\":\"192.0.2.9:5080\"}");
    call("+447911000008");
    expect_target("inner");
    decision_failed(d, 486);
    assert_int_equal(next(), DECISION_TARGET);
    assert_int_equal(step.target->type, TARGET_DIRECT_IP);
    decision_failed(d, 486);
    expect_end(END_BUSY, ENDED_BY_CALLEE, 486);
}

static void sixty_four_targets_are_looked_at(void **state)
{
    static char sixteen[2048], numbers[1024];
    for (int i = 0; i < 16; i++)
        strcat(strcat(sixteen, i ? "," : ""), SIP("x"));
    for (int i = 0; i < 5; i++)
        strcat(strcat(numbers, i ? "," : ""), TO("+447911000009"));
    number("+447911000009", sixteen);
    number("+447911000010", numbers);
    call("+447911000010");
    for (int tried = 0; tried < 60; tried++) { /* and four numbers */
        expect_target("x");
        decision_failed(d, 503);
    }
    expect_end(END_FAILED, ENDED_BY_SYSTEM, 500);
    assert_string_equal(step.detail, "a call looks at 64 targets");
}

static void how_the_last_target_failed_is_how_the_call_ends(void **state)
{
    static const struct {
        int last;
        enum end_reason reason;
        enum ended_by by;
        int heard;
    } t[] = {
        {486, END_BUSY, ENDED_BY_CALLEE, 486},      {600, END_BUSY, ENDED_BY_CALLEE, 486},
        {408, END_NO_ANSWER, ENDED_BY_SYSTEM, 480}, {480, END_NO_ANSWER, ENDED_BY_CALLEE, 480},
        {603, END_REJECTED, ENDED_BY_CALLEE, 603},  {403, END_REJECTED, ENDED_BY_CALLEE, 403},
        {404, END_FAILED, ENDED_BY_CALLEE, 480},    {410, END_FAILED, ENDED_BY_CALLEE, 480},
        {604, END_FAILED, ENDED_BY_CALLEE, 480},    {302, END_FAILED, ENDED_BY_CALLEE, 480},
        {415, END_FAILED, ENDED_BY_CALLEE, 415},    {422, END_FAILED, ENDED_BY_CALLEE, 422},
        {484, END_FAILED, ENDED_BY_CALLEE, 484},    {488, END_FAILED, ENDED_BY_CALLEE, 488},
        {606, END_FAILED, ENDED_BY_CALLEE, 606},    {482, END_FAILED, ENDED_BY_SYSTEM, 482},
        {500, END_FAILED, ENDED_BY_SYSTEM, 500},    {503, END_FAILED, ENDED_BY_SYSTEM, 500},
        {502, END_FAILED, ENDED_BY_CALLEE, 500},    {420, END_FAILED, ENDED_BY_CALLEE, 420},
        {413, END_FAILED, ENDED_BY_CALLEE, 413},    {421, END_FAILED, ENDED_BY_CALLEE, 421},
        {428, END_FAILED, ENDED_BY_CALLEE, 428},    {436, END_FAILED, ENDED_BY_CALLEE, 436},
        {437, END_FAILED, ENDED_BY_CALLEE, 437},    {438, END_FAILED, ENDED_BY_CALLEE, 438},
        {580, END_FAILED, ENDED_BY_CALLEE, 580},    {401, END_FAILED, ENDED_BY_CALLEE, 500},
    };
    number("+447911000011", SIP("a"));
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        call("+447911000011");
        expect_target("a");
        decision_failed(d, t[i].last);
        assert_int_equal(next(), DECISION_END);
        if (step.reason != t[i].reason || step.by != t[i].by || step.sip_status != t[i].heard)
            fail_msg("%d: reason %d, by %d, %d", t[i].last, step.reason, step.by, step.sip_status);
    }
}

/* ---- control endpoints ---- */

static void the_first_control_endpoint_that_says_where_wins(void **state)
{
    number("+447911000020", SIP("own"));
    endpoint(20, "20", true, 3000);
    endpoint(21, "21", true, 5000);
    endpoint(22, "22", false, 3000);
    call("+447911000020");
    ask_ahead(20, 22);
    assert_int_equal(n_asked, 2);
    assert_true(asked[0].by_delivery && asked[1].by_delivery);
    assert_int_equal(asked[1].mark, 21);
    assert_int_equal(asked[1].sequence, 7);
    assert_int_equal(next(), DECISION_WAIT);
    assert_int_equal(step.wait_ms, 5000);
    answer(20, "{\"action\":\"default\"}");
    now_ms += 2000;
    assert_int_equal(next(), DECISION_WAIT);
    assert_int_equal(step.wait_ms, 3000);
    answer(22, "{\"action\":\"reject\"}"); /* was not asked */
    assert_int_equal(next(), DECISION_WAIT);
    answer(21, FORWARD(SIP("theirs") "," SIP("other")));
    answer(20, "{\"action\":\"reject\"}"); /* a second one */
    expect_target("theirs");
    assert_int_equal(decision_action(d), CONTROL_FORWARD);
    decision_failed(d, 486);
    expect_target("other");
    decision_failed(d, 486);
    expect_end(END_BUSY, ENDED_BY_CALLEE, 486); /* the number's own stand back */
}

static void whoever_says_reject_ends_the_call(void **state)
{
    call("+447911000020");
    ask_ahead(20, 21);
    answer(20, "{\"action\":\"reject\",\"sip_status\":486}");
    answer(21, FORWARD(SIP("late")));
    expect_end(END_BUSY, ENDED_BY_CALLEE, 486);
    assert_int_equal(decision_action(d), CONTROL_REJECT);
}

static void all_that_say_nothing_leave_it_to_the_number(void **state)
{
    call("+447911000020");
    ask_ahead(20, 21);
    answer(20, "OK");
    decision_answer(d, 21, 500, STR("{\"action\":\"reject\"}"), now_ms);
    expect_target("own");
    assert_int_equal(decision_action(d), CONTROL_DEFAULT);
}

static void a_late_answer_counts_for_nothing(void **state)
{
    call("+447911000020");
    ask_ahead(20, 21);
    now_ms += 3000;
    answer(20, "{\"action\":\"reject\"}"); /* its time was 3 s */
    assert_int_equal(next(), DECISION_WAIT);
    assert_int_equal(step.wait_ms, 2000);
    now_ms += 1999;
    assert_int_equal(next(), DECISION_WAIT);
    now_ms += 1;
    expect_target("own");
    answer(21, "{\"action\":\"reject\"}");
    decision_failed(d, 486);
    expect_end(END_BUSY, ENDED_BY_CALLEE, 486);
}

static void eight_endpoints_are_asked(void **state)
{
    for (uint64_t n = 30; n < 40; n++)
        endpoint(n, "same", true, 3000);
    call("+447911000020");
    ask_ahead(30, 39);
    assert_int_equal(n_asked, ASKED_AHEAD_MAX);
    ask_ahead(30, 39); /* incoming_call is handed in again: nobody is asked twice */
    assert_int_equal(n_asked, ASKED_AHEAD_MAX);
}

static void nobody_can_be_asked_nobody_is_waited_for(void **state)
{
    const struct askers none = {0};
    const struct delivery to = {.endpoint = 20};
    call("+447911000020");
    decision_ask_ahead(d, &none, NULL, &to, 1, now_ms);
    expect_target("own");
    call("+447911000020");
    asking = ERR_FULL;
    ask_ahead(20, 21);
    expect_target("own");
}

/* ---- webhooks as targets ---- */

static void a_webhook_that_is_the_first_target_is_asked_ahead(void **state)
{
    number("+447911000040", ASK("first") "," SIP("a"));
    call("+447911000040");
    assert_true(decision_asks(d, NULL, 0));
    ask_ahead(1, 0);
    assert_int_equal(n_asked, 1);
    assert_string_equal(asked[0].url, "https://h.example/first");
    assert_int_equal(next(), DECISION_WEBHOOK);
    assert_false(step.must_ask);
    assert_int_equal(next(), DECISION_WAIT);
    assert_int_equal(step.wait_ms, ASKED_URL_TIMEOUT_MS);
    answer(asked[0].mark, FORWARD(SIP("theirs")));
    expect_target("theirs");
    assert_int_equal(decision_action(d), CONTROL_FORWARD);
}

/* Endpoints that are a target by their URL answer when their turn comes, not before. */
static void an_answer_ahead_of_its_turn_waits_for_it(void **state)
{
    const struct delivery to = {.endpoint = 50, .sequence = 1};
    endpoint(50, "ask", false, 4000);
    endpoint(51, "ask", false, 4000);
    number("+447911000050", SIP("a") "," ASK("ask") "," SIP("b"));
    call("+447911000050");
    assert_true(decision_asks(d, &to, 1));
    ask_ahead(50, 51);
    assert_int_equal(n_asked, 1); /* one URL, one question */
    answer(50, "{\"action\":\"reject\",\"sip_status\":603}");
    expect_target("a");
    decision_failed(d, 486);
    assert_int_equal(next(), DECISION_WEBHOOK);
    assert_false(step.must_ask);
    expect_end(END_REJECTED, ENDED_BY_CALLEE, 603);
}

static void a_delivery_is_the_question_of_the_first_target(void **state)
{
    endpoint(52, "both", true, 1000);
    number("+447911000052", ASK("both") "," SIP("a"));
    call("+447911000052");
    ask_ahead(52, 52);
    assert_int_equal(n_asked, 1);
    assert_true(asked[0].by_delivery);
    answer(52, "{\"action\":\"default\"}");
    assert_int_equal(next(), DECISION_WEBHOOK);
    assert_false(step.must_ask);
    expect_target("a"); /* it has said so */
}

static void later_webhooks_are_asked_in_their_turn(void **state)
{
    number("+447911000060", SIP("a") "," ASK("x") "," ASK("x") "," SIP("b"));
    call("+447911000060");
    assert_false(decision_asks(d, NULL, 0));
    ask_ahead(1, 0);
    assert_int_equal(n_asked, 0);
    expect_target("a");
    decision_failed(d, 486);
    for (size_t turn = 1; turn <= 2; turn++) { /* the same URL is asked anew */
        assert_int_equal(next(), DECISION_WEBHOOK);
        assert_true(step.must_ask);
        decision_ask(d, &askers, NULL, step.target->destination, now_ms);
        assert_int_equal(n_asked, turn);
        assert_int_equal(next(), DECISION_WAIT);
        now_ms += turn == 1 ? ASKED_URL_TIMEOUT_MS : 10;
        if (turn == 2)
            answer(asked[1].mark, "");
        answer(asked[0].mark, "{\"action\":\"reject\"}"); /* is late */
    }
    expect_target("b");
    decision_failed(d, 486);
    expect_end(END_BUSY, ENDED_BY_CALLEE, 486);
}

static void four_webhooks_have_their_turn(void **state)
{
    number("+447911000061",
           ASK("1") "," ASK("2") "," ASK("3") "," ASK("4") "," ASK("5") "," SIP("a"));
    call("+447911000061");
    for (int i = 1; i <= 5; i++) {
        assert_int_equal(next(), DECISION_WEBHOOK);
        assert_int_equal(step.must_ask, i <= ASKED_TARGETS_MAX);
        if (step.must_ask)
            decision_ask(d, &askers, NULL, step.target->destination, now_ms);
        if (n_asked == (size_t)i)
            answer(asked[i - 1].mark, "OK");
    }
    assert_int_equal(n_asked, ASKED_TARGETS_MAX);
    expect_target("a");
}

static void one_that_cannot_be_asked_is_passed(void **state)
{
    call("+447911000061");
    asking = ERR_FULL;
    assert_int_equal(next(), DECISION_WEBHOOK);
    decision_ask(d, &askers, NULL, step.target->destination, now_ms);
    assert_int_equal(next(), DECISION_WEBHOOK);
    assert_str(step.target->destination, "https://h.example/2");
}

static void an_answer_may_name_webhooks_and_numbers(void **state)
{
    number("+447911000063", ASK("1") "," SIP("own"));
    call("+447911000063");
    ask_ahead(1, 0);
    assert_int_equal(next(), DECISION_WEBHOOK);
    answer(asked[0].mark, FORWARD(ASK("2") "," SIP("never")));
    assert_int_equal(next(), DECISION_WEBHOOK);
    assert_true(step.must_ask);
    decision_ask(d, &askers, NULL, step.target->destination, now_ms);
    answer(asked[1].mark, FORWARD(TO("+447911000063") "," TO("+447911000099")));
    assert_int_equal(next(), DECISION_WEBHOOK); /* the first again: its answer is used up */
    expect_target("own");
    decision_failed(d, 486);
    assert_int_equal(next(), DECISION_NO_WAY);
    expect_end(END_FAILED, ENDED_BY_SYSTEM, 500);
}

/* The conditions of its targets begin anew: none of them has failed yet. */
static void an_answer_s_targets_have_no_past(void **state)
{
    number("+447911000064", SIP("a") "," ASK("x"));
    call("+447911000064");
    expect_target("a");
    decision_failed(d, 486);
    assert_int_equal(next(), DECISION_WEBHOOK);
    decision_ask(d, &askers, NULL, step.target->destination, now_ms);
    answer(asked[0].mark, FORWARD(SIP_WHEN("theirs", "no_answer")));
    expect_target("theirs");
    assert_int_equal(decision_last_status(d), 0);
}

/* An access number's webhooks count, what stands behind the first target does not. */
static void who_would_be_asked(void **state)
{
    number("+447911000070", ASK("x") "," SIP("a"));
    number("+447911000071", TO("+447911000070") "," SIP("b"));
    number("+447911000072", TO("+447911999999") ",{\"type\":\"pstn\",\"destination\":"
                                                "\"+12025550100\"}," ASK("x"));
    number("+447911000073", SIP("a") "," ASK("y"));
    static const struct {
        const char *e164;
        bool asks;
    } t[] = {{"+447911000070", true},
             {"+447911000071", true},
             {"+447911000072", true},
             {"+447911000073", false}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        call(t[i].e164);
        assert_int_equal(decision_asks(d, NULL, 0), t[i].asks);
    }
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(books_open(store, &books));
    return 0;
}

static int tear_down(void **state)
{
    decision_free(d);
    book_drop(&book);
    books_close(books);
    store_close(store);
    return 0;
}

int main(void)
{
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_must_be_there_and_take_calls),
        cmocka_unit_test(a_number_that_has_gone_since_leads_nowhere),
        cmocka_unit_test(a_number_without_targets_is_not_available),
        cmocka_unit_test(an_outcome_leads_to_the_next_target),
        cmocka_unit_test(targets_that_cannot_be_had_fail_like_others),
        cmocka_unit_test(a_number_leads_on_and_back),
        cmocka_unit_test(sixty_four_targets_are_looked_at),
        cmocka_unit_test(how_the_last_target_failed_is_how_the_call_ends),
        cmocka_unit_test(the_first_control_endpoint_that_says_where_wins),
        cmocka_unit_test(whoever_says_reject_ends_the_call),
        cmocka_unit_test(all_that_say_nothing_leave_it_to_the_number),
        cmocka_unit_test(a_late_answer_counts_for_nothing),
        cmocka_unit_test(eight_endpoints_are_asked),
        cmocka_unit_test(nobody_can_be_asked_nobody_is_waited_for),
        cmocka_unit_test(a_webhook_that_is_the_first_target_is_asked_ahead),
        cmocka_unit_test(an_answer_ahead_of_its_turn_waits_for_it),
        cmocka_unit_test(a_delivery_is_the_question_of_the_first_target),
        cmocka_unit_test(later_webhooks_are_asked_in_their_turn),
        cmocka_unit_test(four_webhooks_have_their_turn),
        cmocka_unit_test(one_that_cannot_be_asked_is_passed),
        cmocka_unit_test(an_answer_may_name_webhooks_and_numbers),
        cmocka_unit_test(an_answer_s_targets_have_no_past),
        cmocka_unit_test(who_would_be_asked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
