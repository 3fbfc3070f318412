/* The shelf against a plain model: what was put comes out once, the earliest first. */
#include "check.h"
#include "deliver/shelf.h"

enum { LANES = 5000 };

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static enum err put(struct shelf *s, uint64_t lane, int64_t due_ms)
{
    return shelf_put(s,
                     &(struct shelf_entry){.due_ms = due_ms, .begun_ms = due_ms - 7, .lane = lane});
}

static bool take(struct shelf *s, int64_t now_ms, uint64_t *ret_lane)
{
    struct shelf_entry one;
    bool some = shelf_take(s, now_ms, &one);
    if (some)
        *ret_lane = one.lane;
    return some;
}

static void the_earliest_comes_first(void **state)
{
    struct shelf s = {0};
    uint64_t x = 1, lane = 0;
    int64_t last = 0;
    for (int i = 0; i < LANES; i++)
        assert_ok(put(&s, next_random(&x), (int64_t)(next_random(&x) % 1000)));
    for (int i = 0; i < LANES; i++) {
        int64_t due = shelf_due_ms(&s);
        assert_true(due >= last);
        assert_false(take(&s, due - 1, &lane));
        assert_true(take(&s, due, &lane));
        assert_false(shelf_has(&s, lane));
        last = due;
    }
    assert_int_equal(s.n, 0);
    assert_int_equal(shelf_due_ms(&s), INT64_MAX);
    assert_false(take(&s, INT64_MAX, &lane));
    shelf_fini(&s);
}

static void membership_follows_what_comes_and_goes(void **state)
{
    static bool there[LANES];
    struct shelf s = {0};
    uint64_t x = 7, lane;
    size_t n = 0;
    for (int step = 0; step < 20 * LANES; step++) {
        uint64_t one = next_random(&x) % LANES; /* 0 is a lane, too */
        assert_int_equal(shelf_has(&s, one), there[one]);
        if (!there[one] && next_random(&x) % 3) {
            assert_ok(put(&s, one, (int64_t)(next_random(&x) % 100000)));
            there[one] = true;
            n++;
        } else if (take(&s, INT64_MAX - 1, &lane)) {
            assert_true(there[lane]);
            there[lane] = false;
            n--;
        }
        assert_int_equal(s.n, n);
    }
    shelf_fini(&s);
}

static void all_may_be_due_at_once(void **state)
{
    static bool seen[100];
    struct shelf s = {0};
    uint64_t lane = 0;
    for (uint64_t i = 0; i < 100; i++)
        assert_ok(put(&s, i, 1000000 + (int64_t)i));
    assert_false(take(&s, 5, &lane));
    shelf_all_due(&s);
    assert_ok(put(&s, 500, 77)); /* put afterwards: keeps its time */
    for (int i = 0; i < 100; i++) {
        assert_true(take(&s, 5, &lane));
        assert_false(seen[lane]);
        seen[lane] = true;
    }
    assert_false(take(&s, 5, &lane));
    assert_true(take(&s, 77, &lane));
    assert_int_equal(lane, 500);
    shelf_fini(&s);
}

static void when_its_head_was_first_tried_is_kept(void **state)
{
    struct shelf s = {0};
    struct shelf_entry one;
    for (uint64_t i = 0; i < 100; i++)
        assert_ok(shelf_put(&s, &(struct shelf_entry){1000 - (int64_t)i, (int64_t)i * 3, i}));
    shelf_all_due(&s); /* due or not: the age of its head is another matter */
    for (int i = 0; i < 100; i++) {
        assert_true(shelf_take(&s, 0, &one));
        assert_int_equal(one.begun_ms, one.lane * 3);
    }
    shelf_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(when_its_head_was_first_tried_is_kept),
        cmocka_unit_test(the_earliest_comes_first),
        cmocka_unit_test(membership_follows_what_comes_and_goes),
        cmocka_unit_test(all_may_be_due_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
