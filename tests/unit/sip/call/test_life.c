/* What a call began ends with it, whatever its peers do: look-ups, transactions, requests within
 * its dialogs; and a dialog is its Call-ID and both tags. */
#include "check.h"
#include "base/metrics.h"
#include "line.h"

enum { T1 = 500 };

static struct line caller, agent;

static struct edge_packet *last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p)
        fail_msg("no %s went to %s", what, to ? to : "anybody");
    return p;
}

/* How many requests of that method, or responses of that status, went there; repeats are one. */
static unsigned count(const char *to, const char *what)
{
    struct addr at;
    unsigned n = 0;
    assert_ok(addr_parse(str_of(to), 5060, &at));
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        bool is =
            p->is_request ? !strcmp(sip_method_name(p->method), what) : p->status == atoi(what);
        n += is && addr_eq(&p->to, &at);
    }
    return n;
}

static void rings(void)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, last(AGENT_1, "INVITE"), 180);
    line_learn(&caller, last(CARRIER, "180"));
}

static void talks(void)
{
    rings();
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    last(AGENT_1, "ACK");
}

static void hang_up(void)
{
    line_say(&caller, "BYE");
    line_answer(&agent, last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

static void reinvite(struct line *l)
{
    line_request(l, &(struct request){.method = "INVITE", .body = LINE_SDP});
}

/* ---- a target's turn ---- */

static void a_name_resolved_after_its_ring_timeout(void **state)
{
    struct still_lookup lookup[2];
    const struct resolved late = {.n = 1, .transport = {RESOLVE_UDP}};
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120003");
    assert_int_equal(still_lookups(lookup, 2), 1);
    uint32_t first = lookup[0].id;
    edge_kit_advance(3000);
    assert_false(still_answer(first, &late)); /* nobody waits for it any more */
    assert_int_equal(still_lookups(lookup, 2), 1);
    assert_string_equal(lookup[0].host, "others.example");
    line_cancel(&caller);
    assert_false(still_answer(lookup[0].id, &late));
    last(CARRIER, "487");
    line_ack_failure(&caller);
    assert_string_equal(edge_kit_events(), "incoming_call call_forward_failed call_ended");
    edge_kit_end();
}

static void a_webhook_answers_after_its_time(void **state)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120005");
    assert_int_equal(edge_kit_questions(), 1);
    edge_kit_advance(3000);
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    edge_kit_reply(edge_kit_question(0), 200, "{\"action\":\"reject\",\"sip_status\":486}");
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    hang_up();
}

/* CANCEL may not be sent before a provisional answer, and must be then (RFC 3261 §9.1). */
static void a_target_that_rings_too_late_is_told_to_stop(void **state)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120002");
    struct edge_packet *invite = last(AGENT_1, "INVITE");
    line_of_invite(&agent, invite, "agent");
    edge_kit_advance(5000);
    assert_int_equal(count(AGENT_1, "CANCEL"), 0);
    line_answer(&agent, invite, 180);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, invite, 487);
    line_cancel(&caller);
    line_ack_failure(&caller);
    edge_kit_end();
}

static void ringing_after_cancel_keeps_nothing(void **state)
{
    rings();
    line_cancel(&caller);
    line_ack_failure(&caller);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, last(AGENT_1, "INVITE"), 180);
    edge_kit_advance(64 * T1 + 1);
    assert_int_equal(metric_get(METRIC_SIP_TRANSACTIONS), 0);
    edge_kit_end();
}

