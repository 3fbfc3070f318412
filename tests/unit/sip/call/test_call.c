/* Whole calls, told as stories (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

static void begin(void)
{
    edge_kit_begin(1);
}

static struct edge_packet *last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p)
        fail_msg("no %s went to %s", what, to ? to : "anybody");
    return p;
}

/* Rings, is answered, acknowledged. */
static void talk(struct line *caller, struct line *agent)
{
    line_invite(caller, CARRIER, "+447911120001");
    last(CARRIER, "100");
    line_of_invite(agent, last(AGENT_1, "INVITE"), "agent");
    line_answer(agent, last(AGENT_1, "INVITE"), 180);
    last(CARRIER, "180");
    line_answer(agent, last(AGENT_1, "INVITE"), 200);
    line_learn(caller, last(CARRIER, "200"));
    line_ack(caller, 1);
    assert_int_equal(last(AGENT_1, "ACK")->cseq, 1);
}

static void a_call_is_answered_and_ends(void **state)
{
    struct line caller, agent;
    begin();
    talk(&caller, &agent);
    edge_kit_advance(30000);
    line_say(&agent, "BYE");
    assert_int_equal(last(AGENT_1, "200")->method, SIP_BYE);
    line_answer(&caller, last(CARRIER, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered call_ended");
    edge_kit_end();
}

static void nobody_answers_in_time(void **state)
{
    struct line caller, agent;
    begin();
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, last(AGENT_1, "INVITE"), 180);
    edge_kit_advance(30000);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, last(AGENT_1, "INVITE"), 487);
    last(AGENT_1, "ACK");
    last(CARRIER, "480");
    line_ack_failure(&caller);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_ended");
    edge_kit_end();
}

static void a_call_outlives_a_kill(void **state)
{
    struct line caller, agent;
    begin();
    talk(&caller, &agent);
    assert_ok(edge_kit_restart());
    line_say(&caller, "BYE");
    assert_int_equal(last(CARRIER, "200")->method, SIP_BYE);
    line_answer(&agent, last(AGENT_1, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered call_ended");
    edge_kit_end();
}

/* Nothing of the call is answered before it is on the disk. */
static void nothing_leaves_before_the_commit(void **state)
{
    struct line caller;
    begin();
    edge_kit.store_held = true;
    line_invite(&caller, CARRIER, "+447911120001");
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    edge_kit.store_held = false;
    edge_kit_turn();
    last(AGENT_1, "INVITE");
    line_cancel(&caller);
    last(CARRIER, "487");
    line_ack_failure(&caller);
    edge_kit_end();
}

static void the_next_target_is_called_over_tcp(void **state)
{
    struct line caller, agent;
    struct still_stream stream[4];
    begin();
    line_invite(&caller, CARRIER, "+447911120002");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, last(AGENT_1, "INVITE"), 486);
    assert_int_equal(still_streams(stream, 4), 1);
    assert_true(still_stream_open(stream[0].id));
    edge_kit_turn();
    line_of_invite(&agent, last(AGENT_2, "INVITE"), "two");
    line_answer(&agent, last(AGENT_2, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_say(&agent, "BYE");
    line_answer(&caller, last(CARRIER, "BYE"), 200);
    assert_string_equal(edge_kit_events(),
                        "incoming_call call_forward_failed call_answered call_ended");
    edge_kit_end();
}

static void a_name_that_an_answer_gave_is_unknown(void **state)
{
    struct line caller;
    struct still_lookup lookup[2];
    begin();
    line_invite(&caller, CARRIER, "+447911120010");
    assert_int_equal(edge_kit_questions(), 2);
    for (size_t i = 0; i < 2; i++)
        edge_kit_reply(edge_kit_question(i), 200,
                       "{\"action\":\"forward\",\"targets\":[{\"type\":\"sip\","
                       "\"destination\":\"sip:x@agents.example\"}]}");
    assert_int_equal(still_lookups(lookup, 2), 1);
    assert_string_equal(lookup[0].host, "agents.example");
    assert_true(still_answer(lookup[0].id, &(struct resolved){.err = ERR_DNS}));
    edge_kit_turn();
    last(CARRIER, "500");
    line_ack_failure(&caller);
    edge_kit_end();
}

/* The agent of a target that was given up knows our tag, but its dialog is not the call's. */
static void a_dialog_that_is_not_the_calls_gets_481(void **state)
{
    struct line caller, first, second;
    struct still_stream stream[4];
    begin();
    line_invite(&caller, CARRIER, "+447911120002");
    line_of_invite(&first, last(AGENT_1, "INVITE"), "one");
    line_answer(&first, last(AGENT_1, "INVITE"), 486);
    assert_int_equal(still_streams(stream, 4), 1);
    assert_true(still_stream_open(stream[0].id));
    line_of_invite(&second, last(AGENT_2, "INVITE"), "two");
    line_answer(&second, last(AGENT_2, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_say(&first, "BYE");
    last(AGENT_1, "481");
    line_say(&second, "BYE");
    line_answer(&caller, last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_answered_and_ends),
        cmocka_unit_test(nobody_answers_in_time),
        cmocka_unit_test(a_call_outlives_a_kill),
        cmocka_unit_test(nothing_leaves_before_the_commit),
        cmocka_unit_test(the_next_target_is_called_over_tcp),
        cmocka_unit_test(a_name_that_an_answer_gave_is_unknown),
        cmocka_unit_test(a_dialog_that_is_not_the_calls_gets_481),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
