/* Proof of life: OPTIONS, and the second opinion by re-INVITE (tests/kit/edge_kit.h). Times are
 * those of the kit: T1 500 ms, sip.probe_s 60. */
#include "check.h"
#include "line.h"

enum { T1 = 500, SILENCE = 64 * T1, PROBE = 60000, WEAK = 6 * PROBE };

#define SDP(who)                                                                                   \
    "v=0\r\no=" who " 1 1 IN IP4 5.0.9.9\r\ns=-\r\nc=IN IP4 5.0.9.9\r\nt=0 0\r\n"                  \
    "m=audio 4000 RTP/AVP 8\r\n"

static struct line caller, agent;

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

static void talk_with(const char *headers_of_200)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "caller", "+447911120001");
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "agent", headers_of_200, SDP("agent"), false});
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
}

static void talk(void)
{
    talk_with(NULL);
}

/* Meanwhile the caller answers OPTIONS, and the agent does not. */
static void pass(int64_t ms)
{
    static const struct edge_packet *answered;
    while (ms > 0) {
        int64_t next = edge_kit_next_ms(), step = next > 0 && next < ms ? next : next ? ms : 1;
        edge_kit_advance(step);
        ms -= step;
        struct edge_packet *options = edge_kit_last(CARRIER, "OPTIONS");
        if (options && options != answered)
            line_answer(&caller, options, 200);
        answered = options;
    }
}

static void until_both_are_asked(void)
{
    unsigned before = count(AGENT_1, "OPTIONS");
    pass(PROBE);
    assert_int_equal(count(AGENT_1, "OPTIONS"), before + 1);
}

static struct edge_packet *until_the_agent_is_doubted(void)
{
    until_both_are_asked();
    pass(SILENCE);
    assert_int_equal(count(AGENT_1, "INVITE"), 2);
    return packet_last(AGENT_1, "INVITE");
}

static void hang_up(void)
{
    assert_string_equal(edge_kit_events(), "incoming_call call_answered");
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

static void is_lost(const char *hung_up)
{
    assert_string_equal(edge_kit_events(), "incoming_call call_answered call_ended");
    assert_non_null(edge_kit_last(hung_up, "BYE"));
    edge_kit_end();
}

/* ---- OPTIONS ---- */

static void each_leg_is_asked_after_its_own_silence(void **state)
{
    talk();
    edge_kit_advance(PROBE - 10000);
    line_say(&caller, "INFO"); /* the agent says nothing to it */
    edge_kit_advance(9999);
    assert_int_equal(count(AGENT_1, "OPTIONS"), 0);
    edge_kit_advance(1);
    assert_int_equal(count(AGENT_1, "OPTIONS"), 1);
    line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), 200);
    edge_kit_advance(PROBE - 10001);
    assert_int_equal(count(CARRIER, "OPTIONS"), 0);
    edge_kit_advance(1);
    assert_int_equal(count(CARRIER, "OPTIONS"), 1);
    line_answer(&caller, packet_last(CARRIER, "OPTIONS"), 200);
    assert_int_equal(count(AGENT_1, "OPTIONS"), 1);
    hang_up();
}

static void any_answer_but_481_and_408_is_life(void **state)
{
    static const int status[] = {200, 404, 405, 500, 501, 503};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        talk();
        until_both_are_asked();
        line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), status[i]);
        pass(PROBE - 1);
        assert_int_equal(count(AGENT_1, "OPTIONS"), 1);
        pass(1);
        assert_int_equal(count(AGENT_1, "OPTIONS"), 2);
        assert_int_equal(count(AGENT_1, "INVITE"), 1);
        line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), status[i]);
        hang_up();
    }
}

static void a_481_ends_the_call_at_once(void **state)
{
    talk();
    until_both_are_asked();
    line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), 481);
    is_lost(CARRIER);
}

/* ---- the second opinion ---- */

static void silence_to_options_is_no_death(void **state)
{
    talk();
    for (unsigned round = 0; round < 3; round++) {
        pass(PROBE + SILENCE - 1);
        assert_int_equal(count(AGENT_1, "INVITE"), 1 + round);
        pass(1);
        struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
        assert_int_equal(count(AGENT_1, "INVITE"), 2 + round);
        assert_str(packet_parse(invite)->body, SDP("caller"));
        line_answer(&agent, invite, 200);
        assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, invite->cseq);
        assert_int_equal(packet_parse(packet_last(AGENT_1, "ACK"))->body.n, 0);
    }
    assert_int_equal(count(CARRIER, "INVITE"), 0); /* nothing passes to the other leg */
    hang_up();
}