static void a_2xx_behind_a_failure_is_hung_up(void **state)
{
    rings();
    line_answer(&agent, last(AGENT_1, "INVITE"), 486);
    last(CARRIER, "486");
    line_ack_failure(&caller);
    struct line fork;
    line_of_invite(&fork, last(AGENT_1, "INVITE"), "fork");
    line_answer(&fork, last(AGENT_1, "INVITE"), 200);
    line_answer(&fork, last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

static void a_late_fork_is_hung_up_once(void **state)
{
    talks();
    struct line fork;
    line_of_invite(&fork, last(AGENT_1, "INVITE"), "fork");
    for (int i = 0; i < 6; i++) {
        line_answer(&fork, last(AGENT_1, "INVITE"), 200);
        edge_kit_advance(100);
    }
    assert_int_equal(count(AGENT_1, "BYE"), 1);
    line_answer(&fork, last(AGENT_1, "BYE"), 200);
    hang_up();
}

/* ---- requests within the dialogs ---- */

static void what_is_open_when_a_call_ends_gets_an_answer(void **state)
{
    static const char *const method[] = {"INFO", "UPDATE", "NOTIFY", "MESSAGE", "REFER", "INVITE"};
    for (size_t i = 0; i < sizeof method / sizeof *method; i++) {
        talks();
        line_request(&agent, &(struct request){.method = method[i], .body = LINE_SDP});
        last(CARRIER, method[i]);
        line_say(&caller, "BYE");
        assert_int_equal(last(CARRIER, "200")->method, SIP_BYE);
        assert_string_equal(sip_method_name(last(AGENT_1, "487")->method), method[i]);
        if (!strcmp(method[i], "INVITE"))
            line_ack_failure(&agent);
        line_answer(&agent, last(AGENT_1, "BYE"), 200);
        edge_kit_end();
    }
}

/* The other side says nothing at all. */
static void an_open_request_is_answered_while_its_client_waits(void **state)
{
    talks();
    line_say(&caller, "INFO");
    edge_kit_advance(60 * T1);
    assert_int_equal(last(CARRIER, "504")->method, SIP_INFO);
    hang_up();
}

static void a_reinvite_that_only_rings_is_taken_back(void **state)
{
    rings();
    edge_kit.edge->core.c.probe_ms = 3600 * 1000; /* nobody answers OPTIONS here */
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    reinvite(&caller);
    struct edge_packet *invite = last(AGENT_1, "INVITE");
    line_answer(&agent, invite, 180);
    edge_kit_advance(TIMER_C_MS);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    edge_kit_advance(64 * T1);
    assert_int_equal(last(CARRIER, "504")->cseq, 2);
    line_ack_failure(&caller);
    reinvite(&caller); /* the way is free */
    assert_ptr_not_equal(last(AGENT_1, "INVITE"), invite);
    line_answer(&agent, last(AGENT_1, "INVITE"), 488);
    line_ack_failure(&caller);
    hang_up();
}

static void requests_in_flight_are_bounded(void **state)
{
    talks();
    int64_t before = metric_get(METRIC_SIP_REJECTED_OPEN);
    for (int i = 0; i < OPEN_MAX; i++)
        line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), OPEN_MAX);
    assert_null(edge_kit_last(CARRIER, "503"));
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), OPEN_MAX);
    assert_str(sip_value(packet_parse(last(CARRIER, "503")), SIP_H_RETRY_AFTER), "2");
    assert_int_equal(metric_get(METRIC_SIP_REJECTED_OPEN), before + 1);
    line_say(&agent, "INFO"); /* the other side has its own places */
    line_answer(&caller, last(CARRIER, "INFO"), 200);
    line_answer(&agent, last(AGENT_1, "INFO"), 200); /* one is free again */
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), OPEN_MAX + 1);
    hang_up();
}

static void a_reinvite_overtakes_the_ack(void **state)
{
    rings();
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    reinvite(&caller);
    assert_int_equal(last(AGENT_1, "ACK")->cseq, 1);
    assert_int_equal(last(AGENT_1, "INVITE")->cseq, 2);
    line_ack(&caller, 1); /* too late, and not amiss */
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, 2);
    assert_int_equal(last(AGENT_1, "ACK")->cseq, 2);
    hang_up();
}

