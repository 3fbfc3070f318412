/* The answer to an INVITE, its ACK, and what comes too late (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

static void ring_with(struct line *caller, struct line *agent, const char *offer)
{
    edge_kit_begin(1);
    line_new(caller, CARRIER, "call", "+447911120001");
    line_request(caller, &(struct request){.method = "INVITE", .body = offer});
    line_of_invite(agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 180);
    line_learn(caller, packet_last(CARRIER, "180"));
}

static void ring(struct line *caller, struct line *agent)
{
    ring_with(caller, agent, LINE_SDP);
}

static void talk(struct line *caller, struct line *agent)
{
    ring(caller, agent);
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(caller, packet_last(CARRIER, "200"));
    line_ack(caller, 1);
}

static void hang_up(struct line *caller, struct line *agent)
{
    line_say(caller, "BYE");
    line_answer(agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* The 2xx has an offer. The store takes a second longer than the target: when the edge gives up
 * waiting for the caller's ACK, the client transaction has been over for that second. */
static void a_2xx_is_acknowledged_when_its_transaction_is_over(void **state)
{
    struct line caller, agent;
    ring_with(&caller, &agent, NULL);
    edge_kit.store_held = true;
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    edge_kit_advance(1000);
    edge_kit.store_held = false;
    edge_kit_turn();
    packet_last(CARRIER, "200");
    assert_null(edge_kit_last(AGENT_1, "ACK"));
    edge_kit_advance(36000);
    assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, 1);
    packet_last(AGENT_1, "BYE");
    edge_kit_end();
}

/* §17.1.3: a response is ours by branch and CSeq; what stands in its Contact is of no use here. */
static void a_refusal_with_an_unreadable_contact_counts(void **state)
{
    static const struct response no = {
        .status = 300, .tag = "agent", .headers = "Contact: <sip:a b@192.0.2.1>, nonsense\r\n"};
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_answer(packet_last(AGENT_1, "INVITE"), &no);
    packet_last(AGENT_1, "ACK");
    packet_last(CARRIER, "480");
    line_ack_failure(&caller);
    edge_kit_end();
}

static void an_ack_before_the_answer_acknowledges_nothing(void **state)
{
    struct line caller, agent;
    talk(&caller, &agent);
    line_say(&caller, "INVITE");
    line_ack(&caller, 2);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, 2);
    assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, 1);
    line_ack(&caller, 2);
    assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, 2);
    hang_up(&caller, &agent);
}

/* §17.2.3, RFC 6026 §7.1: the branch of its INVITE is enough. */
static void an_ack_is_known_by_the_branch_of_its_invite(void **state)
{
    static const char *const tag[] = {"", ";tag=another"};
    for (size_t i = 0; i < 2; i++) {
        struct line caller, agent, acker, stranger;
        ring_with(&caller, &agent, NULL);
        line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
        line_learn(&caller, packet_last(CARRIER, "200"));
        acker = stranger = caller;
        snprintf(stranger.call_id, LINE_TEXT, "another");
        struct request ack = {.method = "ACK", .cseq = 1, .branch = caller.invite_branch};
        char *at = strstr(acker.remote, ";tag=");
        snprintf(at, LINE_TEXT - (size_t)(at - acker.remote), "%s", tag[i]);
        memcpy(stranger.remote, acker.remote, LINE_TEXT);
        line_request(&stranger, &ack);
        assert_null(edge_kit_last(AGENT_1, "ACK"));
        line_request(&acker, &ack);
        packet_last(AGENT_1, "ACK");
        edge_kit_advance(500);
        assert_int_equal(packet_last(CARRIER, "200")->repeats, 0);
        hang_up(&caller, &agent);
    }
}

static void cseqs_of_an_early_dialog_count_on(void **state)
{
    struct line caller, agent;
    ring(&caller, &agent);
    line_say(&caller, "INFO");
    assert_int_equal(packet_last(AGENT_1, "INFO")->cseq, 2);
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, 1);
    line_say(&caller, "INFO");
    assert_int_equal(packet_last(AGENT_1, "INFO")->cseq, 3);
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up(&caller, &agent);
}

