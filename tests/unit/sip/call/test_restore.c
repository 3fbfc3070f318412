/* Calls that were open when the daemon was killed (tests/kit/edge_kit.h). */
#include "check.h"
#include "line.h"

static struct edge_packet *last(const char *to, const char *what)
{
    struct edge_packet *p = edge_kit_last(to, what);
    if (!p)
        fail_msg("no %s went to %s", what, to);
    return p;
}

/* Whatever was sent before a kill is not in the row, so that each start begins far behind it: a
 * request with a CSeq that was used would be a repeat, or out of order (RFC 3261 §12.2.1.1). */
static void cseqs_count_on_over_several_kills(void **state)
{
    struct line caller, agent;
    uint32_t cseq = 1;
    edge_kit_begin(1);
    line_invite(&caller, CARRIER, "+447911120001");
    line_of_invite(&agent, last(AGENT_1, "INVITE"), "agent");
    line_answer(&agent, last(AGENT_1, "INVITE"), 200);
    line_learn(&caller, last(CARRIER, "200"));
    line_ack(&caller, 1);
    for (int kill = 0; kill < 4; kill++) {
        for (int i = 0; i < 3; i++) {
            line_say(&caller, "INFO");
            struct edge_packet *info = last(AGENT_1, "INFO");
            assert_true(info->cseq > cseq);
            cseq = info->cseq;
            line_answer(&agent, info, 200);
        }
        assert_ok(edge_kit_restart());
    }
    line_say(&caller, "BYE");
    assert_true(last(AGENT_1, "BYE")->cseq > cseq);
    line_answer(&agent, last(AGENT_1, "BYE"), 200);
    edge_kit_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cseqs_count_on_over_several_kills),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    edge_kit_close();
    return failed;
}
