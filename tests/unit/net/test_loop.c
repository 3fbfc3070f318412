/* The loop: timers, mail from other threads, and what runs at the end of a turn. */
#include <pthread.h>

#include "check.h"
#include "base/clock.h"
#include "net/loop.h"

enum { PATIENCE_MS = 20000 };

static struct loop *loop;

static int begin(void **state)
{
    return loop_new(&loop, "test", 4) == OK ? 0 : -1;
}

static int end(void **state)
{
    loop_free(loop);
    return 0;
}

struct letter {
    struct mail mail; /* first */
    unsigned *count;
};

static void on_letter(struct mail *m)
{
    ++*((struct letter *)m)->count;
}

static void mail_is_opened_in_a_turn_and_bounded(void **state)
{
    unsigned count = 0;
    struct letter l[6];
    for (size_t i = 0; i < 6; i++)
        l[i] = (struct letter){.mail = {.open = on_letter}, .count = &count};
    for (size_t i = 0; i < 4; i++)
        assert_ok(loop_post(loop, &l[i].mail));
    assert_err(loop_post(loop, &l[4].mail), ERR_FULL);
    loop_post_answer(loop, &l[5].mail); /* an answer is never refused */
    assert_int_equal(count, 0);
    loop_turn(loop, PATIENCE_MS);
    assert_int_equal(count, 5);
    assert_ok(loop_post(loop, &l[4].mail));
    loop_turn(loop, PATIENCE_MS);
    assert_int_equal(count, 6);
}

static void on_fire(struct timer *t)
{
    ++*(unsigned *)t->arg;
}

static void timers_fire_once_when_due_unless_stopped(void **state)
{
    unsigned early = 0, late = 0, never = 0;
    struct timer a = {0}, b = {0}, c = {0};
    int64_t from = clock_mono_ms();
    loop_timer(loop, &b, 40, on_fire, &late);
    loop_timer(loop, &a, 10, on_fire, &early);
    loop_timer(loop, &c, 20, on_fire, &never);
    timer_stop(&c);
    while (!late && clock_mono_ms() - from < PATIENCE_MS) {
        loop_turn(loop, 1000);
        assert_true(!late || early); /* in their order */
    }
    assert_true(clock_mono_ms() - from >= 40);
    assert_int_equal(early, 1);
    assert_int_equal(late, 1);
    assert_int_equal(never, 0);
}

/* A turn does not sleep past a timer, however long it may wait. */
static void a_turn_wakes_for_its_timer(void **state)
{
    unsigned fired = 0;
    struct timer t = {0};
    int64_t from = clock_mono_ms();
    loop_timer(loop, &t, 30, on_fire, &fired);
    while (!fired)
        loop_turn(loop, PATIENCE_MS);
    assert_true(clock_mono_ms() - from < PATIENCE_MS);
}

static char order[8];

static void hook_end(void *arg)
{
    strncat(order, arg, 1);
}

static void hooks_run_at_the_end_of_a_turn_in_their_order(void **state)
{
    static char a[] = "a", b[] = "b";
    unsigned fired = 0;
    struct timer t = {0};
    loop_on_turn_end(loop, hook_end, a);
    loop_on_turn_end(loop, hook_end, b);
    loop_timer(loop, &t, 0, on_fire, &fired);
    while (!fired)
        loop_turn(loop, 100);
    assert_true(str_starts(str_of(order), STR("ab")));
    order[0] = '\0';
    loop_off_turn_end(loop, a);
    fired = 0;
    loop_timer(loop, &t, 0, on_fire, &fired);
    while (!fired)
        loop_turn(loop, 100);
    assert_true(order[0] == 'b' && !strchr(order, 'a'));
    loop_off_turn_end(loop, b);
}

struct far_letter {   /* opened on the loop's thread */
    struct mail mail; /* first */
    pthread_t opened_by;
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool opened;
};

static void on_far_letter(struct mail *m)
{
    struct far_letter *l = (struct far_letter *)m;
    pthread_mutex_lock(&l->lock);
    l->opened_by = pthread_self();
    l->opened = true;
    pthread_cond_signal(&l->came);
    pthread_mutex_unlock(&l->lock);
}

static void its_own_thread_opens_what_others_post(void **state)
{
    struct far_letter l = {.mail = {.open = on_far_letter},
                           .lock = PTHREAD_MUTEX_INITIALIZER,
                           .came = PTHREAD_COND_INITIALIZER};
    assert_ok(loop_start(loop));
    assert_ok(loop_post(loop, &l.mail));
    pthread_mutex_lock(&l.lock);
    while (!l.opened)
        pthread_cond_wait(&l.came, &l.lock);
    pthread_mutex_unlock(&l.lock);
    assert_false(pthread_equal(l.opened_by, pthread_self()));
    loop_stop(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mail_is_opened_in_a_turn_and_bounded, begin, end),
        cmocka_unit_test_setup_teardown(timers_fire_once_when_due_unless_stopped, begin, end),
        cmocka_unit_test_setup_teardown(a_turn_wakes_for_its_timer, begin, end),
        cmocka_unit_test_setup_teardown(hooks_run_at_the_end_of_a_turn_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(its_own_thread_opens_what_others_post, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
