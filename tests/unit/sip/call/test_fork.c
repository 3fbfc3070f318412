/* Early dialogs: each To tag of each target is a dialog of its own to the caller (RFC 3261
 * §12.1.2, §13.2.2.4; RFC 3262 §3). */
#include "check.h"
#include "line.h"

static const char reliable[] = "Require: 100rel\r\nRSeq: 7\r\n";

static void begin(struct line *caller, const char *number)
{
    edge_kit_begin(1);
    line_invite(caller, CARRIER, number);
}

/* A telephone of the target rings; `caller` is learned as it speaks with that. */
static void rings(const char *at, const char *tag, struct line *agent, struct line *caller)
{
    const struct edge_packet *invite = packet_last(at, "INVITE");
    line_of_invite(agent, invite, tag);
    packet_answer(invite, &(struct response){183, tag, reliable, LINE_SDP});
    line_learn(caller, packet_last(CARRIER, "183"));
    caller->n_branches += 100 * (unsigned)edge_kit_packets(); /* its copies have other ones */
}

static void prack(struct line *caller, uint32_t rseq)
{
    char rack[64];
    snprintf(rack, sizeof rack, "RAck: %u 1 INVITE\r\n", rseq);
    line_request(caller, &(struct request){.method = "PRACK", .headers = rack});
}

static void hang_up(struct line *caller, struct line *agent, const char *at)
{
    line_say(caller, "BYE");
    line_answer(agent, packet_last(at, "BYE"), 200);
    edge_kit_end();
}

static size_t count(const char *to, const char *what)
{
    struct addr a;
    size_t n = 0;
    assert_ok(addr_parse(str_of(to), 5060, &a));
    for (size_t i = 0; i < edge_kit_packets(); i++) {
        const struct edge_packet *p = edge_kit_packet(i);
        bool is =
            p->is_request ? !strcmp(sip_method_name(p->method), what) : p->status == atoi(what);
        n += is && addr_eq(&p->to, &a);
    }
    return n;
}

/* Both begin with RSeq 7, and the caller counts its requests in each from the INVITE on. */
static void the_next_target_is_a_dialog_of_its_own(void **state)
{
    struct line caller, agent, first, second;
    begin(&caller, "+447911120008");
    first = second = caller;
    rings(AGENT_1, "one", &agent, &first);
    prack(&first, 7);
    assert_str(sip_value(packet_parse(packet_last(AGENT_1, "PRACK")), SIP_H_RACK), "7 1 INVITE");
    line_answer(&agent, packet_last(AGENT_1, "PRACK"), 200);
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 486);
    rings(AGENT_2, "two", &agent, &second);
    assert_string_not_equal(first.remote, second.remote);
    line_say(&first, "UPDATE");
    packet_last(CARRIER, "481");
    assert_int_equal(count(AGENT_1, "UPDATE") + count(AGENT_2, "UPDATE"), 0);
    prack(&second, 7);
    assert_str(sip_value(packet_parse(packet_last(AGENT_2, "PRACK")), SIP_H_RACK), "7 1 INVITE");
    line_answer(&agent, packet_last(AGENT_2, "PRACK"), 200);
    assert_int_equal(packet_last(CARRIER, "200")->cseq, 2);
    line_answer(&agent, packet_last(AGENT_2, "INVITE"), 200);
    const struct sip_msg *answer = packet_parse(packet_last(CARRIER, "200"));
    assert_true(str_eq(sip_value(answer, SIP_H_TO), str_of(second.remote)));
    line_ack(&second, 1);
    hang_up(&second, &agent, AGENT_2);
}

static void a_prack_reaches_the_telephone_that_it_names(void **state)
{
    struct line caller, one, two, to_one, to_two;
    begin(&caller, "+447911120001");
    to_one = to_two = caller;
    rings(AGENT_1, "one", &one, &to_one);
    rings(AGENT_1, "two", &two, &to_two);
    prack(&to_two, 7);
    assert_true(str_eq(packet_parse(packet_last(AGENT_1, "PRACK"))->to.tag, STR("two")));
    line_answer(&two, packet_last(AGENT_1, "PRACK"), 200);
    prack(&to_one, 7);
    assert_true(str_eq(packet_parse(packet_last(AGENT_1, "PRACK"))->to.tag, STR("one")));
    line_answer(&one, packet_last(AGENT_1, "PRACK"), 200);
    line_answer(&two, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&to_two, 1);
    assert_true(str_eq(packet_parse(packet_last(AGENT_1, "ACK"))->to.tag, STR("two")));
    prack(&to_one, 8); /* its telephone rings no more */
    packet_last(CARRIER, "481");
    hang_up(&to_two, &two, AGENT_1);
}

