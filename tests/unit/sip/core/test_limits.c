/* A party's limits over the life of its calls: counted when a call begins, given back when it ends,
 * counted again after a restart; and the rate. */
#include "check.h"
#include "line.h"

static int last_status(const struct line *l)
{
    for (size_t i = edge_kit_packets(); i-- > 0;) {
        const struct edge_packet *p = edge_kit_packet(i);
        if (!p->is_request && p->method == SIP_INVITE &&
            str_eq(packet_parse(p)->call_id, str_of(l->call_id)))
            return p->status;
    }
    return 0;
}

enum { LIMIT = 8 }; /* the kit's trunk has max_calls 8 */

static void the_next_call_is_refused_until_one_has_ended(void **state)
{
    static struct line caller[LIMIT + 2];
    edge_kit_begin(1);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LIMIT; i++) {
            line_invite(&caller[i], CARRIER, "+447911120001");
            assert_int_equal(last_status(&caller[i]), 100);
        }
        line_invite(&caller[LIMIT], CARRIER, "+447911120001");
        assert_int_equal(last_status(&caller[LIMIT]), 503);
        line_ack_failure(&caller[LIMIT]);
        edge_kit_advance(600000); /* nobody answers any of them */
        assert_true(last_status(&caller[0]) >= 400);
    }
    edge_kit_end();
}

static void calls_of_before_a_restart_are_counted(void **state)
{
    static struct line caller[LIMIT], more, agent[LIMIT];
    edge_kit_begin(2);
    for (int i = 0; i < LIMIT; i++) {
        line_invite(&caller[i], CARRIER, "+447911120001");
        line_of_invite(&agent[i], edge_kit_last(AGENT_1, "INVITE"), "t");
        line_answer(&agent[i], edge_kit_last(AGENT_1, "INVITE"), 200);
        line_learn(&caller[i], edge_kit_last(CARRIER, "200"));
        line_ack(&caller[i], 1);
    }
    assert_ok(edge_kit_restart());
    line_invite(&more, CARRIER, "+447911120001");
    assert_int_equal(last_status(&more), 503);
    line_ack_failure(&more);
    line_say(&caller[0], "BYE");
    line_invite(&more, CARRIER, "+447911120001");
    assert_int_equal(last_status(&more), 100);
    edge_kit_end();
}

/* Five a second: a burst takes what one second holds, and an idle hour saves no more. */
static void the_rate_holds_one_seconds_worth(void **state)
{
    static const struct trunk set = {.max_cps = 5};
    const struct book_trunk row = {.n = 77, .set = &set};
    const struct party p = {PARTY_TRUNK, &row};
    edge_kit_begin(3);
    struct sip_core *core = &edge_kit.edge->core;
    edge_kit_advance(1000);
    for (int i = 0; i < 3; i++) {
        int texts = 0, calls = 0;
        while (party_admits(core, &p))
            calls++;
        while (party_admits_text(core, &p))
            texts++;
        assert_int_equal(calls, 5);
        assert_int_equal(texts, 5);
        edge_kit_advance(3600 * 1000);
    }
    assert_true(party_admits(core, &p));
    for (int i = 0; i < 4; i++)
        assert_true(party_admits(core, &p));
    edge_kit_advance(199);
    assert_false(party_admits(core, &p));
    edge_kit_advance(1);
    assert_true(party_admits(core, &p));
    assert_false(party_admits(core, &p));
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_call_is_refused_until_one_has_ended),
        cmocka_unit_test(calls_of_before_a_restart_are_counted),
        cmocka_unit_test(the_rate_holds_one_seconds_worth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
