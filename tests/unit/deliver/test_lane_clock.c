/* When a lane is due: lane.c alone, with a fake clock, whose wall time is stepped. What it calls is
 * the test's. */
#include "check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "deliver/lane.h"
#include "deliver/tenant.h"

enum { HOUR_MS = 3600000 };
#define NOW_MS INT64_C(1731681120000)

static struct deliver deliver;
static struct courier c;
static struct tenant tenant;
static struct queue queue;
static int64_t timer_due_ms; /* of the last timer set */

/* ---- what lane.c asks for ---- */

int64_t loop_now_ms(const struct loop *l)
{
    return clock_mono_ms();
}

void loop_timer(struct loop *l, struct timer *t, int64_t in_ms, timer_fire *fire, void *arg)
{
    timer_due_ms = clock_mono_ms() + in_ms;
}

struct queue *queue_of(struct courier *courier, uint64_t endpoint)
{
    return &queue;
}

void queue_touch(struct queue *t)
{
}

void queue_idle(struct queue *t)
{
}

void queue_turn(struct queue *t)
{
}

void event_drop(const struct event **e)
{
}

/* ---- the test's own ---- */

static int set_up(void **state)
{
    clock_fake(NOW_MS);
    clock_advance(HOUR_MS);
    memset(&queue, 0, sizeof queue);
    memset(&c, 0, sizeof c);
    deliver.start_ms = NOW_MS;
    c.deliver = &deliver;
    c.lanes = map_new();
    queue.courier = &c;
    queue.endpoint = 7;
    queue.tenant = &tenant;
    queue.shard = &c.shard[0];
    c.shard[0].state = SHARD_HERE;
    for (int i = 0; i < 2; i++)
        queue.ready[i].last = &queue.ready[i].first;
    timer_due_ms = -1;
    return 0;
}

static int tear_down(void **state)
{
    lanes_free(&c);
    shelf_fini(&queue.shelf);
    clock_real();
    return 0;
}

static struct lane *push(int64_t wait_ms)
{
    struct item *it = calloc(1, sizeof *it);
    it->n = 1;
    it->attempts = 1;
    it->begun_ms = clock_mono_ms() - 500;
    it->next_ms = clock_mono_ms() + wait_ms;
    lane_push(&c, 42, 7, it);
    return lane_find(&c, 42, 7);
}

static void a_short_wait_is_a_timer_whatever_the_wall_clock_does(void **state)
{
    clock_step(-HOUR_MS);
    struct lane *l = push(5000);
    assert_int_equal(l->state, LANE_WAITING);
    assert_int_equal(timer_due_ms, clock_mono_ms() + 5000);
    clock_step(2 * HOUR_MS);
    lane_wait(l, clock_mono_ms() + 1000);
    assert_int_equal(l->state, LANE_WAITING);
    assert_int_equal(timer_due_ms, clock_mono_ms() + 1000);
}

static void a_long_wait_keeps_its_time_on_the_shelf(void **state)
{
    struct shelf_entry one;
    struct lane *l = push(5000);
    int64_t begun_ms = clock_mono_ms() - 500, due_ms = clock_mono_ms() + 25000;
    clock_step(-HOUR_MS);
    lane_wait(l, due_ms);
    assert_null(lane_find(&c, 42, 7));
    clock_step(3 * HOUR_MS);
    assert_int_equal(shelf_due_ms(&queue.shelf), due_ms);
    assert_true(shelf_take(&queue.shelf, due_ms, &one));
    assert_int_equal(one.begun_ms, begun_ms); /* what its row says is of another clock by now */
}

/* As it was stored by the process before, and is read after a step. */
static void a_row_from_before_the_start_is_as_old_as_it_was(void **state)
{
    const struct delivery row = {.n = 3,
                                 .attempts = 4,
                                 .first_at_ms = NOW_MS - 2 * HOUR_MS,
                                 .next_at_ms = NOW_MS + HOUR_MS + 9000};
    struct item *it = item_new(&deliver, &row);
    assert_int_equal(clock_mono_ms() - it->begun_ms, 3 * HOUR_MS);
    assert_int_equal(it->next_ms - clock_mono_ms(), 9000);
    free(it);
    clock_step(HOUR_MS);
    it = item_new(&deliver, &row);
    assert_int_equal(clock_mono_ms() - it->begun_ms, 3 * HOUR_MS);
    free(it);
}

static void a_row_of_the_future_is_of_now(void **state)
{
    const struct delivery row = {.n = 3, .attempts = 4, .first_at_ms = NOW_MS + 99 * HOUR_MS};
    struct item *it = item_new(&deliver, &row);
    assert_int_equal(it->begun_ms, clock_mono_ms());
    assert_int_equal(it->next_ms, 0);
    free(it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_short_wait_is_a_timer_whatever_the_wall_clock_does,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_long_wait_keeps_its_time_on_the_shelf, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_from_before_the_start_is_as_old_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_row_of_the_future_is_of_now, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
