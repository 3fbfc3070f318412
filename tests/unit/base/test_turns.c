/* Turns: one of each owner, and the daemon's own every second time; shares; several threads take.
 */
#include "check.h"
#include "base/turns.h"

#include <pthread.h>

enum { MAX = 64, FIRST = 2, OWN_MAX = 8, MAILS = 20000 };
static const struct share share = {.max = MAX, .first = FIRST};

struct one {
    struct mail mail; /* first */
    uint64_t owner;
};
static struct one at[200];
static size_t n_at;
static struct turns *t;

static int set_up(void **state)
{
    n_at = 0;
    assert_ok(turns_new(&t, &share, OWN_MAX));
    return 0;
}

static int tear_down(void **state)
{
    while (turns_take(t))
        ;
    turns_free(t);
    return 0;
}

static enum err put(uint64_t owner)
{
    struct one *o = &at[n_at++];
    o->owner = owner;
    return turns_put(t, owner, &o->mail);
}

static uint64_t take(void)
{
    return ((struct one *)turns_take(t))->owner;
}

static void who_comes_later_waits_for_one_of_each(void **state)
{
    size_t others = 0;
    for (int i = 0; i < 20; i++)
        assert_ok(put(7));
    for (uint64_t owner = 8; owner < 12; owner++)
        assert_ok(put(owner));
    for (int i = 0; i < 6; i++)
        others += take() != 7;
    assert_true(others >= 3); /* all four, unless two fell into one line */
}

static void the_daemons_own_has_every_second_turn(void **state)
{
    for (int i = 0; i < 4; i++)
        assert_ok(put(7));
    for (int i = 0; i < 2; i++)
        assert_ok(put(0));
    uint64_t due[] = {0, 7, 0, 7, 7, 7};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(take(), due[i]);
    assert_null(turns_take(t));
}

static void an_owner_has_its_share_and_all_have_an_end(void **state)
{
    enum err err = OK;
    size_t own = 0;
    while ((err = put(7)) == OK)
        own++;
    assert_err(err, ERR_AGAIN);
    assert_in_range(own, MAX / 2, MAX * 2 / 3);
    for (uint64_t owner = 100; n_at < 199 && err != ERR_FULL; owner++)
        err = put(owner);
    assert_err(err, ERR_FULL);
    for (int i = 0; i < OWN_MAX; i++) {
        static struct mail mail[OWN_MAX];
        assert_ok(turns_put(t, 0, &mail[i])); /* the daemon's own place is its own */
    }
    assert_err(turns_put(t, 0, &at[199].mail), ERR_FULL);
}

static void closed_is_closed_after_the_last(void **state)
{
    assert_ok(put(7));
    turns_close(t);
    assert_err(put(7), ERR_CLOSED);
    assert_non_null(turns_wait(t));
    assert_null(turns_wait(t));
}

static void *taker(void *arg)
{
    size_t *n = arg;
    while (turns_wait(t))
        ++*n;
    return NULL;
}

static void several_threads_take_each_once(void **state)
{
    static struct mail mail[MAILS];
    pthread_t thread[3];
    size_t n[3] = {0}, taken = 0;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, taker, &n[i]), 0);
    for (size_t i = 0; i < MAILS;) {
        enum err err = turns_put(t, 1 + i % 5, &mail[i]);
        assert_true(err == OK || err == ERR_AGAIN || err == ERR_FULL);
        i += err == OK;
    }
    turns_close(t);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], NULL);
        taken += n[i];
    }
    assert_int_equal(taken, MAILS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_comes_later_waits_for_one_of_each, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_daemons_own_has_every_second_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_owner_has_its_share_and_all_have_an_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(closed_is_closed_after_the_last, set_up, tear_down),
        cmocka_unit_test_setup_teardown(several_threads_take_each_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
