/* The ids of the NOTIFYs that a REFER brings, on both legs (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

static void talk(struct line *caller, struct line *agent)
{
    edge_kit_begin(1);
    line_invite(caller, CARRIER, "+447911120001");
    line_of_invite(agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(caller, packet_last(CARRIER, "200"));
    line_ack(caller, 1);
}

static void hang_up(struct line *caller, struct line *agent)
{
    line_say(caller, "BYE");
    line_answer(agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* The line asks; gives the CSeq that the REFER has on the other leg. */
static uint32_t refer(struct line *asker, struct line *other, const char *to, uint32_t cseq)
{
    line_request(asker, &(struct request){.method = "REFER",
                                          .cseq = cseq,
                                          .headers = "Refer-To: <sip:+15550100@5.0.9.9>\r\n"});
    struct edge_packet *p = packet_last(to, "REFER");
    line_answer(other, p, 202);
    return p->cseq;
}

/* `from` says `method` with that Event; gives the Event that arrives at `to`. */
static const char *told(struct line *from, struct line *other, const char *method, const char *to,
                        const char *event)
{
    static char got[200];
    char header[200];
    snprintf(header, sizeof header, "Event: %s\r\nSubscription-State: active\r\n", event);
    line_request(from, &(struct request){.method = method, .headers = header});
    struct edge_packet *p = packet_last(to, method);
    snprintf(got, sizeof got, "%.*s", STR_FMT(sip_value(packet_parse(p), SIP_H_EVENT)));
    line_answer(other, p, 200);
    return got;
}

static void each_refer_has_its_own_id_on_each_leg(void **state)
{
    struct line caller, agent;
    char event[64], as_asked[64];
    talk(&caller, &agent);
    uint32_t first = refer(&agent, &caller, CARRIER, 21),
             second = refer(&agent, &caller, CARRIER, 25);
    assert_int_not_equal(first, 21);
    snprintf(event, sizeof event, "refer;id=%u", first);
    assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, event), "refer;id=21");
    snprintf(event, sizeof event, "Refer ; x=1;id=%u;y", second);
    assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, event), "Refer ; x=1;id=25;y");
    snprintf(as_asked, sizeof as_asked, "refer;id=%u", first);
    assert_string_equal(told(&agent, &caller, "SUBSCRIBE", CARRIER, "refer;id=21"), as_asked);
    hang_up(&caller, &agent);
}

static void other_events_pass_as_they_are(void **state)
{
    static const char *const as_is[] = {"refer", "refer;id=999", "refer;id=x", "talk;id=21",
                                        "refer;id=99999999999"};
    struct line caller, agent;
    talk(&caller, &agent);
    refer(&agent, &caller, CARRIER, 21);
    for (size_t i = 0; i < sizeof as_is / sizeof *as_is; i++)
        assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, as_is[i]), as_is[i]);
    /* The asker's own CSeq means nothing from the asker's side in a NOTIFY. */
    assert_string_equal(told(&agent, &caller, "NOTIFY", CARRIER, "refer;id=21"), "refer;id=21");
    hang_up(&caller, &agent);
}

/* A ninth takes the place of the first. */
static void the_oldest_is_forgotten(void **state)
{
    struct line caller, agent;
    uint32_t sent[9];
    char event[64];
    talk(&caller, &agent);
    for (uint32_t i = 0; i < 9; i++)
        sent[i] = refer(&agent, &caller, CARRIER, 100 + i);
    snprintf(event, sizeof event, "refer;id=%u", sent[8]);
    assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, event), "refer;id=108");
    snprintf(event, sizeof event, "refer;id=%u", sent[1]);
    assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, event), "refer;id=101");
    snprintf(event, sizeof event, "refer;id=%u", sent[0]);
    assert_string_equal(told(&caller, &agent, "NOTIFY", AGENT_1, event), event);
    hang_up(&caller, &agent);
}

/* Two calls of the account between the same two; the first's caller asks its callee to go to the
 * second's: the callee hears of that call as its own side knows it. */