static void each_2xx_of_a_second_opinion_is_acknowledged(void **state)
{
    talk();
    struct edge_packet *invite = until_the_agent_is_doubted();
    line_answer(&agent, invite, 200);
    line_answer(&agent, invite, 200);
    assert_int_equal(count(AGENT_1, "ACK"), 3);
    hang_up();
}

static void a_408_is_silence(void **state)
{
    talk();
    until_both_are_asked();
    line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), 408);
    packet_last(AGENT_1, "INVITE");
    assert_int_equal(count(AGENT_1, "INVITE"), 2);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    hang_up();
}

static void silence_to_the_second_opinion_is_death(void **state)
{
    talk();
    until_the_agent_is_doubted();
    edge_kit_advance(SILENCE - 1);
    assert_string_equal(edge_kit_events(), "incoming_call call_answered");
    edge_kit_advance(1);
    is_lost(CARRIER);
}

static void the_second_opinion_can_be_481_or_408(void **state)
{
    for (int status = 408; status <= 481; status += 481 - 408) {
        talk();
        line_answer(&agent, until_the_agent_is_doubted(), status);
        is_lost(CARRIER);
    }
}

static void any_other_answer_to_it_is_life(void **state)
{
    static const int status[] = {488, 491, 500, 503};
    for (size_t i = 0; i < sizeof status / sizeof *status; i++) {
        talk();
        line_answer(&agent, until_the_agent_is_doubted(), status[i]);
        packet_last(AGENT_1, "ACK");
        hang_up();
    }
}

/* A peer that lost the call takes the re-INVITE for a new one. */
static void a_2xx_with_another_tag_is_a_new_call(void **state)
{
    struct edge_packet *invite;
    talk();
    invite = until_the_agent_is_doubted();
    packet_answer(invite, &(struct response){200, "new", NULL, SDP("new"), true});
    is_lost(CARRIER);
    assert_int_equal(packet_last(AGENT_1, "ACK")->to_tag, hash64(STR("new")));
    assert_int_equal(count(AGENT_1, "BYE"), 2); /* of the old dialog, and of the new one */
}

static void a_peer_that_rings_under_another_tag_began_a_new_call(void **state)
{
    talk();
    struct edge_packet *invite = until_the_agent_is_doubted();
    line_answer(&agent, invite, 100);
    assert_int_equal(count(AGENT_1, "CANCEL"), 0);
    packet_answer(invite, &(struct response){180, "new", NULL, NULL, true});
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    is_lost(CARRIER);
}

static void a_peer_that_only_rings_is_not_in_the_call(void **state)
{
    talk();
    struct edge_packet *invite = until_the_agent_is_doubted();
    for (int s = 0; s < SILENCE / 1000; s++) {
        line_answer(&agent, invite, 180);
        edge_kit_advance(1000);
    }
    assert_int_equal(count(AGENT_1, "CANCEL"), 0);
    line_answer(&agent, invite, 180);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    is_lost(CARRIER);
}

static void one_180_and_silence(void **state)
{
    talk();
    line_answer(&agent, until_the_agent_is_doubted(), 180);
    edge_kit_advance(SILENCE);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    is_lost(CARRIER);
}

/* ---- weak signs of life ---- */

/* Some answer 200 to any OPTIONS: after six rounds they have to know the dialog. */
static void an_answer_to_options_is_a_weak_sign_of_life(void **state)
{
    talk();
    for (unsigned round = 1; round < 6; round++) {
        until_both_are_asked();
        line_answer(&agent, packet_last(AGENT_1, "OPTIONS"), 200);
        assert_int_equal(count(AGENT_1, "OPTIONS"), round);
    }
    line_say(&caller, "NOTIFY"); /* the carrier proves that it is there */
    line_answer(&agent, packet_last(AGENT_1, "NOTIFY"), 405);
    assert_int_equal(count(AGENT_1, "INVITE"), 1);
    pass(PROBE);
    assert_int_equal(count(CARRIER, "INVITE"), 0);
    assert_int_equal(count(AGENT_1, "INVITE"), 2);
    assert_int_equal(count(AGENT_1, "OPTIONS"), 5);
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "new", NULL, SDP("new"), true});
    is_lost(CARRIER);
}

