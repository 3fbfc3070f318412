/* A leg is found by our tag, and its dialog by the peer's, too: nobody speaks in another's name. */
#include "check.h"
#include "line.h"

static struct line caller, agent;

static void talk(void)
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

/* As it stands in the line: "…;tag=TAG". */
static struct str our_tag(const struct line *l)
{
    return str_of(strstr(l->remote, ";tag=") + 5);
}

static struct leg *leg_of(struct str tag, uint16_t *fork)
{
    return leg_of_tag(&edge_kit.edge->calls, tag, fork);
}

static void each_tag_names_its_leg(void **state)
{
    uint16_t fork = 7;
    talk();
    struct leg *a = leg_of(our_tag(&caller), &fork), *b = leg_of(our_tag(&agent), &fork);
    assert_non_null(a);
    assert_int_equal(a->name, 'a');
    assert_ptr_equal(b, a->other);
    assert_ptr_equal(b->other, a);
    assert_int_equal(fork, 0);
    hang_up();
}

/* One letter of the token, the other leg's letter, what stands behind. */
static void a_spoilt_tag_names_nobody(void **state)
{
    char tag[64];
    uint16_t fork;
    talk();
    assert_ok(str_copy(our_tag(&caller), tag, sizeof tag));
    size_t n = strlen(tag);
    for (size_t i = 0; i < n - 1; i++) {
        char was = tag[i];
        tag[i] = was == 'b' ? 'c' : 'b';
        assert_null(leg_of(str_of(tag), &fork));
        tag[i] = was;
    }
    for (size_t i = 0; i < n; i++)
        assert_null(leg_of(str_of_bytes(tag, i), &fork));
    assert_non_null(leg_of(str_of(tag), &fork));
    hang_up();
}

static void a_dialog_is_both_tags_and_the_call_id(void **state)
{
    uint16_t fork;
    talk();
    struct leg *a = leg_of(our_tag(&caller), &fork);
    struct str id = str_of(caller.call_id), tag = dialog_get(&a->dialog, DIALOG_TAG);
    assert_ptr_equal(leg_dialog_of(a, fork, id, tag), &a->dialog);
    assert_null(leg_dialog_of(a, (uint16_t)(fork + 1), id, tag));
    assert_null(leg_dialog_of(a, fork, str_of(agent.call_id), tag));
    assert_null(leg_dialog_of(a, fork, id, STR("agent")));
    assert_null(leg_dialog_of(a, fork, id, STR("")));
    hang_up();
}

/* The callee knows its own tag of ours, and has heard of no other. */
static void one_peer_does_not_speak_for_the_other(void **state)
{
    talk();
    struct line forger = agent;
    memcpy(forger.remote, caller.remote, LINE_TEXT);
    memcpy(forger.target, caller.target, LINE_TEXT);
    size_t n = edge_kit_packets();
    line_say(&forger, "BYE");
    for (; n < edge_kit_packets(); n++) {
        assert_false(edge_kit_packet(n)->is_request);
        assert_int_equal(edge_kit_packet(n)->status, 481);
    }
    hang_up();
}

static void both_are_found_after_a_restart(void **state)
{
    uint16_t fork;
    talk();
    assert_ok(edge_kit_restart());
    struct leg *a = leg_of(our_tag(&caller), &fork);
    assert_non_null(a);
    assert_ptr_equal(leg_of(our_tag(&agent), &fork), a->other);
    leg_forget_tags(a);
    assert_null(leg_of(our_tag(&caller), &fork));
    assert_ptr_equal(leg_of(our_tag(&agent), &fork), a->other);
    line_say(&agent, "BYE");
    edge_kit_end();
}

/* As a row of an earlier version makes them: the letter tells them apart. */
static void legs_with_one_token_are_told_apart(void **state)
{
    char tag[64];
    uint16_t fork;
    talk();
    assert_ok(edge_kit_restart());
    struct leg *a = leg_of(our_tag(&caller), &fork), *b = a->other;
    assert_ok(str_copy(our_tag(&caller), tag, sizeof tag));
    leg_forget_tags(b);
    memcpy(b->dialog.token, a->dialog.token, sizeof b->dialog.token);
    assert_ptr_equal(leg_of(str_of(tag), &fork), a);
    tag[strlen(tag) - 2] = 'b';
    assert_ptr_equal(leg_of(str_of(tag), &fork), b);
    snprintf(agent.remote + (our_tag(&agent).p - agent.remote), 64, "%s", tag);
    line_say(&agent, "BYE");
    assert_int_equal(packet_last(AGENT_1, "200")->method, SIP_BYE);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_tag_names_its_leg),
        cmocka_unit_test(a_spoilt_tag_names_nobody),
        cmocka_unit_test(a_dialog_is_both_tags_and_the_call_id),
        cmocka_unit_test(one_peer_does_not_speak_for_the_other),
        cmocka_unit_test(both_are_found_after_a_restart),
        cmocka_unit_test(legs_with_one_token_are_told_apart),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