/* It comes with less in its head than leaves. */
static void a_reinvite_that_does_not_fit_leaves_the_next_one_free(void **state)
{
    static char body[SIP_MESSAGE_MAX - 1000], routes[3000];
    memset(body, 'x', sizeof body - 1);
    snprintf(routes, sizeof routes, "Record-Route: <sip:5.0.2.1;lr;x=%.*s>\r\n", 2500, body);
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    packet_answer(last(AGENT_1, "INVITE"), &(struct response){200, "agent", routes, LINE_SDP});
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_request(&caller, &(struct request){.method = "INVITE", .body = body});
    last(CARRIER, "513");
    line_ack_failure(&caller);
    reinvite(&agent);
    line_answer(&caller, last(CARRIER, "INVITE"), 200);
    line_ack(&agent, 1);
    hang_up();
}

/* ---- the end ---- */

/* BYE to the caller waits for the ACK of its 200 (RFC 3261 §15). */
static void the_callee_hangs_up_before_the_ack(void **state)
{
    for (int acks = 0; acks < 2; acks++) {
        rings();
        line_answer(&agent, last(AGENT_1, "INVITE"), 200);
        line_learn(&caller, last(CARRIER, "200"));
        line_say(&agent, "BYE");
        assert_int_equal(last(AGENT_1, "200")->method, SIP_BYE);
        last(AGENT_1, "ACK");
        assert_int_equal(count(CARRIER, "BYE"), 0);
        if (acks)
            line_ack(&caller, 1);
        else
            edge_kit_advance(64 * T1 + 8 * T1);
        line_answer(&caller, last(CARRIER, "BYE"), 200);
        assert_string_equal(edge_kit_events(),
                            "incoming_call call_ringing call_answered call_ended");
        edge_kit_end();
    }
}

static void the_callee_hangs_up_before_the_commit_of_its_answer(void **state)
{
    rings();
    edge_kit.store_held = true;
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_say(&agent, "BYE");
    last(AGENT_1, "ACK");
    edge_kit.store_held = false;
    edge_kit_turn();
    last(CARRIER, "480");
    line_ack_failure(&caller);
    assert_int_equal(last(AGENT_1, "200")->method, SIP_BYE);
    assert_int_equal(count(CARRIER, "BYE"), 0);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered call_ended");
    edge_kit_end();
}

