/* What a call stores, while the store is in trouble (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

enum { LONGER_THAN_THE_STORE_TRIES = 7 };

/* The first event's commit was lost, and nobody knows its end: the caller is refused, and if the
 * event is there, its call_ended comes too. */
static void a_call_that_may_be_stored_is_ended(void **state)
{
    static const enum fault_how how[] = {FAULT_UNSURE_DONE, FAULT_UNSURE_NOT};
    struct line caller;
    for (size_t i = 0; i < 2; i++) {
        edge_kit_begin(1);
        fault_arm(FAULT_COMMIT, how[i], 1, LONGER_THAN_THE_STORE_TRIES);
        line_invite(&caller, CARRIER, "+447911120001");
        packet_last(CARRIER, "503");
        line_ack_failure(&caller);
        edge_kit_advance(5000);
        assert_string_equal(edge_kit_events(), "incoming_call call_ended");
        assert_int_equal(edge_kit_told(), 2);
        assert_null(edge_kit_last(AGENT_1, "INVITE"));
        edge_kit_end();
    }
}

static void an_answer_that_may_be_stored_is_told(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_DONE, 1, LONGER_THAN_THE_STORE_TRIES);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_null(edge_kit_last(CARRIER, "200"));
    edge_kit_advance(2000);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_int_equal(edge_kit_told(), 2);
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    edge_kit_end();
}

/* Three seconds are all that the people on the line wait for the store; the event is tried on. */
static void nobody_waits_for_the_store_for_longer_than_three_seconds(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    fault_arm(FAULT_COMMIT, FAULT_NOT_DONE, 1, 1000);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    edge_kit_advance(2999);
    assert_null(edge_kit_last(CARRIER, "200"));
    edge_kit_advance(1);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    fault_disarm();
    assert_string_equal(edge_kit_events(), "incoming_call");
    edge_kit_advance(1000);
    assert_string_equal(edge_kit_events(), "incoming_call call_answered");
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* The store says nothing at all for as long as an INVITE may wait: the caller is refused, and hears
 * no BYE in a dialog that it never had. */
static void an_answer_that_is_never_stored_ends_with_the_invite(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    edge_kit.store_held = true;
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    edge_kit_advance(UNANSWERED_MAX_MS);
    packet_last(CARRIER, "480");
    line_ack_failure(&caller);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit.store_held = false;
    edge_kit_turn();
    edge_kit_advance(40000);
    assert_null(edge_kit_last(CARRIER, "BYE"));
    assert_null(edge_kit_last(CARRIER, "200"));
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    edge_kit_end();
}

/* Nothing was written, that is sure: there is no call. */
static void a_call_that_is_not_stored_leaves_no_trace(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    fault_arm(FAULT_COMMIT, FAULT_NOT_DONE, 1, 1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_last(CARRIER, "503");
    line_ack_failure(&caller);
    assert_string_equal(edge_kit_events(), "");
    edge_kit_end();
}

/* What the call has to say then can never be stored: it goes on all the same. */
static void an_answer_that_can_never_be_stored_is_given(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    fault_arm(FAULT_RUN, FAULT_TOO_LARGE, 1, 1);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_int_equal(fault_count(), 1);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    edge_kit_advance(10000);
    assert_int_equal(fault_count(), 1); /* it was not tried again */
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ended");
    edge_kit_end();
}

static void an_end_that_can_never_be_stored_ends_the_call(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    fault_arm(FAULT_RUN, FAULT_TOO_LARGE, 1, 1);
    line_say(&caller, "BYE");
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_BYE);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_advance(40000);
    assert_int_equal(fault_count(), 1);
    assert_null(edge_kit_leftovers());
    assert_string_equal(edge_kit_events(), "incoming_call call_answered");
    /* Its row is open still: the next start ends it. */
    assert_ok(edge_kit_restart());
    assert_true(edge_kit_run_out(3600 * INT64_C(1000)));
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    edge_kit_end();
}

static void a_call_that_can_never_be_stored_is_refused(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    fault_arm(FAULT_RUN, FAULT_TOO_LARGE, 1, 1);
    line_invite(&caller, CARRIER, "+447911120001");
    packet_last(CARRIER, "500");
    line_ack_failure(&caller);
    assert_string_equal(edge_kit_events(), "");
    edge_kit_end();
}

/* First nobody knows, then it is sure that it never will be. */
static void an_unsure_answer_that_can_never_be_stored_is_given(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_NOT, 1, LONGER_THAN_THE_STORE_TRIES - 2);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    assert_null(edge_kit_last(CARRIER, "200"));
    fault_arm(FAULT_RUN, FAULT_TOO_LARGE, 1, 1000);
    edge_kit_advance(2500);
    fault_disarm();
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    assert_string_equal(edge_kit_events(), "incoming_call call_ended");
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_that_is_never_stored_ends_with_the_invite),
        cmocka_unit_test(nobody_waits_for_the_store_for_longer_than_three_seconds),
        cmocka_unit_test(a_call_that_may_be_stored_is_ended),
        cmocka_unit_test(an_answer_that_may_be_stored_is_told),
        cmocka_unit_test(a_call_that_is_not_stored_leaves_no_trace),
        cmocka_unit_test(an_answer_that_can_never_be_stored_is_given),
        cmocka_unit_test(an_end_that_can_never_be_stored_ends_the_call),
        cmocka_unit_test(a_call_that_can_never_be_stored_is_refused),
        cmocka_unit_test(an_unsure_answer_that_can_never_be_stored_is_given),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