static void each_telephone_is_heard_in_its_own_dialog(void **state)
{
    struct line caller, one, two, to_one, to_two;
    begin(&caller, "+447911120001");
    to_one = to_two = caller;
    rings(AGENT_1, "one", &one, &to_one);
    rings(AGENT_1, "two", &two, &to_two);
    struct line *const from[] = {&two, &one}, *const to[] = {&to_two, &to_one};
    for (size_t i = 0; i < 2; i++) {
        line_say(from[i], "INFO");
        const struct edge_packet *info = packet_last(CARRIER, "INFO");
        assert_int_equal(info->cseq, 1);
        const struct sip_msg *m = packet_parse(info);
        assert_true(str_eq(sip_value(m, SIP_H_FROM), str_of(to[i]->remote)));
        line_answer(to[i], info, 200);
    }
    assert_int_equal(count(CARRIER, "INFO"), 2);
    line_answer(&one, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&to_one, 1);
    line_say(&one, "INFO"); /* it counts on from what was said early */
    assert_int_equal(packet_last(CARRIER, "INFO")->cseq, 2);
    line_answer(&to_one, packet_last(CARRIER, "INFO"), 200);
    hang_up(&to_one, &one, AGENT_1);
}

/* §12.2.1.2: the caller has moved within one dialog; in the other it is where it was. */
static void a_new_contact_is_one_dialogs(void **state)
{
    struct line caller, one, two, to_one, to_two;
    const char *const moved = "5.0.1.9:5060";
    begin(&caller, "+447911120001");
    to_one = to_two = caller;
    rings(AGENT_1, "one", &one, &to_one);
    rings(AGENT_1, "two", &two, &to_two);
    assert_ok(addr_parse(str_of(moved), 5060, &to_one.at));
    line_say(&to_one, "UPDATE");
    line_answer(&one, packet_last(AGENT_1, "UPDATE"), 200);
    line_say(&two, "INFO");
    line_answer(&to_two, packet_last(CARRIER, "INFO"), 200);
    line_say(&one, "INFO");
    line_answer(&to_one, packet_last(moved, "INFO"), 200);
    line_answer(&one, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&to_one, 1);
    line_say(&one, "BYE");
    line_answer(&to_one, packet_last(moved, "BYE"), 200);
    edge_kit_end();
}

/* Two targets of many telephones each: our tags stay apart, and the last of all makes the call. */
static void many_telephones_of_many_targets(void **state)
{
    struct line caller, agent, learned;
    const char *const at[] = {AGENT_1, AGENT_2};
    char tag[24];
    begin(&caller, "+447911120008");
    for (size_t t = 0; t < 2; t++) {
        for (int i = 0; i < FORKS_MAX + 2; i++) {
            snprintf(tag, sizeof tag, "tag-%zu-%d", t, i);
            packet_answer(packet_last(at[t], "INVITE"), &(struct response){180, tag, NULL, NULL});
        }
        assert_int_equal(count(CARRIER, "180"), (t + 1) * FORKS_MAX);
        if (t == 0)
            packet_answer(packet_last(at[t], "INVITE"), &(struct response){486, tag, NULL, NULL});
    }
    for (size_t i = 0; i < edge_kit_packets(); i++)
        for (size_t j = 0; j < i; j++) {
            const struct edge_packet *p = edge_kit_packet(i), *q = edge_kit_packet(j);
            assert_true(p->status != 180 || q->status != 180 || p->to_tag != q->to_tag);
        }
    line_of_invite(&agent, packet_last(AGENT_2, "INVITE"), tag);
    line_answer(&agent, packet_last(AGENT_2, "INVITE"), 200);
    learned = caller;
    line_learn(&learned, packet_last(CARRIER, "200"));
    line_ack(&learned, 1);
    line_say(&learned, "INFO");
    line_answer(&agent, packet_last(AGENT_2, "INFO"), 200);
    assert_ok(edge_kit_restart()); /* the tag is in the row */
    hang_up(&learned, &agent, AGENT_2);
}

/* Its target starts from the beginning after a restart: that is no dialog that was there before. */
static void a_repeated_invite_gets_new_dialogs(void **state)
{
    struct line caller, agent, before, after;
    begin(&caller, "+447911120001");
    before = after = caller;
    rings(AGENT_1, "one", &agent, &before);
    assert_ok(edge_kit_restart());
    line_request(&caller, &(struct request){.method = "INVITE",
                                            .cseq = 1,
                                            .branch = caller.invite_branch,
                                            .body = LINE_SDP});
    rings(AGENT_1, "two", &agent, &after);
    assert_string_not_equal(before.remote, after.remote);
    line_say(&before, "INFO");
    packet_last(CARRIER, "481");
    line_answer(&agent, packet_last(AGENT_1, "INVITE"), 200);
    line_ack(&after, 1);
    hang_up(&after, &agent, AGENT_1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_target_is_a_dialog_of_its_own),
        cmocka_unit_test(a_prack_reaches_the_telephone_that_it_names),
        cmocka_unit_test(each_telephone_is_heard_in_its_own_dialog),
        cmocka_unit_test(a_new_contact_is_one_dialogs),
        cmocka_unit_test(many_telephones_of_many_targets),
        cmocka_unit_test(a_repeated_invite_gets_new_dialogs),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
