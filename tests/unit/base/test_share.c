/* Shares: who is alone has most, who comes later has something, whatever the others do. */
#include "check.h"
#include "base/share.h"

static const struct share slots = {.max = 4096, .first = 16};

/* Takes all it may. */
static void fill(size_t *own, size_t *all)
{
    while (share_allows(&slots, *own, *all)) {
        ++*own;
        ++*all;
    }
}

static void one_alone_gets_two_thirds(void **state)
{
    size_t own = 0, all = 0;
    fill(&own, &all);
    assert_int_equal(own, 2390); /* of the 3584 that are shared out, and one */
    assert_in_range(share_of(&slots, 0), own - 1, own);
}

static void whoever_comes_later_finds_some(void **state)
{
    size_t own[24] = {0}, all = 0;
    for (int i = 0; i < 24; i++) { /* one after another, each as greedy as it can be */
        fill(&own[i], &all);
        assert_true(own[i] >= slots.first);
    }
    assert_true(all < slots.max);
    size_t late = 0;
    fill(&late, &all);
    assert_int_equal(late, slots.first);
}

static void greedy_ones_come_to_equal_shares(void **state)
{
    size_t own[4] = {0}, all = 0;
    for (int i = 0; i < 4; i++)
        fill(&own[i], &all);
    for (int round = 0; round < 10000; round++) /* one slot after another comes free */
        for (int i = 0; i < 4; i++) {
            own[i]--;
            all--;
            for (int k = 0; k < 4; k++)
                if (share_allows(&slots, own[k], all)) {
                    own[k]++;
                    all++;
                }
        }
    for (int i = 0; i < 4; i++)
        assert_in_range(own[i], 3584 * 2 / 9 - 8, 3584 * 2 / 9 + 8);
}

static void all_taken_is_all_taken(void **state)
{
    assert_false(share_allows(&slots, 0, 4096));
    assert_true(share_allows(&slots, 15, 4095));
    assert_false(share_allows(&slots, 16, 4095));
    assert_int_equal(share_of(&slots, 4096), 16);
    const struct share small = {.max = 1, .first = 1};
    assert_true(share_allows(&small, 0, 0));
    assert_false(share_allows(&small, 0, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alone_gets_two_thirds),
        cmocka_unit_test(whoever_comes_later_finds_some),
        cmocka_unit_test(greedy_ones_come_to_equal_shares),
        cmocka_unit_test(all_taken_is_all_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