/* Keep-alives of one side that the other answers without knowing the dialog. */
static void the_other_sides_traffic_proves_nothing(void **state)
{
    talk();
    for (int i = 0; i < WEAK / 30000; i++) {
        line_say(&caller, "INFO");
        line_answer(&agent, packet_last(AGENT_1, "INFO"), 200);
        assert_int_equal(count(AGENT_1, "INVITE"), 1);
        edge_kit_advance(30000);
    }
    assert_int_equal(count(AGENT_1, "INVITE"), 2);
    assert_int_equal(count(CARRIER, "INVITE"), 0);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 481);
    is_lost(CARRIER);
}

/* RFC 4028: a re-INVITE of ours would move the refreshes. */
static void a_session_timer_is_proof_enough(void **state)
{
    talk_with("Session-Expires: 600;refresher=uac\r\n");
    pass(PROBE + SILENCE);
    assert_int_equal(count(AGENT_1, "INVITE"), 1);
    for (int refresh = 0; refresh < 3; refresh++) {
        line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
        packet_answer(packet_last(AGENT_1, "INVITE"),
                      &(struct response){200, "agent", "Session-Expires: 600;refresher=uac\r\n",
                                         SDP("agent"), false});
        line_ack(&caller, caller.invite_cseq);
        pass(300000);
        assert_int_equal(count(AGENT_1, "INVITE"), 2 + refresh);
    }
    pass(300000 + SILENCE - 1); /* they stop: the last was 300 s ago */
    assert_int_equal(count(AGENT_1, "INVITE"), 4);
    assert_int_equal(count(CARRIER, "INVITE"), 0);
    pass(1);
    line_answer(&caller, packet_last(CARRIER, "INVITE"), 200);
    pass(SILENCE); /* its OPTIONS is out */
    assert_int_equal(count(AGENT_1, "INVITE"), 5);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 481);
    is_lost(CARRIER);
}

/* ---- the way to a leg ---- */

static void two_invites_do_not_cross(void **state)
{
    talk();
    struct edge_packet *invite = until_the_agent_is_doubted();
    line_request(&agent, &(struct request){.method = "INVITE", .body = SDP("agent")});
    assert_int_equal(packet_last(AGENT_1, "491")->cseq, agent.invite_cseq);
    line_ack_failure(&agent);
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
    assert_int_equal(packet_last(CARRIER, "491")->cseq, caller.invite_cseq);
    line_ack_failure(&caller);
    line_answer(&agent, invite, 491);
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
    assert_ptr_not_equal(packet_last(AGENT_1, "INVITE"), invite);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&caller, caller.invite_cseq);
    hang_up();
}

static void it_waits_for_an_invite_under_way(void **state)
{
    talk();
    pass(PROBE + SILENCE - 1000);
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
    struct edge_packet *passed = packet_last(AGENT_1, "INVITE");
    edge_kit_advance(1000);
    assert_ptr_equal(packet_last(AGENT_1, "INVITE"), passed);
    line_answer(&agent, passed, 488);
    line_ack_failure(&caller);
    pass(4999);
    assert_ptr_equal(packet_last(AGENT_1, "INVITE"), passed);
    pass(1);
    assert_ptr_not_equal(packet_last(AGENT_1, "INVITE"), passed);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    hang_up();
}

/* ---- the session as it is ---- */

static void a_changed_session_is_the_one_that_is_repeated(void **state)
{
    talk();
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("held")});
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "agent", NULL, SDP("holds"), false});
    line_ack(&caller, caller.invite_cseq);
    line_request(&agent, &(struct request){.method = "INVITE", .body = SDP("refused")});
    line_answer(&caller, packet_last(CARRIER, "INVITE"), 488);
    line_ack_failure(&agent);
    edge_kit_advance(PROBE + SILENCE); /* nobody answers OPTIONS */
    assert_str(packet_parse(packet_last(AGENT_1, "INVITE"))->body, SDP("held"));
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    edge_kit_advance(5000);
    assert_str(packet_parse(packet_last(CARRIER, "INVITE"))->body, SDP("holds"));
    line_answer(&caller, packet_last(CARRIER, "INVITE"), 200);
    hang_up();
}

