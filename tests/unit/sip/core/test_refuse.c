/* What is refused whoever is called, with what the caller can do about it, and again when it is
 * asked again (RFC 3261 §8.2, §17.2.1). */
#include "check.h"
#include "line.h"

static struct line caller;

static const struct edge_packet *last(const char *what)
{
    const struct edge_packet *p = edge_kit_last(CARRIER, what);
    if (!p)
        fail_msg("no %s went to %s", what, CARRIER);
    return p;
}

static void ask(const char *uri, const char *headers, const char *body)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "call", "+447911120001");
    if (uri)
        snprintf(caller.target, sizeof caller.target, "%s", uri);
    line_request(&caller, &(struct request){.method = "INVITE", .headers = headers, .body = body});
}

/* The same request once more, byte by byte, gets the same answer, and nobody rings. */
static void end_after(const char *status)
{
    const struct edge_packet *p = last(status);
    struct str tag = packet_parse(p)->to.tag;
    assert_true(tag.n > 0);
    assert_int_equal(p->repeats, 0);
    edge_kit_send(&caller.at, caller.stream, line_last_sent());
    assert_int_equal(last(status)->repeats, 1);
    line_ack_failure(&caller);
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    edge_kit_end();
}

static const char *says(const char *status, enum sip_header_id id)
{
    static char text[400];
    struct str v = sip_value(packet_parse(last(status)), id);
    snprintf(text, sizeof text, "%.*s", STR_FMT(v));
    return text;
}

static void a_foreign_scheme(void **state)
{
    ask("mailto:a@b.example", NULL, LINE_SDP);
    end_after("416");
}

/* A line's own requests have 70 of them. */
static void no_hops_left(void **state)
{
    static const struct str text =
        STR("INVITE sip:+447911120001@" EDGE " SIP/2.0\r\nMax-Forwards: 0\r\n"
            "Via: SIP/2.0/UDP " CARRIER ";branch=z9hG4bK0\r\nFrom: <sip:a@" CARRIER ">;tag=1\r\n"
            "To: <sip:+447911120001@" EDGE ">\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
            "Contact: <sip:a@" CARRIER ">\r\nContent-Length: 0\r\n\r\n");
    struct addr carrier;
    edge_kit_begin(1);
    assert_ok(addr_parse(STR(CARRIER), 5060, &carrier));
    edge_kit_send(&carrier, 0, text);
    edge_kit_send(&carrier, 0, text);
    assert_int_equal(last("483")->repeats, 1);
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    edge_kit_end();
}

static void each_unknown_extension_is_named(void **state)
{
    ask(NULL, "Require: timer, replaces\r\nRequire: gruu\r\nProxy-Require: sec-agree\r\n",
        LINE_SDP);
    assert_string_equal(says("420", SIP_H_UNSUPPORTED), "replaces, gruu, sec-agree");
    end_after("420");
}

/* A tag is named whole or not at all. */
static void an_extension_of_any_length_is_refused(void **state)
{
    char headers[1200] = "Require: a, ";
    memset(headers + strlen(headers), 'x', 900);
    strcat(headers, ", b\r\n");
    ask(NULL, headers, LINE_SDP);
    assert_string_equal(says("420", SIP_H_UNSUPPORTED), "a, b");
    end_after("420");
}

static void a_body_that_no_call_has(void **state)
{
    ask(NULL, "Content-Type: application/isup\r\n", "1");
    assert_string_equal(says("415", SIP_H_ACCEPT), "application/sdp, multipart/mixed");
    end_after("415");
    ask(NULL, "Content-Type: application/sdp\r\nContent-Encoding: gzip\r\n", "1");
    struct str coding = sip_header_named(packet_parse(last("415")), STR("Accept-Encoding"))->value;
    assert_str(coding, "identity");
    end_after("415");
}

/* Within a call the same holds of extensions; a BYE is refused by nobody. */
static void an_extension_within_a_call(void **state)
{
    struct line agent;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, edge_kit_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, edge_kit_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last("200"));
    line_ack(&caller, 1);
    line_request(&caller, &(struct request){.method = "UPDATE", .headers = "Require: gruu\r\n"});
    assert_string_equal(says("420", SIP_H_UNSUPPORTED), "gruu");
    assert_null(edge_kit_last(AGENT_1, "UPDATE"));
    line_request(&caller, &(struct request){.method = "UPDATE", .headers = "Require: timer\r\n"});
    assert_str(sip_value(packet_parse(edge_kit_last(AGENT_1, "UPDATE")), SIP_H_REQUIRE), "timer");
    line_answer(&agent, edge_kit_last(AGENT_1, "UPDATE"), 200);
    line_request(&caller, &(struct request){.method = "BYE", .headers = "Require: gruu\r\n"});
    assert_null(sip_header(packet_parse(edge_kit_last(AGENT_1, "BYE")), SIP_H_REQUIRE, 0));
    line_answer(&agent, edge_kit_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_scheme),
        cmocka_unit_test(no_hops_left),
        cmocka_unit_test(each_unknown_extension_is_named),
        cmocka_unit_test(an_extension_of_any_length_is_refused),
        cmocka_unit_test(a_body_that_no_call_has),
        cmocka_unit_test(an_extension_within_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