static void a_refer_names_another_call_as_the_other_side_knows_it(void **state)
{
    struct line one, agent_one, two, agent_two;
    char header[2000], due[1000], got[1000];
    talk(&one, &agent_one);
    line_invite(&two, CARRIER, "+447911120001");
    line_of_invite(&agent_two, packet_last(AGENT_1, "INVITE"), "agent2");
    line_answer(&agent_two, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&two, packet_last(CARRIER, "200"));
    line_ack(&two, 1);
    const struct sip_msg *ok = packet_parse(packet_last(CARRIER, "200"));
    size_t at = str_find(ok->call_id, '@'); /* escaped: it ends a user part elsewhere */
    snprintf(header, sizeof header,
             "Refer-To: \"Two\" <sip:a@5.0.2.1?Subject=x&replaces=%.*s%%40%.*s%%3Bto-tag%%3D%.*s"
             "%%3Bfrom-tag%%3D%.*s>;x=1\r\n",
             STR_FMT(str_slice(ok->call_id, 0, at)), STR_FMT(str_from(ok->call_id, at + 1)),
             STR_FMT(ok->to.tag), STR_FMT(ok->from.tag));
    const struct sip_msg *invite = packet_parse(packet_last(AGENT_1, "INVITE"));
    snprintf(
        due, sizeof due,
        "\"Two\" <sip:a@5.0.2.1?Subject=x&replaces=%.*s%%3Bto-tag%%3Dagent2%%3Bfrom-tag%%3D%.*s"
        ">;x=1",
        STR_FMT(invite->call_id), STR_FMT(invite->from.tag));
    line_request(&one, &(struct request){.method = "REFER", .headers = header});
    const struct sip_msg *refer = packet_parse(packet_last(AGENT_1, "REFER"));
    snprintf(got, sizeof got, "%.*s", STR_FMT(sip_value(refer, SIP_H_REFER_TO)));
    assert_string_equal(got, due);
    line_answer(&agent_one, packet_last(AGENT_1, "REFER"), 202);
    line_say(&two, "BYE");
    line_answer(&agent_two, packet_last(AGENT_1, "BYE"), 200);
    /* That call is over: what is no call of ours passes as it is. */
    line_request(&one, &(struct request){.method = "REFER", .headers = header});
    refer = packet_parse(packet_last(AGENT_1, "REFER"));
    snprintf(got, sizeof got, "Refer-To: %.*s\r\n", STR_FMT(sip_value(refer, SIP_H_REFER_TO)));
    assert_string_equal(got, header);
    line_answer(&agent_one, packet_last(AGENT_1, "REFER"), 202);
    hang_up(&one, &agent_one);
}

/* Nor does it learn the ids of another tenant's call: what it names passes as it is. */
static void a_refer_names_no_call_of_another_account(void **state)
{
    struct line one, agent_one, two, agent_two;
    char header[2000], got[1000];
    talk(&one, &agent_one);
    line_invite(&two, CARRIER, "+447911120009"); /* account 2's */
    edge_kit_reply(edge_kit_question(edge_kit_questions() - 1), 200, "{\"action\":\"default\"}");
    line_of_invite(&agent_two, packet_last(AGENT_1, "INVITE"), "agent2");
    line_answer(&agent_two, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&two, packet_last(CARRIER, "200"));
    line_ack(&two, 1);
    const struct sip_msg *ok = packet_parse(packet_last(CARRIER, "200"));
    size_t at = str_find(ok->call_id, '@');
    snprintf(header, sizeof header,
             "Refer-To: <sip:a@5.0.2.1?Replaces=%.*s%%40%.*s%%3Bto-tag%%3D%.*s"
             "%%3Bfrom-tag%%3D%.*s>\r\n",
             STR_FMT(str_slice(ok->call_id, 0, at)), STR_FMT(str_from(ok->call_id, at + 1)),
             STR_FMT(ok->to.tag), STR_FMT(ok->from.tag));
    line_request(&one, &(struct request){.method = "REFER", .headers = header});
    const struct sip_msg *refer = packet_parse(packet_last(AGENT_1, "REFER"));
    snprintf(got, sizeof got, "Refer-To: %.*s\r\n", STR_FMT(sip_value(refer, SIP_H_REFER_TO)));
    assert_string_equal(got, header);
    line_answer(&agent_one, packet_last(AGENT_1, "REFER"), 202);
    line_say(&two, "BYE");
    line_answer(&agent_two, packet_last(AGENT_1, "BYE"), 200);
    hang_up(&one, &agent_one);
}

/* RFC 3891 §3: it is never a second call. */
static void an_invite_that_replaces_is_refused(void **state)
{
    struct line caller, other;
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "r", "+447911120001");
    line_request(&caller, &(struct request){.method = "INVITE",
                                            .headers = "Replaces: x@y;to-tag=1;from-tag=2\r\n",
                                            .body = LINE_SDP});
    packet_last(CARRIER, "481");
    line_new(&other, CARRIER, "s", "+447911120001");
    line_request(&other, &(struct request){.method = "INVITE",
                                           .headers = "Require: replaces\r\n"
                                                      "Replaces: x@y;to-tag=1;from-tag=2\r\n",
                                           .body = LINE_SDP});
    packet_last(CARRIER, "420");
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_refer_has_its_own_id_on_each_leg),
        cmocka_unit_test(other_events_pass_as_they_are),
        cmocka_unit_test(the_oldest_is_forgotten),
        cmocka_unit_test(a_refer_names_another_call_as_the_other_side_knows_it),
        cmocka_unit_test(a_refer_names_no_call_of_another_account),
        cmocka_unit_test(an_invite_that_replaces_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
