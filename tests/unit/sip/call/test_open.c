/* Requests within a call's dialogs: how many of each leg at once, when a place is free again, and
 * that none is left without an answer. */
#include "check.h"
#include "base/metrics.h"
#include "line.h"

static struct line caller, agent;

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

static void talks(void)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
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

static void each_leg_has_sixteen_places(void **state)
{
    talks();
    for (int i = 0; i < 20; i++)
        line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 16);
    assert_int_equal(count(CARRIER, "503"), 4);
    for (int i = 0; i < 20; i++)
        line_say(&agent, "INFO");
    assert_int_equal(count(CARRIER, "INFO"), 16);
    assert_int_equal(count(AGENT_1, "503"), 4);
    hang_up();
}

/* An answer that is absorbed, or an end by time, frees the place. */
static void a_place_is_free_when_its_request_is_answered(void **state)
{
    talks();
    for (int i = 0; i < 16; i++)
        line_say(&caller, "INFO");
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 16);
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 404);
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 17);
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 17);
    edge_kit_advance(30000); /* nobody answers the others */
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 18);
    hang_up();
}

/* A refused re-INVITE takes its place until the ACK: who never acknowledges gains nothing. */
static void a_refused_invite_keeps_its_place_until_the_ack(void **state)
{
    talks();
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 488);
    packet_last(CARRIER, "488");
    for (int i = 0; i < 16; i++)
        line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 15);
    line_ack_failure(&caller);
    line_say(&caller, "INFO");
    assert_int_equal(count(AGENT_1, "INFO"), 16);
    hang_up();
}

/* RFC 3261 §15.1.2: when the call ends each pending request is answered 487. */
static void the_end_answers_all_that_are_open(void **state)
{
    talks();
    for (int i = 0; i < 3; i++)
        line_say(&caller, "INFO");
    for (int i = 0; i < 2; i++)
        line_say(&agent, "INFO");
    line_answer(&agent, packet_last(AGENT_1, "INFO"), 200); /* the caller's third */
    line_say(&agent, "BYE");
    assert_int_equal(count(CARRIER, "487"), 2);
    assert_int_equal(count(AGENT_1, "487"), 2);
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_leg_has_sixteen_places),
        cmocka_unit_test(a_place_is_free_when_its_request_is_answered),
        cmocka_unit_test(a_refused_invite_keeps_its_place_until_the_ack),
        cmocka_unit_test(the_end_answers_all_that_are_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
