/* The table of a call's states: each can be reached, each comes to an end, and docs/sip.md shows
 * it. With --print it prints the page's part. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "check.h"
#include "sip/call/call.h"

#define PAGE TEST_SOURCE "/docs/sip.md"

static unsigned reached_from(unsigned states)
{
    for (unsigned before = 0; before != states;) {
        before = states;
        for (size_t s = 0; s < CALL_STATES; s++)
            if (states >> s & 1)
                states |= call_states[s].next;
    }
    return states;
}

static void every_state_is_reached_and_ends(void **state)
{
    unsigned all = (1u << CALL_STATES) - 1;
    assert_int_equal(reached_from(1u << CALL_TAKING | 1u << CALL_RESTORED), all);
    for (unsigned s = 0; s < CALL_STATES; s++) {
        assert_true(reached_from(1u << s) >> CALL_OVER & 1);
        assert_non_null(call_states[s].name);
        assert_non_null(call_states[s].waits_for);
        assert_true(!call_states[s].on_time == !call_states[s].timer);
        assert_true(!call_states[s].on_time == !call_states[s].at_time);
    }
    assert_int_equal(call_states[CALL_OVER].next, 0);
}

/* Whatever may still end can: a state that takes INPUT_END may go to ENDING, and no other may. */
static void what_can_end_can_go_to_its_end(void **state)
{
    for (unsigned s = 0; s < CALL_STATES; s++) {
        const struct state_rule *r = &call_states[s];
        assert_int_equal(r->inputs >> INPUT_END & 1, r->next >> CALL_ENDING & 1);
        if (r->inputs >> INPUT_CANCEL & 1 || r->inputs >> INPUT_BYE & 1)
            assert_true(r->inputs >> INPUT_END & 1);
    }
}

static void the_page_shows_the_table(void **state)
{
    static char page[1 << 20];
    struct buf table;
    FILE *f = fopen(PAGE, "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    buf_init(&table, 65536);
    call_states_print(&table);
    buf_putc(&table, '\0');
    assert_ok(table.err);
    if (!strstr(page, table.p))
        fail_msg("docs/sip.md shows other states; put there:\n%s", table.p);
    buf_fini(&table);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_is_reached_and_ends),
        cmocka_unit_test(what_can_end_can_go_to_its_end),
        cmocka_unit_test(the_page_shows_the_table),
    };
    if (argc > 1 && !strcmp(argv[1], "--print")) {
        struct buf table;
        buf_init(&table, 65536);
        call_states_print(&table);
        fwrite(table.p, 1, table.n, stdout);
        buf_fini(&table);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
