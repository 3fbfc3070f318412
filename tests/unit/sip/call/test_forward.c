/* The INVITE that goes to a target (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

static const char *value(const struct edge_packet *p, enum sip_header_id id)
{
    static char text[700];
    snprintf(text, sizeof text, "%.*s", STR_FMT(sip_value(packet_parse(p), id)));
    return text;
}

static void give_up(struct line *caller)
{
    line_cancel(caller);
    line_ack_failure(caller);
    edge_kit_end();
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in %s", part, text);
}

static void it_has_our_addressing_around_what_the_caller_said(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "c", "+447911120008");
    line_request(&caller, &(struct request){.method = "INVITE",
                                            .headers = "X-Own: 1\r\n"
                                                       "X-Hookswitch-Call-Id: forged\r\n"
                                                       "Record-Route: <sip:proxy@5.0.1.9;lr>\r\n"
                                                       "Subject: hello\r\n",
                                            .body = LINE_SDP});
    struct edge_packet *p = packet_last(AGENT_1, "INVITE");
    const struct sip_msg *m = packet_parse(p);
    assert_int_equal(m->max_forwards, 69);
    assert_int_equal(m->cseq, 1);
    assert_true(str_eq(m->ruri_text, STR("sip:one@5.0.2.1")));
    assert_string_equal(value(p, SIP_H_CONTACT), "<sip:hookswitch@5.0.0.1:5060>");
    assert_string_equal(value(p, SIP_H_SUBJECT), "hello");
    assert_null(sip_header(packet_parse(p), SIP_H_RECORD_ROUTE, 0));
    assert_true(str_eq(sip_header_named(packet_parse(p), STR("X-Queue"))->value, STR("one")));
    assert_non_null(sip_header_named(packet_parse(p), STR("X-Own")));
    assert_null(sip_header_named(packet_parse(p), STR("X-Hookswitch-Call-Id")));
    assert_true(str_eq(packet_parse(p)->body, STR(LINE_SDP)));
    give_up(&caller);
}

/* Each INVITE of a call is a dialog of its own: another Call-ID, the next target's address. */
static void each_target_gets_a_call_id_of_its_own(void **state)
{
    struct line caller, agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120008");
    struct edge_packet *one = packet_last(AGENT_1, "INVITE");
    line_of_invite(&agent, one, "one");
    line_answer(&agent, one, 486);
    struct edge_packet *two = packet_last(AGENT_2, "INVITE");
    assert_true(one->call_id != two->call_id);
    assert_true(str_eq(packet_parse(two)->ruri_text, STR("sip:two@5.0.2.2")));
    give_up(&caller);
}

/* The stream that leads to `peer`. */
static struct still_stream stream_to(const char *peer)
{
    struct still_stream s[8];
    struct addr a;
    assert_ok(addr_parse(str_of(peer), 5060, &a));
    size_t n = still_streams(s, 8);
    for (size_t i = 0; i < n; i++)
        if (addr_eq(&s[i].peer, &a))
            return s[i];
    fail_msg("no connection to %s", peer);
    return s[0];
}

/* We listen for TCP: the peer may call back there. */
static void over_tcp_contact_and_via_name_the_listener(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120002");
    edge_kit_advance(5000); /* the first target's time */
    assert_true(still_stream_open(stream_to(AGENT_2).id));
    edge_kit_turn();
    struct edge_packet *p = packet_last(AGENT_2, "INVITE");
    assert_string_equal(value(p, SIP_H_CONTACT), "<sip:hookswitch@5.0.0.1:5060;transport=tcp>");
    has(value(p, SIP_H_VIA), "SIP/2.0/TCP 5.0.0.1:5060;branch=");
    give_up(&caller);
}

/* Nobody listens for TLS here: what the peer asks comes back on the connection that it knows. */
static void over_tls_contact_and_via_name_the_connections_own_end(void **state)
{
    struct line caller, agent;
    char own[ADDR_TEXT_SIZE], contact[200], via[200];
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120008");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 603);
    struct still_stream s = stream_to("5.0.2.3:5061");
    assert_true(still_stream_open(s.id));
    edge_kit_turn();
    addr_print(&s.local, own);
    snprintf(contact, sizeof contact, "<sip:hookswitch@%s;transport=tls>", own);
    snprintf(via, sizeof via, "SIP/2.0/TLS %s;branch=", own);
    struct edge_packet *p = packet_last("5.0.2.3:5061", "INVITE");
    assert_string_equal(value(p, SIP_H_CONTACT), contact);
    has(value(p, SIP_H_VIA), via);
    give_up(&caller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_our_addressing_around_what_the_caller_said),
        cmocka_unit_test(each_target_gets_a_call_id_of_its_own),
        cmocka_unit_test(over_tcp_contact_and_via_name_the_listener),
        cmocka_unit_test(over_tls_contact_and_via_name_the_connections_own_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
