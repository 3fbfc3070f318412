/* Slots with handles: a handle of a slot that was given back never finds another's. */
#include "check.h"
#include "base/pool.h"

enum { MAX = 1000 };

static void a_handle_finds_its_slot_and_no_other(void **state)
{
    struct pool *p;
    handle h[MAX];
    assert_ok(pool_new(&p, sizeof(size_t), MAX));
    for (size_t i = 0; i < MAX; i++) {
        size_t *slot = pool_take(p, &h[i]);
        assert_non_null(slot);
        assert_int_equal(*slot, 0);
        *slot = i;
    }
    for (size_t i = 0; i < MAX; i++)
        assert_int_equal(*(size_t *)pool_at(p, h[i]), i);
    assert_int_equal(pool_count(p), MAX);
    pool_free(p);
}

static void the_limit_holds_and_a_slot_comes_back_zeroed(void **state)
{
    struct pool *p;
    handle a, b, c;
    assert_ok(pool_new(&p, sizeof(uint64_t), 2));
    uint64_t *slot = pool_take(p, &a);
    *slot = UINT64_MAX;
    assert_non_null(pool_take(p, &b));
    assert_null(pool_take(p, &c));
    pool_give(p, a);
    slot = pool_take(p, &c);
    assert_non_null(slot);
    assert_true(*slot == 0);
    assert_int_equal(pool_count(p), 2);
    pool_free(p);
}

static void stale_and_forged_handles_miss(void **state)
{
    struct pool *p;
    handle a, again;
    assert_ok(pool_new(&p, 8, 4));
    assert_null(pool_at(p, 0));
    assert_null(pool_at(p, UINT64_MAX));
    void *slot = pool_take(p, &a);
    assert_null(pool_at(p, a ^ (UINT64_C(1) << 32))); /* another generation */
    assert_null(pool_at(p, a + 1));                   /* a slot that was never taken */
    pool_give(p, a);
    assert_null(pool_at(p, a));
    assert_ptr_equal(pool_take(p, &again), slot); /* the same place in memory */
    assert_true(again != a);
    assert_null(pool_at(p, a));
    assert_ptr_equal(pool_at(p, again), slot);
    pool_free(p);
}

/* What a handle names never moves, however many come after it. */
static void slots_do_not_move(void **state)
{
    struct pool *p;
    handle first, h;
    assert_ok(pool_new(&p, 64, 100000));
    void *slot = pool_take(p, &first);
    for (size_t i = 1; i < 100000; i++)
        assert_non_null(pool_take(p, &h));
    assert_ptr_equal(pool_at(p, first), slot);
    pool_free(p);
}

static void the_walk_meets_those_in_use_once(void **state)
{
    struct pool *p;
    handle h[10], at;
    bool met[10] = {false};
    size_t n = 0;
    assert_ok(pool_new(&p, sizeof(int), 10));
    for (int i = 0; i < 10; i++)
        *(int *)pool_take(p, &h[i]) = i;
    for (int i = 0; i < 10; i += 3)
        pool_give(p, h[i]);
    for (size_t i = 0; pool_next(p, &i, &at); n++) {
        int v = *(int *)pool_at(p, at);
        assert_true(v % 3 != 0);
        assert_false(met[v]);
        met[v] = true;
    }
    assert_int_equal(n, 6);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_finds_its_slot_and_no_other),
        cmocka_unit_test(the_limit_holds_and_a_slot_comes_back_zeroed),
        cmocka_unit_test(stale_and_forged_handles_miss),
        cmocka_unit_test(slots_do_not_move),
        cmocka_unit_test(the_walk_meets_those_in_use_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
