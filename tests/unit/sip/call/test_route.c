/* The way through a target's addresses and a number's targets, each step at its own time
 * (tests/kit/edge_kit.h). */
#include <errno.h>

#include "base/clock.h"
#include "check.h"
#include "line.h"

static struct addr addr(const char *text)
{
    struct addr a;
    assert_ok(addr_parse(str_of(text), 5060, &a));
    return a;
}

/* The name that is looked up has these two addresses, by UDP. */
static void resolve_to(const char *first, const char *second)
{
    struct still_lookup l[4];
    assert_int_equal(still_lookups(l, 4), 1);
    struct resolved r = {.n = second ? 2 : 1};
    r.addr[0] = addr(first);
    r.transport[0] = r.transport[1] = RESOLVE_UDP;
    if (second)
        r.addr[1] = addr(second);
    assert_true(still_answer(l[0].id, &r));
    edge_kit_turn();
}

static void begin(struct line *caller, const char *number)
{
    edge_kit_begin(1);
    line_invite(caller, CARRIER, number);
}

static void give_up(struct line *caller)
{
    line_cancel(caller);
    line_ack_failure(caller);
    edge_kit_end();
}

/* What the network heard of that message. */
static void icmp(const struct edge_packet *p, const char *to, size_t quoted)
{
    const struct addr edge = addr(EDGE), peer = addr(to);
    assert_true(
        still_icmp(&edge, &peer, ECONNREFUSED, str_slice(str_of_bytes(p->bytes, p->n), 0, quoted)));
    edge_kit_advance(1);
}

/* RFC 3263 §4.3: 503 is about that server. */
static void after_503_the_next_address_is_asked_at_once(void **state)
{
    struct line caller, agent;
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
    int64_t at_ms = clock_mono_ms();
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 503);
    packet_last(AGENT_1, "ACK");
    assert_int_equal(packet_last(AGENT_2, "INVITE")->at_ms, at_ms);
    line_of_invite(&agent, packet_last(AGENT_2, "INVITE"), "two");
    line_answer(&agent, packet_last(AGENT_2, "INVITE"),
                180); /* the same target rings: told already */
    line_answer(&agent, packet_last(AGENT_2, "INVITE"), 486); /* a final answer is the target's */
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing call_forward_failed");
    give_up(&caller);
}

/* Proxies and some telephones say 100 first. */
static void ringing_is_told_once_also_behind_a_100(void **state)
{
    struct line caller, agent;
    begin(&caller, "+447911120001");
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 100);
    assert_string_equal(edge_kit_events(), "incoming_call");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 183);
    assert_string_equal(edge_kit_events(), "incoming_call");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 180);
    assert_string_equal(edge_kit_events(), "incoming_call call_ringing");
    line_cancel(&caller);
    line_answer(&agent, packet_last(AGENT_1, "CANCEL"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 487);
    line_ack_failure(&caller);
    edge_kit_end();
}

/* What another final answer says is about the call, not about the server. */
static void after_another_refusal_no_address_is_asked(void **state)
{
    struct line caller, agent;
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    line_of_invite(&agent, packet_last(AGENT_1, "INVITE"), "one");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 500);
    assert_null(edge_kit_last(AGENT_2, "INVITE"));
    give_up(&caller);
}

static void the_503_of_the_last_address_is_the_targets(void **state)
{
    static const struct response busy = {.status = 503, .tag = "one", .headers = "X-Why: full\r\n"};
    struct line caller;
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, NULL);
    packet_answer(packet_last(AGENT_1, "INVITE"), &busy);
    assert_int_equal(edge_kit_packets() > 0 && edge_kit_last(AGENT_2, "INVITE") != NULL, 0);
    give_up(&caller);
}

