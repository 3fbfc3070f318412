/* Which legs of a call withhold who they are, and what the other leg gets of their messages. */
#include "check.h"
#include "line.h"

static struct line caller, agent;

#define SECRET "19175550100"
#define WITHHELD                                                                                   \
    "Privacy: id\r\nP-Asserted-Identity: <sip:+" SECRET "@carrier.example>\r\n"                    \
    "X-Caller: +" SECRET "\r\nX-Queue: gold\r\n"

static void invite(const char *headers)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "caller", "+447911120001");
    line_request(&caller,
                 &(struct request){.method = "INVITE", .headers = headers, .body = LINE_SDP});
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
}

static void talks(const char *headers)
{
    invite(headers);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
}

static void hang_up(void)
{
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

static bool says(const struct edge_packet *p, const char *text)
{
    return memmem(p->bytes, p->n, text, strlen(text)) != NULL;
}

static void who_says_who_it_is_is_passed_on(void **state)
{
    talks("X-Caller: +" SECRET "\r\n");
    assert_true(says(packet_last(AGENT_1, "INVITE"), "X-Caller: +" SECRET));
    line_request(&caller,
                 &(struct request){.method = "INFO", .headers = "X-Caller: +" SECRET "\r\n"});
    assert_true(says(packet_last(AGENT_1, "INFO"), "X-Caller: +" SECRET));
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up();
}

static void who_withholds_is_nobody_to_the_target(void **state)
{
    talks(WITHHELD);
    const struct edge_packet *p = packet_last(AGENT_1, "INVITE");
    assert_true(says(p, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>"));
    assert_true(says(p, "X-Queue: gold"));
    assert_false(says(p, SECRET));
    hang_up();
}

/* What was withheld once stays withheld, whatever later messages leave out. */
static void it_holds_for_the_whole_call(void **state)
{
    talks(WITHHELD);
    line_request(&caller,
                 &(struct request){.method = "INFO",
                                   .headers = "X-Caller: +" SECRET "\r\nX-Queue: silver\r\n"});
    assert_false(says(packet_last(AGENT_1, "INFO"), SECRET));
    assert_true(says(packet_last(AGENT_1, "INFO"), "X-Queue: silver"));
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up();
}

/* The numbers are not stored: after a restart nothing of the sender's own making passes. */
static void after_a_restart_its_numbers_are_unknown(void **state)
{
    talks(WITHHELD);
    assert_ok(edge_kit_restart());
    line_request(&caller,
                 &(struct request){.method = "INFO", .headers = "X-Caller: +" SECRET "\r\n"});
    assert_false(says(packet_last(AGENT_1, "INFO"), SECRET));
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up();
}

/* The called side may withhold, too, from the message on that says so. */
static void the_other_leg_may_withhold_later(void **state)
{
    talks("");
    line_request(&agent,
                 &(struct request){.method = "INFO",
                                   .headers = "P-Asserted-Identity: <sip:desk@a.example>\r\n"
                                              "X-Agent: desk\r\n"});
    assert_true(says(packet_last(CARRIER, "INFO"), "P-Asserted-Identity: <sip:desk@a.example>"));
    line_answer(&caller, packet_last(CARRIER, "INFO"), 200);
    line_request(&agent,
                 &(struct request){.method = "INFO",
                                   .headers = "Privacy: id\r\n"
                                              "P-Asserted-Identity: <sip:desk@a.example>\r\n"});
    assert_false(says(packet_last(CARRIER, "INFO"), "desk@a.example"));
    line_answer(&caller, packet_last(CARRIER, "INFO"), 200);
    line_request(&agent,
                 &(struct request){.method = "INFO",
                                   .headers = "P-Asserted-Identity: <sip:desk@a.example>\r\n"});
    assert_false(says(packet_last(CARRIER, "INFO"), "desk@a.example"));
    line_answer(&caller, packet_last(CARRIER, "INFO"), 200);
    line_request(&caller, /* and says nothing of the caller */
                 &(struct request){.method = "INFO", .headers = "X-Caller: +" SECRET "\r\n"});
    assert_true(says(packet_last(AGENT_1, "INFO"), SECRET));
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
    hang_up();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_who_it_is_is_passed_on),
        cmocka_unit_test(who_withholds_is_nobody_to_the_target),
        cmocka_unit_test(it_holds_for_the_whole_call),
        cmocka_unit_test(after_a_restart_its_numbers_are_unknown),
        cmocka_unit_test(the_other_leg_may_withhold_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
