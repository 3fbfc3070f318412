/* An INVITE that begins a call, and what is recognised as its repeat or its CANCEL. */
#include "check.h"
#include "line.h"

static struct line caller, agent;

static struct edge_packet *last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p)
        fail_msg("no %s went to %s", what, to);
    return p;
}

static void ring(void)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, last(AGENT_1, "INVITE"), 180);
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
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    memcpy(caller.invite_branch, branch, sizeof branch);
    line_ack_failure(&caller);
    assert_int_equal(last(CARRIER, "487")->repeats, 0);
    line_answer(&agent, last(AGENT_1, "INVITE"), 487);
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
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, last(AGENT_1, "INVITE"), 487);
    line_ack_failure(&caller);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cancel_with_a_branch_of_its_own_cancels),
        cmocka_unit_test(a_cancel_that_fits_no_invite_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
