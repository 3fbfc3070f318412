/* A call over connections that break: what is asked within it goes again, and nothing ends it
 * (tests/kit/edge_kit.h). Times are those of the kit: T1 500 ms, sip.probe_s 60. */
#include "base/clock.h"
#include "check.h"
#include "line.h"

enum { T1 = 500, PROBE_MS = 60000 };

static struct line caller, agent;

/* The newest connection to the agent. */
static uint32_t stream(void)
{
    struct still_stream s[8];
    size_t n = still_streams(s, 8);
    assert_in_range(n, 1, 8);
    return s[0].id;
}

static void open_stream(void)
{
    assert_true(still_stream_open(stream()));
    edge_kit_turn();
}

static void end_stream(enum err why)
{
    assert_true(still_stream_end(stream(), why));
    edge_kit_turn();
}

static bool is_connected(void)
{
    struct still_stream s;
    return still_streams(&s, 1) > 0;
}

/* The agent is reached by TCP. */
static void talk(void)
{
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120002");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 486);
    open_stream();
    line_of_invite(&agent, packet_last(AGENT_2, "INVITE"), "two");
    line_answer(&agent, packet_last(AGENT_2, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
}

#define UP "incoming_call call_forward_failed call_answered"

static void hang_up(void)
{
    assert_string_equal(edge_kit_events(), UP);
    line_say(&caller, "BYE");
    if (!edge_kit_last(AGENT_2, "BYE"))
        open_stream();
    line_answer(&agent, packet_last(AGENT_2, "BYE"), 200);
    assert_string_equal(edge_kit_events(), UP " call_ended");
    edge_kit_end();
}

static void a_bye_goes_again_over_a_new_connection(void **state)
{
    talk();
    line_say(&caller, "BYE");
    uint32_t first = packet_last(AGENT_2, "BYE")->stream;
    assert_string_equal(edge_kit_events(), UP " call_ended");
    packet_last(CARRIER, "200");
    end_stream(ERR_RESET);
    edge_kit_advance(T1 - 1);
    assert_false(is_connected());
    edge_kit_advance(1);
    assert_int_not_equal(stream(), first);
    assert_int_equal(packet_last(AGENT_2, "BYE")->repeats, 0);
    open_stream();
    assert_int_equal(packet_last(AGENT_2, "BYE")->repeats, 1);
    packet_last(AGENT_2, "BYE")->stream = stream();
    line_answer(&agent, packet_last(AGENT_2, "BYE"), 200);
    edge_kit_advance(64 * T1);
    assert_int_equal(packet_last(AGENT_2, "BYE")->repeats, 1);
    edge_kit_end();
}

/* The call has ended; its BYE goes on. */
static void a_bye_is_tried_while_nobody_listens(void **state)
{
    talk();
    end_stream(ERR_CLOSED);
    line_say(&caller, "BYE");
    int64_t said_ms = clock_mono_ms();
    unsigned tries = 1;
    assert_string_equal(edge_kit_events(), UP " call_ended");
    for (; tries < 11; tries++) {
        end_stream(ERR_UNREACHABLE);
        while (!is_connected())
            edge_kit_advance(T1);
    }
    assert_int_equal(clock_mono_ms() - said_ms, 31500);
    assert_null(edge_kit_last(AGENT_2, "BYE"));
    open_stream();
    line_answer(&agent, packet_last(AGENT_2, "BYE"), 200);
    edge_kit_end();
}

static void a_request_goes_again_and_its_answer_passes(void **state)
{
    talk();
    line_say(&caller, "INFO");
    struct edge_packet *info = packet_last(AGENT_2, "INFO");
    end_stream(ERR_RESET);
    edge_kit_advance(T1);
    open_stream();
    assert_int_equal(info->repeats, 1);
    info->stream = agent.stream = stream();
    line_answer(&agent, info, 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, caller.cseq);
    hang_up();
}

static void a_request_that_never_leaves_ends_no_dialog(void **state)
{
    talk();
    end_stream(ERR_RESET);
    line_say(&caller, "INFO");
    edge_kit_advance(60 * T1 - 1);
    assert_null(edge_kit_last(CARRIER, "504"));
    edge_kit_advance(1);
    assert_int_equal(packet_last(CARRIER, "504")->cseq, caller.cseq);
    edge_kit_advance(4 * T1);
    end_stream(ERR_UNREACHABLE);
    hang_up();
}

/* 408 and 481 alone would end the asker's dialog (§12.2.1.2). */
static void a_reinvite_that_never_leaves_fails_with_503(void **state)
{
    talk();
    end_stream(ERR_RESET);
    line_request(&caller, &(struct request){.method = "INVITE", .body = LINE_SDP});
    edge_kit_advance(64 * T1 - 1);
    assert_null(edge_kit_last(CARRIER, "503"));
    edge_kit_advance(1);
    assert_int_equal(packet_last(CARRIER, "503")->cseq, caller.invite_cseq);
    line_ack_failure(&caller);
    end_stream(ERR_UNREACHABLE);
    hang_up();
}

/* Its peer's program is gone, and so is its port: OPTIONS never leaves. */
static void a_leg_that_is_never_reached_is_lost(void **state)
{
    talk();
    end_stream(ERR_CLOSED);
    edge_kit_advance(PROBE_MS);
    line_answer(&caller, packet_last(CARRIER, "OPTIONS"), 200);
    int64_t asked_ms = clock_mono_ms();
    while (clock_mono_ms() < asked_ms + 64 * T1 - 1) {
        if (is_connected())
            end_stream(ERR_UNREACHABLE);
        edge_kit_advance(1);
    }
    assert_string_equal(edge_kit_events(), UP);
    edge_kit_advance(1);
    assert_string_equal(edge_kit_events(), UP " call_ended");
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    edge_kit_end();
}

/* ---- is anybody still there? ---- */

static void a_reset_makes_the_leg_be_asked_at_once(void **state)
{
    talk();
    edge_kit_advance(10000);
    end_stream(ERR_RESET);
    edge_kit_advance(2);
    open_stream();
    packet_last(AGENT_2, "OPTIONS");
    assert_null(edge_kit_last(CARRIER, "OPTIONS")); /* its own leg is by UDP */
    line_answer(&agent, packet_last(AGENT_2, "OPTIONS"), 200);
    edge_kit_advance(PROBE_MS / 2);
    hang_up();
}

static void a_peer_that_lost_the_call_with_its_connection_ends_it(void **state)
{
    talk();
    end_stream(ERR_RESET);
    edge_kit_advance(2);
    open_stream();
    line_answer(&agent, packet_last(AGENT_2, "OPTIONS"), 481);
    assert_string_equal(edge_kit_events(), UP " call_ended");
    line_answer(&caller, packet_last(CARRIER, "BYE"), 200);
    line_answer(&agent, packet_last(AGENT_2, "BYE"), 481);
    edge_kit_end();
}

/* Idle connections are closed by everybody. */
static void an_orderly_close_asks_nothing(void **state)
{
    talk();
    end_stream(ERR_CLOSED);
    edge_kit_advance(PROBE_MS - 1);
    assert_false(is_connected());
    hang_up();
}

/* While a question is open it goes again by its own timer; a peer that breaks each connection is not
 * asked faster for that. */
static void who_breaks_each_connection_is_not_asked_faster(void **state)
{
    unsigned n = 0;
    talk();
    for (int64_t ms = 0; ms < 8 * T1; ms++) {
        if (is_connected()) {
            struct still_stream s;
            still_streams(&s, 1);
            if (!s.open)
                open_stream();
            n++;
            end_stream(ERR_RESET);
        }
        edge_kit_advance(1);
    }
    assert_int_equal(n, 5); /* the call's own; at once, and after 1, 2 and 4 × T1 */
    edge_kit_advance(8 * T1);
    open_stream();
    line_answer(&agent, packet_last(AGENT_2, "OPTIONS"), 200);
    hang_up();
}

/* After a new connection was made, the dialog still names the first one. */
static void a_later_connection_of_the_leg_counts_too(void **state)
{
    talk();
    end_stream(ERR_CLOSED);
    line_say(&caller, "INFO");
    end_stream(ERR_UNREACHABLE);
    edge_kit_advance(T1); /* the INFO goes again */
    open_stream();
    packet_last(AGENT_2, "INFO")->stream = stream();
    line_answer(&agent, packet_last(AGENT_2, "INFO"), 200);
    end_stream(ERR_RESET);
    edge_kit_advance(2);
    open_stream();
    line_answer(&agent, packet_last(AGENT_2, "OPTIONS"), 200);
    hang_up();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bye_goes_again_over_a_new_connection),
        cmocka_unit_test(a_bye_is_tried_while_nobody_listens),
        cmocka_unit_test(a_request_goes_again_and_its_answer_passes),
        cmocka_unit_test(a_request_that_never_leaves_ends_no_dialog),
        cmocka_unit_test(a_reinvite_that_never_leaves_fails_with_503),
        cmocka_unit_test(a_leg_that_is_never_reached_is_lost),
        cmocka_unit_test(a_reset_makes_the_leg_be_asked_at_once),
        cmocka_unit_test(a_peer_that_lost_the_call_with_its_connection_ends_it),
        cmocka_unit_test(an_orderly_close_asks_nothing),
        cmocka_unit_test(who_breaks_each_connection_is_not_asked_faster),
        cmocka_unit_test(a_later_connection_of_the_leg_counts_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