/* §13.2.2.4: the route set is that of the 2xx, whatever its 180 said. */
static void the_route_set_is_that_of_the_2xx(void **state)
{
    static const char *const of_180[] = {NULL, "Record-Route: <sip:5.0.3.1;lr>\r\n"};
    static const char *const of_200[] = {"Record-Route: <sip:5.0.3.2;lr>\r\n", NULL};
    for (size_t i = 0; i < 4; i++) {
        struct line caller, agent;
        bool routed = of_200[i / 2] != NULL;
        const char *hop = routed ? "5.0.3.2:5060" : AGENT_1;
        edge_kit_begin(1);
        line_invite(&caller, CARRIER, "+447911120001");
        const struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
        line_of_invite(&agent, invite, "agent");
        packet_answer(invite, &(struct response){180, "agent", of_180[i % 2], NULL});
        packet_answer(invite, &(struct response){200, "agent", of_200[i / 2], LINE_SDP});
        line_learn(&caller, packet_last(CARRIER, "200"));
        line_ack(&caller, 1);
        const struct sip_msg *ack = packet_parse(packet_last(hop, "ACK"));
        assert_true(
            str_eq(sip_value(ack, SIP_H_ROUTE), routed ? STR("<sip:5.0.3.2;lr>") : STR("")));
        line_say(&caller, "BYE");
        line_answer(&agent, packet_last(hop, "BYE"), 200);
        edge_kit_end();
    }
}

/* §12.1.2: a callee of RFC 2543 gives no tag; its dialog has the null tag. */
static void a_2xx_without_a_tag_makes_the_call(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_answer(packet_last(AGENT_1, "INVITE"), &(struct response){200, NULL, NULL, LINE_SDP});
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_false(packet_parse(packet_last(AGENT_1, "ACK"))->to.tag.n);
    line_say(&caller, "BYE");
    packet_answer(packet_last(AGENT_1, "BYE"), &(struct response){200, NULL, NULL, NULL});
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    edge_kit_end();
}

/* §9.2: the 200 to CANCEL and the INVITE's 487 have one To tag. */
static void the_200_to_cancel_has_the_tag_of_the_487(void **state)
{
    struct line caller;
    char tag[64];
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_cancel(&caller);
    const struct edge_packet *ok = packet_last(CARRIER, "200");
    assert_int_equal(ok->method, SIP_CANCEL);
    assert_ok(str_copy(packet_parse(ok)->to.tag, tag, sizeof tag));
    assert_true(str_eq(packet_parse(packet_last(CARRIER, "487"))->to.tag, str_of(tag)));
    line_ack_failure(&caller);
    edge_kit_end();
}

