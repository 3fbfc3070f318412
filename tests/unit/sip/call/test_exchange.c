/* An INVITE under way through us: who acknowledges its 2xx, and when (RFC 3261 §13.2.2.4,
 * §13.3.1.4). */
#include "check.h"
#include "line.h"

static struct line caller, agent;
static const struct edge_packet *invite; /* that rang the agent */

/* Each repeat counts. */
static size_t count(const char *to, const char *what, uint32_t cseq)
{
    struct addr a;
    size_t n = 0;
    assert_ok(addr_parse(str_of(to), 5060, &a));
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        bool is =
            p->is_request ? !strcmp(sip_method_name(p->method), what) : p->status == atoi(what);
        if (is && p->cseq == cseq && addr_eq(&p->to, &a))
            n += 1 + p->repeats;
    }
    return n;
}

static size_t acks(uint32_t cseq)
{
    return count(AGENT_1, "ACK", cseq);
}

static void ring(const char *offer)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "call", "+447911120001");
    line_request(&caller, &(struct request){.method = "INVITE", .body = offer});
    invite = packet_last(AGENT_1, "INVITE");
    line_of_invite(&agent, invite, "agent");
}

static void answer(void)
{
    line_answer(&agent, invite, 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
}

static void ack(uint32_t cseq, const char *headers, const char *body)
{
    line_request(&caller, &(struct request){"ACK", cseq, NULL, headers, body});
}

static void hang_up(void)
{
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* Of the only call. */
static struct call *the_call(void)
{
    handle h;
    size_t i = 0;
    struct call *c = pool_next(edge_kit.edge->calls.pool, &i, &h);
    assert_non_null(c);
    return c;
}

static void assert_state(enum exchange_state state)
{
    assert_int_equal(the_call()->x.state, state);
}

static void an_invite_goes_through_its_states(void **state)
{
    ring(LINE_SDP);
    assert_state(EXCHANGE_ASKED);
    line_answer(&agent, invite, 180);
    assert_state(EXCHANGE_ASKED);
    edge_kit.store_held = true;
    line_answer(&agent, invite, 200);
    assert_state(EXCHANGE_ACCEPTED);
    edge_kit.store_held = false;
    edge_kit_turn();
    assert_state(EXCHANGE_ANSWERED);
    line_learn(&caller, packet_last(CARRIER, "200"));
    ack(1, NULL, NULL);
    assert_state(EXCHANGE_ACKED);
    line_say(&caller, "INVITE");
    assert_state(EXCHANGE_ASKED);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 488);
    assert_state(EXCHANGE_NONE);
    line_ack_failure(&caller);
    hang_up();
}

/* §13.3.1.4: at intervals from T1 up to T2, for 64 × T1; then both are hung up. */
static void a_lost_ack(void **state)
{
    static const int64_t at_ms[] = {500,   1500,  3500,  7500,  11500,
                                    15500, 19500, 23500, 27500, 31500};
    int64_t now = 0;
    ring(LINE_SDP);
    answer();
    for (size_t i = 0; i < sizeof at_ms / sizeof *at_ms; i++) {
        edge_kit_advance(at_ms[i] - 1 - now);
        assert_int_equal(count(CARRIER, "200", 1), 1 + i);
        edge_kit_advance(1);
        assert_int_equal(count(CARRIER, "200", 1), 2 + i);
        now = at_ms[i];
    }
    edge_kit_advance(32000 - 1 - now);
    assert_null(edge_kit_last(NULL, "BYE"));
    assert_state(EXCHANGE_ANSWERED);
    edge_kit.store_held = true; /* the call is there until its end is stored */
    edge_kit_advance(1);
    assert_state(EXCHANGE_GIVEN_UP);
    edge_kit.store_held = false;
    edge_kit_turn();
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    assert_int_equal(count(CARRIER, "200", 1), 11);
    assert_int_equal(acks(1), 1);
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    edge_kit_end();
}

/* §15: the caller has no confirmed dialog before its ACK, or until none can come any more. */
static void a_bye_waits_for_the_callers_ack(void **state)
{
    for (int acked = 0; acked < 2; acked++) {
        ring(LINE_SDP);
        answer();
        line_say(&agent, "BYE");
        assert_int_equal(packet_last(AGENT_1, "200")->method, SIP_BYE);
        edge_kit_advance(acked ? 700 : 31999);
        assert_null(edge_kit_last(CARRIER, "BYE"));
        if (acked)
            ack(1, NULL, NULL);
        else
            edge_kit_advance(1);
        line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
        edge_kit_end();
    }
}

/* It came when the target had answered: the caller gets its 200, and hangs up (§9.1). */
static void a_cancel_that_crosses_the_200(void **state)
{
    ring(LINE_SDP);
    edge_kit.store_held = true;
    line_answer(&agent, invite, 200);
    line_cancel(&caller);
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_CANCEL);
    assert_null(edge_kit_last(AGENT_1, "CANCEL"));
    edge_kit.store_held = false;
    edge_kit_turn();
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_INVITE);
    assert_null(edge_kit_last(CARRIER, "487"));
    line_learn(&caller, packet_last(CARRIER, "200"));
    ack(1, NULL, NULL);
    assert_state(EXCHANGE_ACKED);
    hang_up();
}

