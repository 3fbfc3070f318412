/* Calls that were open when the daemon was killed (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

/* Whatever was sent before a kill is not in the row, so that each start begins far behind it: a
 * request with a CSeq that was used would be a repeat, or out of order (RFC 3261 §12.2.1.1). */
static void cseqs_count_on_over_several_kills(void **state)
{
    struct line caller, agent;
    uint32_t cseq = 1;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    for (int kill = 0; kill < 4; kill++) {
        for (int i = 0; i < 3; i++) {
            line_say(&caller, "INFO");
            struct edge_packet *info = packet_last(AGENT_1, "INFO");
            assert_true(info->cseq > cseq);
            cseq = info->cseq;
            line_answer(&agent, info, 200);
        }
        assert_ok(edge_kit_restart());
    }
    line_say(&caller, "BYE");
    assert_true(packet_last(AGENT_1, "BYE")->cseq > cseq);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* ---- killed while it rings ---- */

static struct line caller, agent;

static struct edge_packet *rings(int status)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
    line_of_invite(&agent, invite, "agent");
    if (status)
        line_answer(&agent, invite, status);
    return invite;
}

static unsigned count(const char *to, const char *what)
{
    struct addr at;
    unsigned n = 0;
    assert_ok(addr_parse(str_of(to), 5060, &at));
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        n += p->is_request && !strcmp(sip_method_name(p->method), what) && addr_eq(&p->to, &at);
    }
    return n;
}

/* The CANCEL of that INVITE has its branch, Request-URI, From, To, Call-ID and number (§9.1). */
static void is_cancelled(const struct edge_packet *invite)
{
    struct edge_packet *cancel = packet_last(AGENT_1, "CANCEL");
    char uri[600], to[600];
    const struct sip_msg *m = packet_parse(invite);
    snprintf(uri, sizeof uri, "%.*s", STR_FMT(m->ruri_text));
    snprintf(to, sizeof to, "%.*s", STR_FMT(sip_value(m, SIP_H_TO)));
    assert_int_equal(cancel->branch, invite->branch);
    assert_int_equal(cancel->call_id, invite->call_id);
    assert_int_equal(cancel->from_tag, invite->from_tag);
    assert_int_equal(cancel->cseq, invite->cseq);
    m = packet_parse(cancel);
    assert_str(m->ruri_text, uri);
    assert_str(sip_value(m, SIP_H_TO), to);
    line_answer(&agent, cancel, 200);
    line_answer(&agent, invite, 487);
    assert_int_equal(packet_last(AGENT_1, "ACK")->branch, invite->branch);
}

static void is_over(int status)
{
    char text[4];
    snprintf(text, sizeof text, "%d", status);
    const struct edge_packet *refusal = packet_last(CARRIER, text);
    const struct sip_msg *m = packet_parse(refusal);
    assert_int_equal(m->cseq_method, SIP_INVITE);
    assert_str(m->via.branch, caller.invite_branch);
    assert_str(m->call_id, caller.call_id);
    assert_str(sip_value(m, SIP_H_RETRY_AFTER), status == 503 ? "5" : "");
    line_ack_failure(&caller);
    edge_kit_end();
}

static void the_caller_hears_503_and_the_target_is_cancelled(void **state)
{
    struct edge_packet *invite = rings(180);
    assert_ok(edge_kit_restart());
    edge_kit_advance(1);
    is_cancelled(invite);
    edge_kit_advance(1498);
    assert_null(edge_kit_last(CARRIER, "503"));
    edge_kit_advance(1);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_ended");
    is_over(503);
}

static void the_caller_may_cancel(void **state)
{
    struct edge_packet *invite = rings(180);
    assert_ok(edge_kit_restart());
    edge_kit_advance(500);
    line_cancel(&caller);
    assert_int_equal(packet_last(CARRIER, "200")->method, SIP_CANCEL);
    is_cancelled(invite);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_ended");
    is_over(487);
}