/* A table's limit is never a call's: whichever telephone of a ring group answers makes the call. */
static void the_last_of_many_forks_answers(void **state)
{
    struct line caller, agent;
    char tag[16];
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    const struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
    for (int i = 1; i <= 3 * FORKS_MAX; i++) {
        snprintf(tag, sizeof tag, "t%d", i);
        packet_answer(invite, &(struct response){180, tag, NULL, NULL});
    }
    line_of_invite(&agent, invite, tag);
    line_answer(&agent, invite, 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_true(str_eq(packet_parse(packet_last(AGENT_1, "ACK"))->to.tag, str_of(tag)));
    hang_up(&caller, &agent);
}

/* An answer that crosses the CANCEL: its dialog was spoken in while it was an early one. */
static void a_stray_answer_is_hung_up_behind_what_was_said(void **state)
{
    struct line caller, agent;
    ring(&caller, &agent);
    line_say(&caller, "INFO");
    uint32_t said = packet_last(AGENT_1, "INFO")->cseq;
    line_cancel(&caller);
    packet_last(AGENT_1, "CANCEL");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    packet_last(AGENT_1, "ACK");
    assert_true(packet_last(AGENT_1, "BYE")->cseq > said);
    edge_kit_end();
}

/* Its dialog begins for the caller with the 200, which waits for the disk. */
static void requests_behind_the_200_do_not_overtake_it(void **state)
{
    struct line caller, agent;
    const struct edge_packet *info[3];
    ring(&caller, &agent);
    line_say(&agent, "INFO");
    info[0] = packet_last(CARRIER, "INFO");
    edge_kit.store_held = true;
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    size_t n = edge_kit_packets();
    line_say(&agent, "INFO");
    line_answer(&caller, info[0], 200); /* its place is free for the next one */
    line_say(&agent, "REFER");
    line_say(&caller, "MESSAGE");
    packet_last(AGENT_1, "MESSAGE"); /* it knows the dialog: its requests do not wait */
    line_answer(&agent, packet_last(AGENT_1, "MESSAGE"), 200);
    line_say(&agent, "INVITE");
    packet_last(AGENT_1, "491");
    line_ack_failure(&agent);
    for (; n < edge_kit_packets(); n++)
        assert_false(edge_kit_packet(n)->is_request && edge_kit_packet(n)->to.ip[2] == 1);
    edge_kit.store_held = false;
    edge_kit_turn();
    for (; edge_kit_packet(n)->status != 200; n++)
        ;
    assert_int_equal(edge_kit_packet(n)->method, SIP_INVITE);
    info[1] = edge_kit_packet(n + 1);
    info[2] = edge_kit_packet(n + 2);
    assert_int_equal(info[1]->method, SIP_INFO);
    assert_int_equal(info[2]->method, SIP_REFER);
    assert_true(info[0]->cseq < info[1]->cseq && info[1]->cseq < info[2]->cseq);
    line_answer(&caller, info[1], 200);
    line_answer(&caller, info[2], 202);
    assert_int_equal(packet_last(AGENT_1, "200")->method, SIP_INFO);
    assert_int_equal(packet_last(AGENT_1, "202")->method, SIP_REFER);
    line_ack(&caller, 1);
    hang_up(&caller, &agent);
}

/* The callee hangs up before the caller heard of it: what it asked is over with the call. */
static void a_bye_behind_the_200_ends_what_is_held(void **state)
{
    struct line caller, agent;
    ring(&caller, &agent);
    edge_kit.store_held = true;
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_say(&agent, "INFO");
    line_say(&agent, "BYE");
    assert_int_equal(packet_last(AGENT_1, "487")->method, SIP_INFO);
    edge_kit.store_held = false;
    edge_kit_turn();
    assert_int_equal(packet_last(AGENT_1, "200")->method, SIP_BYE);
    packet_last(CARRIER, "480");
    assert_null(edge_kit_last(CARRIER, "INFO"));
    assert_null(edge_kit_last(CARRIER, "BYE"));
    line_ack_failure(&caller);
    edge_kit_end();
}

/* The INVITE again, long after its ACK; another exchange has come since. */
static void a_late_repeat_of_the_first_invite_is_not_refused(void **state)
{
    struct line caller, agent;
    talk(&caller, &agent);
    struct line again = caller;
    line_say(&caller, "INVITE");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, 2);
    size_t n = edge_kit_packets();
    snprintf(again.remote, sizeof again.remote, "<sip:+447911120001@%s>", EDGE);
    line_request(&again, &(struct request){.method = "INVITE",
                                           .cseq = 1,
                                           .branch = again.invite_branch,
                                           .body = LINE_SDP});
    assert_int_equal(edge_kit_packets(), n);
    hang_up(&caller, &agent);
}

static void a_late_repeat_of_a_reinvite_is_not_refused(void **state)
{
    struct line caller, agent;
    talk(&caller, &agent);
    const struct request r = {.method = "INVITE", .cseq = 2, .branch = "z9hG4bK-r"};
    line_request(&caller, &r);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, 2);
    size_t n = edge_kit_packets();
    line_request(&caller, &r);
    assert_int_equal(edge_kit_packets(), n);
    line_request(&caller, &(struct request){.method = "INVITE", .cseq = 2}); /* no repeat: new */
    packet_last(CARRIER, "500");
    line_ack_failure(&caller);
    hang_up(&caller, &agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_2xx_is_acknowledged_when_its_transaction_is_over),
        cmocka_unit_test(a_refusal_with_an_unreadable_contact_counts),
        cmocka_unit_test(an_ack_before_the_answer_acknowledges_nothing),
        cmocka_unit_test(an_ack_is_known_by_the_branch_of_its_invite),
        cmocka_unit_test(cseqs_of_an_early_dialog_count_on),
        cmocka_unit_test(the_route_set_is_that_of_the_2xx),
        cmocka_unit_test(a_2xx_without_a_tag_makes_the_call),
        cmocka_unit_test(the_200_to_cancel_has_the_tag_of_the_487),
        cmocka_unit_test(the_last_of_many_forks_answers),
        cmocka_unit_test(a_stray_answer_is_hung_up_behind_what_was_said),
        cmocka_unit_test(requests_behind_the_200_do_not_overtake_it),
        cmocka_unit_test(a_bye_behind_the_200_ends_what_is_held),
        cmocka_unit_test(a_late_repeat_of_the_first_invite_is_not_refused),
        cmocka_unit_test(a_late_repeat_of_a_reinvite_is_not_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