/* §13.2.2.4: each 2xx of another telephone is acknowledged, the first one is hung up. */
static void of_several_answers_one_makes_the_call(void **state)
{
    static const char *const tag[] = {"two", "three"};
    ring(LINE_SDP);
    answer();
    for (size_t i = 0; i < 2; i++)
        for (int n = 0; n < 3; n++)
            packet_answer(invite, &(struct response){200, tag[i], NULL, LINE_SDP});
    assert_int_equal(acks(1), 1 + 2 * 3);
    size_t byes = 0;
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        if (!p->is_request || p->method != SIP_BYE)
            continue;
        assert_true(str_eq(packet_parse(p)->to.tag, str_of(tag[byes++])));
        packet_answer(p, &(struct response){200, NULL, NULL, NULL});
    }
    assert_int_equal(byes, 2);
    ack(1, NULL, NULL);
    assert_int_equal(count(CARRIER, "200", 1), 1);
    hang_up();
}

/* §14.2, RFC 3261 §14.1: both ask at once; each is refused, and the session is as it was. */
static void two_reinvites_that_cross(void **state)
{
    ring(LINE_SDP);
    answer();
    ack(1, NULL, NULL);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    line_request(&agent, &(struct request){.method = "INVITE", .body = LINE_SDP});
    packet_last(AGENT_1, "491");
    line_ack_failure(&agent);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 491);
    packet_last(CARRIER, "491");
    line_ack_failure(&caller);
    assert_state(EXCHANGE_NONE);
    line_request(&agent, &(struct request){.method = "INVITE", .body = LINE_SDP});
    line_answer(&caller, packet_last(CARRIER, "INVITE"), 200);
    assert_state(EXCHANGE_ANSWERED);
    line_ack(&agent, agent.invite_cseq);
    assert_state(EXCHANGE_ACKED);
    hang_up();
}

/* While call_answered is being stored, too. */
static void an_answer_is_acknowledged_at_once(void **state)
{
    ring(LINE_SDP);
    edge_kit.store_held = true;
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 1);
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 2);
    assert_null(edge_kit_last(CARRIER, "200"));
    edge_kit.store_held = false;
    edge_kit_turn();
    line_learn(&caller, packet_last(CARRIER, "200"));
    ack(1, NULL, NULL);
    assert_int_equal(acks(1), 2);
    assert_int_equal(packet_last(AGENT_1, "ACK")->at_ms, packet_last(CARRIER, "200")->at_ms);
    hang_up();
}

/* Before the caller's ACK, behind it, and while a re-INVITE is under way and when it is over. */
static void each_repeat_is_acknowledged(void **state)
{
    ring(LINE_SDP);
    answer();
    for (size_t n = 2; n <= 3; n++) {
        line_answer(&agent, invite, 200);
        assert_int_equal(acks(1), n);
    }
    ack(1, NULL, NULL);
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 4);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    const struct edge_packet *again = packet_last(AGENT_1, "INVITE");
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 5);
    for (size_t n = 1; n <= 2; n++) {
        line_answer(&agent, again, 200);
        assert_int_equal(acks(2), n);
    }
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 6);
    ack(2, NULL, NULL);
    assert_int_equal(acks(2), 2);
    line_answer(&agent, invite, 200);
    line_answer(&agent, again, 200);
    assert_int_equal(acks(1), 7);
    assert_int_equal(acks(2), 3);
    hang_up();
}

