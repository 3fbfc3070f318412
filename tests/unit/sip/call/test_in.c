/* An INVITE that begins a call, and what is recognised as its repeat or its CANCEL. */
#include "check.h"
#include "line.h"

static struct line caller, agent;

static void ring(void)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
}

/* What the newest response says to a CANCEL. */
static int cancel_status(const struct line *l)
{
    const struct edge_packet *p = NULL;
    char at[ADDR_TEXT_SIZE];
    addr_print(&l->at, at);
    for (size_t i = edge_kit_packets(); i-- > 0 && !p;)
        if (!edge_kit_packet(i)->is_request && edge_kit_packet(i)->method == SIP_CANCEL &&
            addr_eq(&edge_kit_packet(i)->to, &l->at))
            p = edge_kit_packet(i);
    if (!p)
        fail_msg("no answer to a CANCEL went to %s", at);
    return p->status;
}

static void a_cancel_with_a_branch_of_its_own_cancels(void **state)
{
    ring();
    char branch[sizeof caller.invite_branch];
    memcpy(branch, caller.invite_branch, sizeof branch);
    strcpy(caller.invite_branch, "z9hG4bK-of-its-own");
    line_cancel(&caller);
    assert_int_equal(cancel_status(&caller), 200);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    memcpy(caller.invite_branch, branch, sizeof branch);
    line_ack_failure(&caller);
    assert_int_equal(packet_last(CARRIER, "487")->repeats, 0);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_ended");
    edge_kit_end();
}

static void a_cancel_that_fits_no_invite_does_not(void **state)
{
    ring();
    for (int i = 0; i < 5; i++) {
        struct line other = caller;
        snprintf(other.invite_branch, sizeof other.invite_branch, "z9hG4bK-other-%d", i);
        if (i == 0)
            strcpy(other.invite_target, "sip:+447911120002@5.0.0.1");
        else if (i == 1)
            strcpy(strstr(other.local, ";tag="), ";tag=another");
        else if (i == 2)
            other.invite_cseq++;
        else if (i == 3)
            strcat(other.call_id, "x");
        else
            assert_ok(addr_parse(STR("5.0.1.2:5060"), 0, &other.at));
        line_cancel(&other);
        assert_int_equal(cancel_status(&other), 481);
        assert_null(edge_kit_last(AGENT_1, "CANCEL"));
    }
    line_cancel(&caller);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    line_ack_failure(&caller);
    edge_kit_end();
}

/* The INVITE with these ids, on a branch of its own; the agent is busy when it is asked. */
static void call_with_the_same_ids(void)
{
    size_t packets = edge_kit_packets();
    line_request(&caller, &(struct request){.method = "INVITE", .cseq = 1, .body = LINE_SDP});
    struct edge_packet *invite = edge_kit_last(AGENT_1, "INVITE");
    bool asked = false;
    for (size_t i = packets; i < edge_kit_packets(); i++)
        asked |= edge_kit_packet(i) == invite;
    if (asked) {
        line_of_invite(&agent, invite, "agent");
        line_answer(&agent, invite, 486);
    }
    line_ack_failure(&caller);
}

/* §8.2.2.2: what is merged is merged while its transaction is there. */
static void the_same_ids_after_the_end_are_another_call(void **state)
{
    struct stored_call c[8];
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "same", "+447911120001");
    call_with_the_same_ids();
    edge_kit_advance(31999); /* it may be an INVITE from before the daemon began */
    call_with_the_same_ids();
    assert_non_null(edge_kit_last(CARRIER, "482"));
    assert_int_equal(edge_kit_calls(c, 8), 1);
    edge_kit_advance(6000);
    for (size_t n = 2; n <= 3; n++) {
        call_with_the_same_ids();
        assert_int_equal(edge_kit_calls(c, 8), n);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(c[i].n, 2); /* incoming_call, call_ended */
        edge_kit_advance(6000);
    }
    assert_null(edge_kit_faults());
    edge_kit_end();
}

/* Its caller takes it back while it is being stored. */
static void the_same_ids_taken_back_at_once_leave_nothing(void **state)
{
    struct stored_call c[8];
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "same", "+447911120001");
    call_with_the_same_ids();
    edge_kit_advance(60000);
    edge_kit.store_held = true;
    line_request(&caller, &(struct request){.method = "INVITE", .cseq = 1, .body = LINE_SDP});
    line_cancel(&caller);
    edge_kit.store_held = false;
    edge_kit_turn();
    packet_last(CARRIER, "487");
    line_ack_failure(&caller);
    assert_int_equal(edge_kit_calls(c, 8), 1);
    edge_kit_end();
}

/* Killed behind its end: the same INVITE, repeated, is the same call. */
static void the_same_ids_behind_a_restart_are_the_call_that_ended(void **state)
{
    struct stored_call c[8];
    edge_kit_begin(1);
    edge_kit_advance(60000);
    line_new(&caller, CARRIER, "same", "+447911120001");
    call_with_the_same_ids();
    assert_ok(edge_kit_restart());
    call_with_the_same_ids();
    assert_non_null(edge_kit_last(CARRIER, "482"));
    assert_int_equal(edge_kit_calls(c, 8), 1);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_with_a_branch_of_its_own_cancels),
        cmocka_unit_test(a_cancel_that_fits_no_invite_does_not),
        cmocka_unit_test(the_same_ids_after_the_end_are_another_call),
        cmocka_unit_test(the_same_ids_taken_back_at_once_leave_nothing),
        cmocka_unit_test(the_same_ids_behind_a_restart_are_the_call_that_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
