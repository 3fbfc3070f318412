/* How a call ends, and what each side hears of it (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

#define WORDS                                                                                      \
    "Reason: SIP;cause=200;text=\"done\"\r\nReason: Q.850;cause=16\r\n"                            \
    "User-to-User: 56a390;encoding=hex\r\nX-Result: booked\r\n"
#define RELEASE "\x0c\x02"

static void ring(struct line *caller, struct line *agent, const char *number)
{
    edge_kit_begin(1);
    line_invite(caller, CARRIER, number);
    line_of_invite(agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 180);
    line_learn(caller, packet_last(CARRIER, "180"));
}

static void answer(struct line *caller, struct line *agent)
{
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(caller, packet_last(CARRIER, "200"));
}

static void has(const struct edge_packet *p, const char *name, const char *value)
{
    const struct sip_msg *m = packet_parse(p);
    for (size_t i = 0; i < m->n_headers; i++)
        if (str_eq_nocase(m->header[i].name, str_of(name)) &&
            str_eq(m->header[i].value, str_of(value)))
            return;
    fail_msg("%s: %s is not there", name, value);
}

static void has_not(const struct edge_packet *p, const char *name)
{
    if (sip_header_named(packet_parse(p), str_of(name)))
        fail_msg("%s is there", name);
}

static void has_words(const struct edge_packet *p)
{
    has(p, "Reason", "SIP;cause=200;text=\"done\"");
    has(p, "Reason", "Q.850;cause=16");
    has(p, "User-to-User", "56a390;encoding=hex");
    has(p, "X-Result", "booked");
}

static const struct request bye = {
    .method = "BYE", .headers = WORDS "Content-Type: application/ISUP\r\n", .body = RELEASE};

static void what_a_bye_says_passes_both_ways(void **state)
{
    struct line caller, agent;
    for (int by_agent = 0; by_agent < 2; by_agent++) {
        ring(&caller, &agent, "+447911120001");
        answer(&caller, &agent);
        line_ack(&caller, 1);
        line_request(by_agent ? &agent : &caller, &bye);
        struct edge_packet *p = packet_last(by_agent ? CARRIER : AGENT_1, "BYE");
        has_words(p);
        has(p, "Content-Type", "application/ISUP");
        assert_true(str_eq(packet_parse(p)->body, STR(RELEASE)));
        line_answer(by_agent ? &caller : &agent, p, 200);
        edge_kit_end();
    }
}

/* §15: the caller's BYE waits for the caller's ACK, and loses nothing by that. */
static void what_a_bye_says_waits_with_it(void **state)
{
    struct line caller, agent;
    ring(&caller, &agent, "+447911120001");
    answer(&caller, &agent);
    line_request(&agent, &bye);
    assert_null(edge_kit_last(CARRIER, "BYE"));
    line_ack(&caller, 1);
    has_words(packet_last(CARRIER, "BYE"));
    assert_true(str_eq(packet_parse(packet_last(CARRIER, "BYE"))->body, STR(RELEASE)));
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

/* Who withholds the number does so in a BYE, too. */
static void a_bye_does_not_tell_a_withheld_number(void **state)
{
    static const struct request talks = {
        .method = "BYE",
        .headers = "Privacy: id\r\nX-Note: call +44 20 7946 0000\r\nX-Result: booked\r\n"
                   "P-Asserted-Identity: <sip:+442079460000@5.0.1.1>\r\n"};
    struct line caller, agent;
    ring(&caller, &agent, "+447911120001");
    answer(&caller, &agent);
    line_ack(&caller, 1);
    line_request(&caller, &talks);
    has_not(packet_last(AGENT_1, "BYE"), "X-Note");
    has_not(packet_last(AGENT_1, "BYE"), "P-Asserted-Identity");
    has(packet_last(AGENT_1, "BYE"), "X-Result", "booked");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* §15.1.1. Its sender does not hear it again. */
static void what_the_callee_says_before_it_answers_reaches_the_caller(void **state)
{
    static const struct request early = {.method = "BYE", .headers = WORDS};
    struct line caller, agent;
    ring(&caller, &agent, "+447911120001");
    line_request(&agent, &early);
    has_words(packet_last(CARRIER, "487"));
    has_not(packet_last(AGENT_1, "CANCEL"), "X-Result");
    line_ack_failure(&caller);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    edge_kit_end();
}

/* RFC 3326: "completed elsewhere" is what keeps a telephone from counting a missed call. */
static void what_a_cancel_says_reaches_the_target(void **state)
{
    struct line caller, agent;
    for (int rings = 0; rings < 2; rings++) {
        edge_kit_begin(1);
        line_invite(&caller, CARRIER, "+447911120001");
        line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
        if (rings)
            line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
        line_cancel_saying(&caller, WORDS "Subject: of no use\r\n");
        assert_int_equal(edge_kit_last(AGENT_1, "CANCEL") != NULL, rings); /* §9.1 */
        if (!rings)
            line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
        has_words(packet_last(AGENT_1, "CANCEL"));
        has_not(packet_last(AGENT_1, "CANCEL"), "Subject");
        line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
        line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
        line_ack_failure(&caller);
        edge_kit_end();
    }
}

static void a_cancel_of_a_reinvite_says_why_too(void **state)
{
    struct line caller, agent;
    for (int refused = 0; refused < 2; refused++) {
        ring(&caller, &agent, "+447911120001");
        answer(&caller, &agent);
        line_ack(&caller, 1);
        line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
        line_answer(&agent, packet_last(AGENT_1, "INVITE"), refused ? 491 : 180);
        line_cancel_saying(&caller, WORDS);
        packet_last(CARRIER, "200");
        if (refused) { /* too late: there is nothing to take back */
            assert_null(edge_kit_last(AGENT_1, "CANCEL"));
        } else {
            has_words(packet_last(AGENT_1, "CANCEL"));
            line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
            line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
        }
        line_ack_failure(&caller);
        line_say(&caller, "BYE");
        line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
        edge_kit_end();
    }
}

static void a_refusal_passes_with_what_it_says(void **state)
{
    static const struct response no = {.status = 488,
                                       .tag = "agent",
                                       .headers = "Warning: 304 agent.example \"codec\"\r\n"
                                                  "Retry-After: 60\r\n" WORDS,
                                       .body = "v=0"};
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_answer(packet_last(AGENT_1, "INVITE"), &no);
    struct edge_packet *p = packet_last(CARRIER, "488");
    has_words(p);
    has(p, "Warning", "304 agent.example \"codec\"");
    has(p, "Retry-After", "60");
    assert_true(str_eq(packet_parse(p)->body, STR("v=0")));
    line_ack_failure(&caller);
    edge_kit_end();
}

/* What is about the gateway's own request stays; why the callee refused passes. */
static void of_a_refusal_with_another_status_only_the_reason_passes(void **state)
{
    static const struct response no = {.status = 503,
                                       .tag = "agent",
                                       .headers =
                                           "Retry-After: 60\r\nWarning: 399 a \"b\"\r\n" WORDS,
                                       .body = "v=0"};
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_answer(packet_last(AGENT_1, "INVITE"), &no);
    struct edge_packet *p = packet_last(CARRIER, "500");
    has_words(p);
    has_not(p, "Retry-After");
    has_not(p, "Warning");
    assert_true(str_eq(packet_parse(p)->reason, STR("Server Internal Error")));
    assert_int_equal(packet_parse(p)->body.n, 0);
    line_ack_failure(&caller);
    edge_kit_end();
}

/* The last target's words are the caller's answer, never those of one before. */
static void only_the_last_target_is_heard(void **state)
{
    static const struct response busy = {.status = 486, .tag = "one", .headers = "X-Who: one\r\n"};
    static const struct response no = {.status = 486, .tag = "two", .headers = "X-Who: two\r\n"};
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120008");
    packet_answer(packet_last(AGENT_1, "INVITE"), &busy);
    packet_answer(packet_last(AGENT_2, "INVITE"), &no);
    has(packet_last(CARRIER, "486"), "X-Who", "two");
    line_ack_failure(&caller);
    edge_kit_end();
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120008");
    packet_answer(packet_last(AGENT_1, "INVITE"), &busy);
    line_cancel(&caller); /* while the second is asked */
    has_not(packet_last(CARRIER, "487"), "X-Who");
    line_ack_failure(&caller);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_bye_says_passes_both_ways),
        cmocka_unit_test(what_a_bye_says_waits_with_it),
        cmocka_unit_test(a_bye_does_not_tell_a_withheld_number),
        cmocka_unit_test(what_the_callee_says_before_it_answers_reaches_the_caller),
        cmocka_unit_test(what_a_cancel_says_reaches_the_target),
        cmocka_unit_test(a_cancel_of_a_reinvite_says_why_too),
        cmocka_unit_test(a_refusal_passes_with_what_it_says),
        cmocka_unit_test(of_a_refusal_with_another_status_only_the_reason_passes),
        cmocka_unit_test(only_the_last_target_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