/* Nobody listens: the answer to that costs no 32 seconds. */
static void where_nobody_listens_the_next_address_is_asked_at_once(void **state)
{
    struct line caller, agent;
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    int64_t at_ms = clock_mono_ms();
    icmp(packet_last(AGENT_1, "INVITE"), AGENT_1, 500);
    assert_in_range(packet_last(AGENT_2, "INVITE")->at_ms, at_ms, at_ms + 1);
    line_of_invite(&agent, packet_last(AGENT_2, "INVITE"), "two");
    line_answer(&agent, packet_last(AGENT_2, "INVITE"), 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_say(&caller, "BYE");
    line_answer(&agent, packet_last(AGENT_2, "BYE"), 200);
    edge_kit_end();
}

/* Anybody can send such a message: only who saw the INVITE knows its branch, and one that was heard
 * is not undone. */
static void a_forged_icmp_message_changes_nothing(void **state)
{
    struct line caller, agent;
    char other[4096];
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    struct edge_packet *invite = packet_last(AGENT_1, "INVITE");
    icmp(invite, AGENT_1, 0);  /* quotes nothing */
    icmp(invite, AGENT_1, 60); /* ends before the branch does */
    icmp(invite, AGENT_2, 500);
    struct edge_packet forged = *invite;
    assert_true(forged.n < sizeof other);
    memcpy(other, invite->bytes, invite->n);
    char *branch = strstr(other, "branch=z9hG4bK");
    assert_non_null(branch);
    branch[30] = branch[30] == 'a' ? 'b' : 'a';
    forged.bytes = other;
    icmp(&forged, AGENT_1, 500);
    assert_null(edge_kit_last(AGENT_2, "INVITE"));
    line_of_invite(&agent, invite, "one");
    line_answer(&agent, invite, 180);
    icmp(invite, AGENT_1, 500); /* too late: it rings there */
    assert_null(edge_kit_last(AGENT_2, "INVITE"));
    line_answer(&agent, invite, 200);
    line_learn(&caller, packet_last(CARRIER, "200"));
    line_ack(&caller, 1);
    line_say(&caller, "BYE");
    icmp(packet_last(AGENT_1, "BYE"), AGENT_1,
         500); /* within a dialog it is repeated, 64 × T1 long */
    edge_kit_advance(500);
    assert_int_equal(packet_last(AGENT_1, "BYE")->repeats, 1);
    line_answer(&agent, packet_last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

/* Three seconds of silence are all that the number's first target gets. */
static void the_ring_timeout_is_the_targets_own(void **state)
{
    struct line caller;
    struct still_lookup l[4];
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, NULL);
    edge_kit_advance(2999);
    assert_int_equal(still_lookups(l, 4), 0);
    edge_kit_advance(1);
    assert_int_equal(still_lookups(l, 4), 1);
    assert_string_equal(l[0].host, "others.example");
    resolve_to(AGENT_2, NULL);
    edge_kit_advance(19999);
    assert_null(edge_kit_last(CARRIER, "480"));
    edge_kit_advance(1);
    packet_last(CARRIER, "480");
    line_ack_failure(&caller);
    edge_kit_end();
}

/* The next address begins a time of its own no more than the target has: they share one. */
static void the_addresses_of_a_target_share_its_ring_timeout(void **state)
{
    struct line caller;
    struct still_lookup l[4];
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    edge_kit_advance(2000);
    icmp(packet_last(AGENT_1, "INVITE"), AGENT_1, 500);
    packet_last(AGENT_2, "INVITE");
    edge_kit_advance(998);
    assert_int_equal(still_lookups(l, 4), 0);
    edge_kit_advance(1);
    assert_int_equal(still_lookups(l, 4), 1);
    give_up(&caller);
}

/* The look-up's answer: the first address by TCP, the second by UDP. */
static void resolve_to_tcp_and_udp(void)
{
    struct still_lookup l[4];
    assert_int_equal(still_lookups(l, 4), 1);
    struct resolved r = {.n = 2, .transport = {RESOLVE_TCP, RESOLVE_UDP}};
    r.addr[0] = addr(AGENT_1);
    r.addr[1] = addr(AGENT_2);
    assert_true(still_answer(l[0].id, &r));
    edge_kit_turn();
}

static uint32_t only_stream(void)
{
    struct still_stream s[2];
    assert_int_equal(still_streams(s, 2), 1);
    return s[0].id;
}

static void where_the_connection_is_refused_the_next_address_is_asked_at_once(void **state)
{
    struct line caller;
    begin(&caller, "+447911120003");
    resolve_to_tcp_and_udp();
    edge_kit_advance(10);
    int64_t at_ms = clock_mono_ms();
    assert_null(edge_kit_last(AGENT_2, "INVITE"));
    assert_true(still_stream_end(only_stream(), ERR_UNREACHABLE));
    edge_kit_advance(1);
    assert_in_range(packet_last(AGENT_2, "INVITE")->at_ms, at_ms, at_ms + 1);
    assert_null(edge_kit_last(AGENT_1, "INVITE"));
    assert_string_equal(edge_kit_events(), "incoming_call"); /* the target has not failed */
    give_up(&caller);
}

/* It had the INVITE, and may have been about to ring. */
static void where_the_connection_breaks_the_next_address_is_asked_at_once(void **state)
{
    struct line caller;
    begin(&caller, "+447911120003");
    resolve_to_tcp_and_udp();
    assert_true(still_stream_open(only_stream()));
    edge_kit_turn();
    packet_last(AGENT_1, "INVITE");
    int64_t at_ms = clock_mono_ms();
    assert_true(still_stream_end(only_stream(), ERR_RESET));
    edge_kit_advance(1);
    assert_in_range(packet_last(AGENT_2, "INVITE")->at_ms, at_ms, at_ms + 1);
    edge_kit_advance(1000);
    assert_int_equal(packet_last(AGENT_1, "INVITE")->repeats, 0); /* it is not sent there again */
    give_up(&caller);
}

static void a_name_that_nobody_knows_fails_its_target_at_once(void **state)
{
    struct line caller;
    struct still_lookup l[4];
    begin(&caller, "+447911120003");
    assert_int_equal(still_lookups(l, 4), 1);
    assert_true(still_answer(l[0].id, &(struct resolved){.err = ERR_DNS}));
    edge_kit_turn();
    assert_int_equal(still_lookups(l, 4), 1);
    assert_string_equal(l[0].host, "others.example");
    assert_string_equal(edge_kit_events(), "incoming_call call_forward_failed");
    give_up(&caller);
}

/* Timer B, where the target has longer to ring. */
static void silence_fails_an_address_after_64_t1(void **state)
{
    struct line caller;
    edge_kit_begin(1);
    edge_kit.config.ring_timeout_s = 60;
    assert_ok(edge_kit_restart());
    line_invite(&caller, CARRIER, "+447911120001");
    edge_kit_advance(31999);
    assert_int_equal(packet_last(AGENT_1, "INVITE")->repeats, 6);
    assert_null(edge_kit_last(CARRIER, "480"));
    edge_kit_advance(1);
    packet_last(CARRIER, "480");
    assert_string_equal(edge_kit_events(), "incoming_call call_ended");
    line_ack_failure(&caller);
    edge_kit_end();
}

/* RFC 3261 §21.5.4: Retry-After is about that server, and the caller waits for nobody's. */
static void a_503_that_names_a_time_is_no_other(void **state)
{
    static const struct response later = {
        .status = 503, .tag = "one", .headers = "Retry-After: 30\r\n"};
    struct line caller;
    begin(&caller, "+447911120003");
    resolve_to(AGENT_1, AGENT_2);
    int64_t at_ms = clock_mono_ms();
    packet_answer(packet_last(AGENT_1, "INVITE"), &later);
    assert_int_equal(packet_last(AGENT_2, "INVITE")->at_ms, at_ms);
    give_up(&caller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_503_the_next_address_is_asked_at_once),
        cmocka_unit_test(ringing_is_told_once_also_behind_a_100),
        cmocka_unit_test(after_another_refusal_no_address_is_asked),
        cmocka_unit_test(the_503_of_the_last_address_is_the_targets),
        cmocka_unit_test(where_nobody_listens_the_next_address_is_asked_at_once),
        cmocka_unit_test(a_forged_icmp_message_changes_nothing),
        cmocka_unit_test(the_ring_timeout_is_the_targets_own),
        cmocka_unit_test(the_addresses_of_a_target_share_its_ring_timeout),
        cmocka_unit_test(where_the_connection_is_refused_the_next_address_is_asked_at_once),
        cmocka_unit_test(where_the_connection_breaks_the_next_address_is_asked_at_once),
        cmocka_unit_test(a_name_that_nobody_knows_fails_its_target_at_once),
        cmocka_unit_test(silence_fails_an_address_after_64_t1),
        cmocka_unit_test(a_503_that_names_a_time_is_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
