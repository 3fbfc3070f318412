/* Requests within the dialogs: CSeq of each side, what a PRACK names, two INVITEs that cross. */
#include "check.h"
#include "line.h"

static void invite(struct line *caller, const char *name, uint32_t cseq)
{
    line_new(caller, CARRIER, name, "+447911120001");
    line_request(caller, &(struct request){.method = "INVITE", .cseq = cseq, .body = LINE_SDP});
}

static void talk(struct line *caller, struct line *agent)
{
    invite(caller, "talk", 314);
    line_of_invite(agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(caller, packet_last(CARRIER, "200"));
    line_ack(caller, 314);
}

static void hang_up(struct line *caller, struct line *agent)
{
    line_say(caller, "BYE");
    line_answer(agent, packet_last(AGENT_1, "BYE"), 200);
}

static size_t count(const char *to, enum sip_method method)
{
    struct addr a;
    size_t n = 0;
    assert_ok(addr_parse(str_of(to), 5060, &a));
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        n += p->is_request && p->method == method && addr_eq(&p->to, &a);
    }
    return n;
}

/* What a dialog may have passes, known here or not; REGISTER and PUBLISH are of no dialog. */
static void a_method_passes_when_dialogs_have_it(void **state)
{
    static const char *const of_none[] = {"PUBLISH", "REGISTER"};
    struct line caller, agent;
    edge_kit_begin(1);
    talk(&caller, &agent);
    for (size_t i = 0; i < 2; i++) {
        line_say(&caller, of_none[i]);
        assert_null(edge_kit_last(AGENT_1, of_none[i]));
        const struct sip_msg *refusal = packet_parse(packet_last(CARRIER, "405"));
        assert_int_equal(refusal->cseq_method, sip_method_of(str_of(of_none[i])));
        assert_non_null(sip_header(refusal, SIP_H_ALLOW, 0));
    }
    line_say(&caller, "SUBSCRIBE");
    line_answer(&agent, packet_last(AGENT_1, "SUBSCRIBE"), 202);
    assert_int_equal(packet_parse(packet_last(CARRIER, "202"))->cseq_method, SIP_SUBSCRIBE);
    line_say(&caller, "CHAT");
    assert_int_equal(count(AGENT_1, SIP_METHOD_OTHER), 1);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* RFC 3261 §12.2.2: not above the last one of this peer is out of order, whatever its branch. */
static void each_side_counts_its_own_requests(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    talk(&caller, &agent);
    line_request(&caller, &(struct request){.method = "INFO", .cseq = 320});
    assert_int_equal(packet_last(AGENT_1, "INFO")->cseq, 2);
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, 320);
    line_request(&caller, &(struct request){.method = "INFO", .cseq = 320});
    assert_int_equal(packet_last(CARRIER, "500")->cseq, 320);
    line_request(&caller, &(struct request){.method = "INFO", .cseq = 319});
    assert_int_equal(packet_last(CARRIER, "500")->cseq, 319);
    assert_int_equal(count(AGENT_1, SIP_INFO), 1);
    line_request(&agent, &(struct request){.method = "INFO", .cseq = 7});
    assert_int_equal(count(CARRIER, SIP_INFO), 1);
    line_answer(&caller, packet_last(CARRIER, "INFO"), 200);
    line_request(&caller, &(struct request){.method = "INFO", .cseq = 321});
    assert_int_equal(packet_last(AGENT_1, "INFO")->cseq, 3);
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* RFC 3262 §7.2: RAck names the INVITE by its CSeq, which is another on each side. */
static void a_prack_names_the_invite_as_its_receiver_knows_it(void **state)
{
    struct line caller, agent;
    edge_kit_begin(2);
    invite(&caller, "prack", 314);
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){.status = 183,
                                     .tag = "agent",
                                     .headers = "Require: 100rel\r\nRSeq: 9021\r\n",
                                     .body = LINE_SDP});
    line_learn(&caller, packet_last(CARRIER, "183"));
    line_request(&caller,
                 &(struct request){.method = "PRACK", .headers = "RAck: 9021 314 INVITE\r\n"});
    const struct sip_msg *m = packet_parse(packet_last(AGENT_1, "PRACK"));
    assert_str(sip_value(m, SIP_H_RACK), "9021 1 INVITE");
    line_answer(&agent, packet_last(AGENT_1, "PRACK"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, 315);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, 314);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* RFC 3261 §14.2 */
static void of_two_invites_that_cross_one_is_refused(void **state)
{
    struct line caller, agent;
    edge_kit_begin(3);
    talk(&caller, &agent);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    assert_int_equal(packet_last(AGENT_1, "INVITE")->cseq, 2);
    line_request(&agent, &(struct request){.method = "INVITE", .body = LINE_SDP});
    packet_last(AGENT_1, "491");
    line_ack_failure(&agent);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, 315);
    line_ack(&caller, 315);
    assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, 2);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* A 2xx behind the failure of a re-INVITE is acknowledged where it came from (§13.2.2.4). */
static void a_2xx_behind_a_refused_reinvite_is_acknowledged_to_its_sender(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    talk(&caller, &agent);
    size_t before = count(AGENT_1, SIP_ACK);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    struct edge_packet *reinvite = packet_last(AGENT_1, "INVITE");
    line_answer(&agent, reinvite, 503);
    line_ack_failure(&caller);
    line_answer(&agent, reinvite, 200);
    assert_int_equal(count(CARRIER, SIP_ACK), 0);
    assert_int_equal(count(AGENT_1, SIP_ACK), before + 2); /* of the 503, of the 200 */
    hang_up(&caller, &agent);
    edge_kit_end();
}

