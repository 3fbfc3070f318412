/* A hang-up from our side does what its 202 says, in whatever state the call is: everybody who is on
 * the line is told, and the call ends once. */
#include "check.h"
#include "line.h"

static struct line caller, agent;

static struct call *the_call(void)
{
    handle h;
    size_t i = 0;
    struct call *c = pool_next(edge_kit.edge->calls.pool, &i, &h);
    assert_non_null(c);
    return c;
}

static void hang_up(enum call_state in)
{
    const struct call *c = the_call();
    assert_int_equal(c->state, in);
    assert_ok(sip_edge_hangup(edge_kit.edge, str_of(c->call_id)));
    edge_kit_turn();
}

static void store_goes_on(void)
{
    edge_kit.store_held = false;
    edge_kit_turn();
}

static void call_number(const char *number)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, number);
}

static void ring(void)
{
    call_number("+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
}

static void answer(void)
{
    ring();
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
}

/* The caller hears 480, and nobody a BYE. */
static void refused(const char *events)
{
    packet_last(CARRIER, "480");
    line_ack_failure(&caller);
    assert_null(edge_kit_last(CARRIER, "BYE"));
    assert_string_equal(edge_kit_events(), events);
    edge_kit_end();
}

static void before_it_is_stored(void **state)
{
    edge_kit_begin(1);
    edge_kit.store_held = true;
    line_invite(&caller, CARRIER, "+447911120001");
    hang_up(CALL_TAKING);
    store_goes_on();
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    refused("incoming_call call_ended");
}

static void while_a_webhook_decides(void **state)
{
    call_number("+447911120009");
    hang_up(CALL_DECIDING);
    edge_kit_reply(edge_kit_question(0), 200, "{\"action\":\"forward\"}"); /* too late */
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    refused("incoming_call call_ended");
}

static void while_a_target_is_looked_up(void **state)
{
    call_number("+447911120003");
    hang_up(CALL_ROUTING);
    refused("incoming_call call_ended");
}

static void while_a_target_rings(void **state)
{
    ring();
    hang_up(CALL_RINGING);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    refused("incoming_call call_ringing call_ended");
}

/* The target has answered, the caller has not heard of it. */
static void while_the_answer_is_stored(void **state)
{
    ring();
    edge_kit.store_held = true;
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    hang_up(CALL_ANSWERING);
    packet_last(AGENT_1, "ACK");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    store_goes_on();
    assert_null(edge_kit_last(CARRIER, "200"));
    refused("incoming_call call_ringing call_answered call_ended");
}

static void assert_reason(const struct edge_packet *bye)
{
    assert_str(sip_value(packet_parse(bye), SIP_H_REASON),
               "SIP;cause=200;text=\"Hung up by the operator\"");
}

/* §15: the caller is told when it has acknowledged its 200. */
static void before_the_callers_ack(void **state)
{
    answer();
    hang_up(CALL_UP);
    assert_reason(packet_last(AGENT_1, "BYE"));
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    assert_null(edge_kit_last(CARRIER, "BYE"));
    line_ack(&caller, 1);
    assert_reason(packet_last(CARRIER, "BYE"));
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered call_ended");
    edge_kit_end();
}

static void while_they_talk_and_once_more(void **state)
{
    answer();
    line_ack(&caller, 1);
    edge_kit.store_held = true;
    hang_up(CALL_UP);
    assert_reason(packet_last(AGENT_1, "BYE"));
    assert_reason(packet_last(CARRIER, "BYE"));
    size_t n = edge_kit_packets();
    hang_up(CALL_ENDING);
    store_goes_on();
    assert_int_equal(edge_kit_packets(), n);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered call_ended");
    edge_kit_end();
}

static void before_its_invite_comes_again(void **state)
{
    ring();
    assert_ok(edge_kit_restart());
    hang_up(CALL_RESTORED);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_ended");
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_it_is_stored),
        cmocka_unit_test(while_a_webhook_decides),
        cmocka_unit_test(while_a_target_is_looked_up),
        cmocka_unit_test(while_a_target_rings),
        cmocka_unit_test(while_the_answer_is_stored),
        cmocka_unit_test(before_the_callers_ack),
        cmocka_unit_test(while_they_talk_and_once_more),
        cmocka_unit_test(before_its_invite_comes_again),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