static void a_late_offer_is_the_session(void **state)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "caller", "+447911120001");
    line_say(&caller, "INVITE");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "agent", NULL, SDP("agent"), false});
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_request(&caller, &(struct request){.method = "ACK", .cseq = 1, .body = SDP("caller")});
    edge_kit_advance(PROBE + SILENCE);
    assert_str(packet_parse(packet_last(CARRIER, "INVITE"))->body, SDP("agent"));
    line_answer(&caller, packet_last(CARRIER, "INVITE"), 200);
    edge_kit_advance(5000);
    assert_str(packet_parse(packet_last(AGENT_1, "INVITE"))->body, SDP("caller"));
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    hang_up();
}

static void without_a_session_it_is_an_update(void **state)
{
    talk_with(NULL);
    line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("caller")});
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "agent", NULL, NULL, false});
    line_ack(&caller, caller.invite_cseq);
    pass(PROBE + SILENCE);
    assert_int_equal(packet_parse(packet_last(AGENT_1, "UPDATE"))->body.n, 0);
    line_answer(&agent, packet_last(AGENT_1, "UPDATE"), 405);
    until_both_are_asked();
    pass(SILENCE);
    line_answer(&agent, packet_last(AGENT_1, "UPDATE"), 481);
    is_lost(CARRIER);
}

static void a_withheld_caller_stays_withheld(void **state)
{
    edge_kit_begin(1);
    line_new(&caller, CARRIER, "caller", "+447911120001");
    line_request(
        &caller,
        &(struct request){.method = "INVITE", .headers = "Privacy: id\r\n", .body = SDP("Alice")});
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    assert_str(packet_parse(until_the_agent_is_doubted())->body, SDP("-"));
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    hang_up();
}

/* ---- after a restart ---- */

static void after_a_restart_the_session_is_in_the_row(void **state)
{
    for (int changed = 0; changed < 2; changed++) {
        talk();
        if (changed) {
            line_request(&caller, &(struct request){.method = "INVITE", .body = SDP("held")});
            line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
            line_ack(&caller, caller.invite_cseq);
        }
        assert_ok(edge_kit_restart());
        pass(2000 + SILENCE);
        struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
        assert_str(packet_parse(invite)->body, changed ? SDP("held") : SDP("caller"));
        line_answer(&agent, invite, 200);
        assert_int_equal(packet_last(AGENT_1, "ACK")->cseq, invite->cseq);
        hang_up();
    }
}

static void after_a_restart_a_peer_that_lost_the_call_is_found(void **state)
{
    talk();
    assert_ok(edge_kit_restart());
    pass(2000 + SILENCE);
    packet_answer(packet_last(AGENT_1, "INVITE"),
                  &(struct response){200, "new", NULL, SDP("new"), true});
    is_lost(CARRIER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_leg_is_asked_after_its_own_silence),
        cmocka_unit_test(any_answer_but_481_and_408_is_life),
        cmocka_unit_test(a_481_ends_the_call_at_once),
        cmocka_unit_test(silence_to_options_is_no_death),
        cmocka_unit_test(each_2xx_of_a_second_opinion_is_acknowledged),
        cmocka_unit_test(a_408_is_silence),
        cmocka_unit_test(silence_to_the_second_opinion_is_death),
        cmocka_unit_test(the_second_opinion_can_be_481_or_408),
        cmocka_unit_test(any_other_answer_to_it_is_life),
        cmocka_unit_test(a_2xx_with_another_tag_is_a_new_call),
        cmocka_unit_test(a_peer_that_rings_under_another_tag_began_a_new_call),
        cmocka_unit_test(a_peer_that_only_rings_is_not_in_the_call),
        cmocka_unit_test(one_180_and_silence),
        cmocka_unit_test(an_answer_to_options_is_a_weak_sign_of_life),
        cmocka_unit_test(the_other_sides_traffic_proves_nothing),
        cmocka_unit_test(a_session_timer_is_proof_enough),
        cmocka_unit_test(two_invites_do_not_cross),
        cmocka_unit_test(it_waits_for_an_invite_under_way),
        cmocka_unit_test(a_changed_session_is_the_one_that_is_repeated),
        cmocka_unit_test(a_late_offer_is_the_session),
        cmocka_unit_test(without_a_session_it_is_an_update),
        cmocka_unit_test(a_withheld_caller_stays_withheld),
        cmocka_unit_test(after_a_restart_the_session_is_in_the_row),
        cmocka_unit_test(after_a_restart_a_peer_that_lost_the_call_is_found),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