static void next_reinvites_pass(struct line *caller, struct line *agent)
{
    line_request(caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, caller->invite_cseq);
    line_ack(caller, caller->invite_cseq);
    line_request(agent, &(struct request){.method = "INVITE", .body = LINE_SDP});
    line_answer(caller, packet_last(CARRIER, "INVITE"), 200);
    assert_int_equal(packet_last(AGENT_1, "200")->cseq, agent->invite_cseq);
    line_ack(agent, agent->invite_cseq);
}

/* No answer at all, 100 alone, ringing: 504 at its exact time, and the session is as it was. */
static void a_reinvite_that_nobody_answers(void **state)
{
    static const struct {
        int status; /* of what comes; 0: nothing */
        int64_t over_ms;
    } how[] = {{0, 32000}, {100, 200000 + 32000}, {180, 200000 + 32000}};
    for (size_t i = 0; i < sizeof how / sizeof *how; i++) {
        struct line caller, agent;
        edge_kit_begin(1);
        edge_kit.edge->core.c.probe_ms = 3600 * 1000; /* nobody answers OPTIONS here */
        talk(&caller, &agent);
        line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
        if (how[i].status)
            line_answer(&agent, packet_last(AGENT_1, "INVITE"), how[i].status);
        edge_kit_advance(how[i].over_ms - 1);
        assert_null(edge_kit_last(CARRIER, "504"));
        assert_int_equal(count(AGENT_1, SIP_CANCEL) > 0, how[i].status != 0);
        edge_kit_advance(1);
        assert_int_equal(packet_last(CARRIER, "504")->cseq, caller.invite_cseq);
        line_ack_failure(&caller);
        assert_null(edge_kit_last(NULL, "BYE"));
        next_reinvites_pass(&caller, &agent);
        hang_up(&caller, &agent);
        edge_kit_end();
    }
}

/* §9.1: its CANCEL waits for a provisional answer, then leaves at once. */
static void a_reinvite_is_taken_back(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    talk(&caller, &agent);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    const struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
    line_cancel(&caller);
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_CANCEL);
    edge_kit_advance(700);
    assert_int_equal(count(AGENT_1, SIP_CANCEL), 0);
    line_answer(&agent, invite, 100);
    assert_int_equal(packet_last(AGENT_1, "CANCEL")->cseq, invite->cseq);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, invite, 487);
    assert_int_equal(packet_last(CARRIER, "487")->cseq, caller.invite_cseq);
    line_ack_failure(&caller);
    next_reinvites_pass(&caller, &agent);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* The target accepted before the CANCEL came: so hears the asker. */
static void an_accepted_reinvite_is_not_taken_back(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    talk(&caller, &agent);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    const struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
    line_answer(&agent, invite, 100);
    line_cancel(&caller);
    packet_last(AGENT_1, "CANCEL");
    line_answer(&agent, invite, 200);
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_INVITE);
    assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, invite->cseq);
    line_ack(&caller, caller.invite_cseq);
    next_reinvites_pass(&caller, &agent);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* The answer has no room between the Vias of the asker: the one who accepted is acknowledged, the
 * asker hears 500. */
static void an_answer_that_does_not_fit_leaves_the_session(void **state)
{
    static char body[SIP_MESSAGE_MAX - 1000], via[3000];
    struct line caller, agent;
    memset(body, 'x', sizeof body - 1);
    snprintf(via, sizeof via, "Via: SIP/2.0/UDP 5.0.1.7;branch=z9hG4bK;x=%.*s\r\n", 2500, body);
    edge_kit_begin(1);
    talk(&caller, &agent);
    for (int offers = 0; offers < 2; offers++) {
        const char *offer = offers ? LINE_SDP : NULL;
        line_request(&caller, &(struct request){.method = "INVITE", .headers = via, .body = offer});
        const struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
        packet_answer(invite, &(struct response){.status = 200, .body = body});
        assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, invite->cseq);
        assert_int_equal(packet_last(CARRIER, "500")->cseq, caller.invite_cseq);
        line_ack_failure(&caller);
    }
    next_reinvites_pass(&caller, &agent);
    hang_up(&caller, &agent);
    edge_kit_end();
}

/* What was sent since the row was written is not known any more: a CSeq is never used twice. */
static void after_a_restart_our_requests_are_newer(void **state)
{
    struct line caller, agent;
    edge_kit_begin(4);
    talk(&caller, &agent);
    for (int i = 0; i < 5; i++) {
        line_say(&caller, "INFO");
        line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    }
    uint32_t before = packet_last(AGENT_1, "INFO")->cseq;
    for (int i = 0; i < 2; i++) {
        assert_ok(edge_kit_restart());
        line_say(&caller, "INFO");
        assert_true(packet_last(AGENT_1, "INFO")->cseq > before);
        before = packet_last(AGENT_1, "INFO")->cseq;
        line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    }
    hang_up(&caller, &agent);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_method_passes_when_dialogs_have_it),
        cmocka_unit_test(each_side_counts_its_own_requests),
        cmocka_unit_test(a_prack_names_the_invite_as_its_receiver_knows_it),
        cmocka_unit_test(of_two_invites_that_cross_one_is_refused),
        cmocka_unit_test(a_2xx_behind_a_refused_reinvite_is_acknowledged_to_its_sender),
        cmocka_unit_test(a_reinvite_that_nobody_answers),
        cmocka_unit_test(a_reinvite_is_taken_back),
        cmocka_unit_test(an_accepted_reinvite_is_not_taken_back),
        cmocka_unit_test(an_answer_that_does_not_fit_leaves_the_session),
        cmocka_unit_test(after_a_restart_our_requests_are_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
