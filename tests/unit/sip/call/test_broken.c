/* A call over connections that break: what is asked within it goes again, and nothing ends it
 * (tests/kit/edge_kit.h). Times are those of the kit: T1 500 ms, sip.probe_s 60. */
#include "base/clock.h"
#include "check.h"
#include "line.h"

enum { T1 = 500, PROBE_MS = 60000 };

static struct line caller, agent;

static struct edge_packet *last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p)
        fail_msg("no %s went to %s", what, to);
    return p;
}

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
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, last(AGENT_1, "INVITE"), 486);
    open_stream();
    line_of_invite(&agent, last(AGENT_2, "INVITE"), "two");
    line_answer(&agent, last(AGENT_2, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
}

#define UP "incoming_call call_forward_failed call_answered"

static void hang_up(void)
{
    assert_string_equal(edge_kit_events(), UP);
    line_say(&caller, "BYE");
    if (!edge_kit_last(AGENT_2, "BYE"))
        open_stream();
    line_answer(&agent, last(AGENT_2, "BYE"), 200);
    assert_string_equal(edge_kit_events(), UP " call_ended");
    edge_kit_end();
}

static void a_bye_goes_again_over_a_new_connection(void **state)
{
    talk();
    line_say(&caller, "BYE");
    uint32_t first = last(AGENT_2, "BYE")->stream;
    assert_string_equal(edge_kit_events(), UP " call_ended");
    last(CARRIER, "200");
    end_stream(ERR_RESET);
    edge_kit_advance(T1 - 1);
    assert_false(is_connected());
    edge_kit_advance(1);
    assert_int_not_equal(stream(), first);
    assert_int_equal(last(AGENT_2, "BYE")->repeats, 0);
    open_stream();
    assert_int_equal(last(AGENT_2, "BYE")->repeats, 1);
    last(AGENT_2, "BYE")->stream = stream();
    line_answer(&agent, last(AGENT_2, "BYE"), 200);
    edge_kit_advance(64 * T1);
    assert_int_equal(last(AGENT_2, "BYE")->repeats, 1);
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
    line_answer(&agent, last(AGENT_2, "BYE"), 200);
    edge_kit_end();
}

static void a_request_goes_again_and_its_answer_passes(void **state)
{
    talk();
    line_say(&caller, "INFO");
    struct edge_packet *info = last(AGENT_2, "INFO");
    end_stream(ERR_RESET);
    edge_kit_advance(T1);
    open_stream();
    assert_int_equal(info->repeats, 1);
    info->stream = agent.stream = stream();
    line_answer(&agent, info, 200);
    assert_int_equal(last(CARRIER, "200")->cseq, caller.cseq);
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
    assert_int_equal(last(CARRIER, "504")->cseq, caller.cseq);
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
    assert_int_equal(last(CARRIER, "503")->cseq, caller.invite_cseq);
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
    line_answer(&caller, last(CARRIER, "OPTIONS"), 200);
    int64_t asked_ms = clock_mono_ms();
    while (clock_mono_ms() < asked_ms + 64 * T1 - 1) {
        if (is_connected())
            end_stream(ERR_UNREACHABLE);
        edge_kit_advance(1);
    }
    assert_string_equal(edge_kit_events(), UP);
    edge_kit_advance(1);
    assert_string_equal(edge_kit_events(), UP " call_ended");
    line_answer(&caller, last(CARRIER, "BYE"), 200);
    edge_kit_end();
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