static void an_ack_that_says_more_follows_ours(void **state)
{
    static const struct {
        const char *headers, *body;
    } more[] = {{"X-Queue: 7\r\n", NULL}, {"User-to-User: 56a390\r\n", NULL}, {NULL, "late"}};
    for (size_t i = 0; i < 3; i++) {
        ring(LINE_SDP);
        answer();
        ack(1, more[i].headers, more[i].body);
        assert_int_equal(acks(1), 2);
        const struct sip_msg *m = packet_parse(packet_last(AGENT_1, "ACK"));
        assert_str(m->body, i == 2 ? "late" : "");
        assert_int_equal(sip_header_named(m, STR("User-to-User")) != NULL, i == 1);
        line_answer(&agent, invite, 200);
        assert_int_equal(packet_last(AGENT_1, "ACK")->repeats, 1); /* that one again */
        hang_up();
    }
}

/* The callee has hung up since: it hears no ACK any more. */
static void an_ack_behind_the_bye_goes_nowhere(void **state)
{
    ring(LINE_SDP);
    answer();
    line_say(&agent, "BYE");
    ack(1, "X-Queue: 7\r\n", NULL);
    assert_int_equal(acks(1), 1);
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

/* The ACK brings the answer, in a re-INVITE too; it is the same one for each repeat. */
static void a_late_offer_waits_for_its_answer(void **state)
{
    ring(NULL);
    answer();
    line_answer(&agent, invite, 200);
    assert_int_equal(acks(1), 0);
    ack(1, NULL, LINE_SDP);
    assert_str(packet_parse(packet_last(AGENT_1, "ACK"))->body, LINE_SDP);
    line_answer(&agent, invite, 200);
    assert_int_equal(packet_last(AGENT_1, "ACK")->repeats, 1);
    line_say(&caller, "INVITE");
    const struct edge_packet *again = packet_last(AGENT_1, "INVITE");
    line_answer(&agent, invite, 200); /* its ACK was lost again */
    assert_int_equal(edge_kit_last(AGENT_1, "ACK")->repeats, 2);
    line_answer(&agent, again, 200);
    assert_int_equal(acks(2), 0);
    ack(2, NULL, LINE_SDP);
    assert_int_equal(acks(2), 1);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    again = packet_last(AGENT_1, "INVITE");
    for (size_t n = 1; n <= 2; n++) { /* this one has its own */
        line_answer(&agent, again, 200);
        assert_int_equal(acks(3), n);
    }
    ack(3, NULL, NULL);
    hang_up();
}

/* §13.2.2.4: its CSeq is the INVITE's. And what overtakes it is no ACK of a late offer. */
static void only_its_ack_answers_a_late_offer(void **state)
{
    ring(NULL);
    answer();
    ack(7, NULL, LINE_SDP);
    assert_int_equal(acks(1), 0);
    line_request(&caller, &(struct request){.method = "INVITE", .cseq = 8, .body = LINE_SDP});
    assert_int_equal(packet_last(CARRIER, "491")->cseq, 8);
    line_ack_failure(&caller);
    assert_int_equal(acks(1), 0);
    ack(1, NULL, LINE_SDP);
    assert_int_equal(acks(1), 1);
    hang_up();
}

/* The callee's re-INVITE goes the other way round. */
static void a_reinvite_of_the_callee_is_acknowledged_alike(void **state)
{
    ring(LINE_SDP);
    answer();
    ack(1, NULL, NULL);
    line_request(&agent, &(struct request){.method = "INVITE", .body = LINE_SDP});
    uint32_t theirs = agent.invite_cseq;
    const struct edge_packet *again = packet_last(CARRIER, "INVITE");
    line_answer(&caller, again, 200);
    assert_int_equal(count(CARRIER, "ACK", again->cseq), 1);
    line_answer(&caller, again, 200);
    assert_int_equal(count(CARRIER, "ACK", again->cseq), 2);
    line_ack(&agent, theirs);
    assert_int_equal(count(CARRIER, "ACK", again->cseq), 2);
    hang_up();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_goes_through_its_states),
        cmocka_unit_test(a_lost_ack),
        cmocka_unit_test(a_bye_waits_for_the_callers_ack),
        cmocka_unit_test(a_cancel_that_crosses_the_200),
        cmocka_unit_test(of_several_answers_one_makes_the_call),
        cmocka_unit_test(two_reinvites_that_cross),
        cmocka_unit_test(an_answer_is_acknowledged_at_once),
        cmocka_unit_test(each_repeat_is_acknowledged),
        cmocka_unit_test(an_ack_that_says_more_follows_ours),
        cmocka_unit_test(an_ack_behind_the_bye_goes_nowhere),
        cmocka_unit_test(a_late_offer_waits_for_its_answer),
        cmocka_unit_test(only_its_ack_answers_a_late_offer),
        cmocka_unit_test(a_reinvite_of_the_callee_is_acknowledged_alike),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