/* Its 100 and 180 were lost: it repeats the INVITE, and the call begins anew. */
static void a_repeated_invite_goes_on(void **state)
{
    struct edge_packet *invite = rings(180);
    assert_ok(edge_kit_restart());
    edge_kit_advance(1000);
    is_cancelled(invite);
    line_request(&caller, &(struct request){.method = "INVITE",
                                            .cseq = 1,
                                            .branch = caller.invite_branch,
                                            .body = LINE_SDP});
    assert_int_equal(count(AGENT_1, "INVITE"), 2);
    struct edge_packet *again = packet_last(AGENT_1, "INVITE");
    assert_true(again->call_id != invite->call_id);
    line_of_invite(&agent, again, "again");
    edge_kit_advance(1000);
    assert_null(edge_kit_last(CARRIER, "503"));
    line_answer(&agent, again, 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_answered");
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* 183 is no event: the row is told after two seconds, once. */
static void a_target_that_rang_for_two_seconds_is_cancelled_at_once(void **state)
{
    struct edge_packet *invite = rings(183);
    edge_kit_advance(2000);
    assert_ok(edge_kit_restart());
    edge_kit_advance(1);
    is_cancelled(invite);
    edge_kit_advance(1499);
    is_over(503);
}

/* 183 is no event, so the row does not know who rings. */
static void a_target_that_the_row_does_not_know_is_cancelled_when_it_rings_again(void **state)
{
    for (int rang = 0; rang < 2; rang++) {
        struct edge_packet *invite = rings(rang ? 183 : 0);
        assert_ok(edge_kit_restart());
        edge_kit_advance(1000);
        assert_int_equal(count(AGENT_1, "CANCEL"), 0);
        line_answer(&agent, invite, 180);
        edge_kit_advance(1);
        line_answer(&agent, invite, 180);
        assert_int_equal(count(AGENT_1, "CANCEL"), 1);
        is_cancelled(invite);
        edge_kit_advance(499);
        is_over(503);
    }
}

static void a_target_that_answers_meanwhile_is_hung_up(void **state)
{
    static const int ringing[] = {180, 183};
    for (size_t i = 0; i < 2; i++) {
        struct edge_packet *invite = rings(ringing[i]);
        assert_ok(edge_kit_restart());
        edge_kit_advance(1000);
        line_answer(&agent, invite, 200);
        packet_last(AGENT_1, "ACK");
        line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
        edge_kit_advance(500);
        is_over(503);
    }
}

static void all_vias_come_back(void **state)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "caller", "+447911120001");
    line_request(&caller, &(struct request){.method = "INVITE",
                                            .headers = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa, "
                                                       "SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKb\r\n",
                                            .body = LINE_SDP});
    assert_ok(edge_kit_restart());
    edge_kit_advance(1500);
    const struct sip_msg *m = packet_parse(packet_last(CARRIER, "503"));
    assert_str(sip_header(m, SIP_H_VIA, 1)->value,
               "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa, SIP/2.0/TCP 10.0.0.2;branch=z9hG4bKb");
    is_over(503);
}

/* The connection died with the daemon: a new one leads to where the Via says (§18.2.2). */
static void a_caller_over_tcp_hears_it_too(void **state)
{
    struct addr edge, from;
    struct still_stream stream[2];
    edge_kit_begin(1);
    assert_ok(addr_parse(STR(EDGE), 5060, &edge));
    assert_ok(addr_parse(STR("5.0.1.1:40000"), 5060, &from));
    line_new(&caller, CARRIER, "caller", "+447911120001");
    caller.stream = still_accept(&edge, &from);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    packet_last(AGENT_1, "INVITE");
    assert_ok(edge_kit_restart());
    edge_kit_advance(1500);
    assert_int_equal(still_streams(stream, 2), 1);
    assert_int_equal(stream[0].peer.port, 5060);
    assert_true(still_stream_open(stream[0].id));
    edge_kit_turn();
    caller.stream = stream[0].id;
    is_over(503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_hears_503_and_the_target_is_cancelled),
        cmocka_unit_test(the_caller_may_cancel),
        cmocka_unit_test(a_repeated_invite_goes_on),
        cmocka_unit_test(a_target_that_rang_for_two_seconds_is_cancelled_at_once),
        cmocka_unit_test(a_target_that_the_row_does_not_know_is_cancelled_when_it_rings_again),
        cmocka_unit_test(a_target_that_answers_meanwhile_is_hung_up),
        cmocka_unit_test(all_vias_come_back),
        cmocka_unit_test(a_caller_over_tcp_hears_it_too),
        cmocka_unit_test(cseqs_count_on_over_several_kills),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