static void a_200_that_nobody_acknowledges(void **state)
{
    rings();
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    edge_kit_advance(64 * T1 + 8 * T1);
    last(AGENT_1, "ACK");
    line_answer(&agent, last(AGENT_1, "BYE"), 200);
    line_answer(&caller, last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

static void the_gauges_tell_what_is_there(void **state)
{
    rings();
    assert_int_equal(metric_get(METRIC_SIP_TRANSACTIONS), 2); /* both INVITEs */
    assert_int_equal(metric_get(METRIC_SIP_DIALOGS), 3);      /* the caller's, and a fork's two */
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_int_equal(metric_get(METRIC_SIP_TRANSACTIONS), 0);
    assert_int_equal(metric_get(METRIC_SIP_DIALOGS), 2);
    hang_up();
    assert_int_equal(metric_get(METRIC_SIP_DIALOGS), 0);
}

/* ---- who speaks in a dialog ---- */

static void replace(char text[LINE_TEXT], const char *tag)
{
    char *at = strstr(text, ";tag=");
    assert_non_null(at);
    snprintf(at, LINE_TEXT - (size_t)(at - text), ";tag=%s", tag);
}

static void expect_481(struct line *l)
{
    line_say(l, "INFO");
    assert_non_null(edge_kit_last(NULL, "481"));
    assert_null(edge_kit_last(CARRIER, "INFO"));
    assert_null(edge_kit_last(AGENT_1, "INFO"));
    edge_kit_end();
}

static void a_dialog_is_its_call_id_and_both_tags(void **state)
{
    talks();
    snprintf(agent.call_id, LINE_TEXT, "another");
    expect_481(&agent);
    talks();
    replace(agent.local, "another");
    expect_481(&agent);
    talks();
    replace(caller.remote, "another");
    expect_481(&caller);
}

/* The tag of a leg says nothing about the other's. */
static void a_leg_cannot_speak_for_the_other(void **state)
{
    talks();
    struct line forger = caller; /* all that the carrier sends, but for our tag */
    char *ours = strstr(agent.remote, ";tag=") + 5;
    size_t n = strlen(ours);
    ours[n - 2] = 'a';
    replace(forger.remote, ours);
    line_request(&forger, &(struct request){.method = "UPDATE", .headers = "X-Forged: 1\r\n"});
    last(CARRIER, "481");
    ours[n - 2] = 'b';
    hang_up();
}

static void a_cancel_of_another_call_with_the_same_branch(void **state)
{
    rings();
    struct line forger = caller;
    snprintf(forger.call_id, LINE_TEXT, "another");
    line_cancel(&forger);
    last(CARRIER, "481");
    assert_int_equal(count(AGENT_1, "CANCEL"), 0);
    line_cancel(&caller);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, last(AGENT_1, "INVITE"), 487);
    line_ack_failure(&caller);
    edge_kit_end();
}

/* As ezk sends it, and as a stranger might. */
static void a_cancel_with_a_branch_of_its_own(void **state)
{
    rings();
    struct line own = caller, other;
    const struct {
        const char *call_id, *uri, *at;
        uint32_t cseq;
    } wrong[] = {{"another", NULL, NULL, 1},
                 {NULL, "sip:+447911120002@5.0.0.1", NULL, 1},
                 {NULL, NULL, "5.0.1.2:5060", 1},
                 {NULL, NULL, NULL, 2}};
    strcpy(own.target, own.invite_target);
    *strstr(own.remote, ";tag=") = '\0';
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        other = own;
        if (wrong[i].call_id)
            strcpy(other.call_id, wrong[i].call_id);
        if (wrong[i].uri)
            strcpy(other.target, wrong[i].uri);
        if (wrong[i].at)
            assert_ok(addr_parse(str_of(wrong[i].at), 5060, &other.at));
        line_request(&other, &(struct request){.method = "CANCEL", .cseq = wrong[i].cseq});
        last(wrong[i].at ? wrong[i].at : CARRIER, "481");
        assert_int_equal(count(AGENT_1, "CANCEL"), 0);
    }
    line_request(&own, &(struct request){.method = "CANCEL", .cseq = 1});
    assert_int_equal(last(CARRIER, "200")->method, SIP_CANCEL);
    line_answer(&agent, last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, last(AGENT_1, "INVITE"), 487);
    last(CARRIER, "487");
    line_ack_failure(&caller);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_resolved_after_its_ring_timeout),
        cmocka_unit_test(a_webhook_answers_after_its_time),
        cmocka_unit_test(a_target_that_rings_too_late_is_told_to_stop),
        cmocka_unit_test(ringing_after_cancel_keeps_nothing),
        cmocka_unit_test(a_2xx_behind_a_failure_is_hung_up),
        cmocka_unit_test(a_late_fork_is_hung_up_once),
        cmocka_unit_test(what_is_open_when_a_call_ends_gets_an_answer),
        cmocka_unit_test(an_open_request_is_answered_while_its_client_waits),
        cmocka_unit_test(a_reinvite_that_only_rings_is_taken_back),
        cmocka_unit_test(requests_in_flight_are_bounded),
        cmocka_unit_test(a_reinvite_overtakes_the_ack),
        cmocka_unit_test(a_reinvite_that_does_not_fit_leaves_the_next_one_free),
        cmocka_unit_test(the_callee_hangs_up_before_the_ack),
        cmocka_unit_test(the_callee_hangs_up_before_the_commit_of_its_answer),
        cmocka_unit_test(a_200_that_nobody_acknowledges),
        cmocka_unit_test(the_gauges_tell_what_is_there),
        cmocka_unit_test(a_dialog_is_its_call_id_and_both_tags),
        cmocka_unit_test(a_leg_cannot_speak_for_the_other),
        cmocka_unit_test(a_cancel_of_another_call_with_the_same_branch),
        cmocka_unit_test(a_cancel_with_a_branch_of_its_own),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
