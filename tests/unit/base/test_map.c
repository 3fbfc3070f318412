#include "check.h"
#include "base/map.h"
#include "base/pool.h"

static void ten_thousand_come_and_go(void **state)
{
    static uint64_t key[10000];
    struct map *m = map_new();
    for (uint64_t i = 0; i < 10000; i++) {
        key[i] = i * 7919;
        assert_ok(map_put(m, str_of_u64(&key[i]), &key[i], NULL));
    }
    assert_int_equal(map_count(m), 10000);
    for (size_t i = 0; i < 10000; i += 2)
        assert_ptr_equal(map_remove(m, str_of_u64(&key[i])), &key[i]);
    for (size_t i = 0; i < 10000; i++)
        assert_ptr_equal(map_get(m, str_of_u64(&key[i])), i % 2 ? &key[i] : NULL);
    size_t seen = 0;
    void *v;
    for (size_t i = 0; (v = map_next(m, &i)); seen++)
        map_remove(m, str_of_u64(v)); /* allowed during the walk */
    assert_int_equal(seen, 5000);
    assert_int_equal(map_count(m), 0);
    map_free(m);
}

/* Clusters that run over the table's end: many small maps, since each has its own random key. */
static void a_walk_that_removes_misses_nothing(void **state)
{
    static uint64_t key[24];
    for (int round = 0; round < 5000; round++) {
        struct map *m = map_new();
        for (uint64_t i = 0; i < 24; i++) {
            key[i] = i;
            assert_ok(map_put(m, str_of_u64(&key[i]), &key[i], NULL));
        }
        size_t seen = 0;
        void *v;
        for (size_t i = 0; (v = map_next(m, &i)); seen++)
            assert_ptr_equal(map_remove(m, str_of_u64(v)), v);
        assert_int_equal(seen, 24);
        assert_int_equal(map_count(m), 0);
        map_free(m);
    }
}

static void replaces(void **state)
{
    int a, b;
    void *old;
    struct map *m = map_new();
    assert_ok(map_put(m, STR("k"), &a, &old));
    assert_null(old);
    assert_ok(map_put(m, STR("k"), &b, &old));
    assert_ptr_equal(old, &a);
    assert_int_equal(map_count(m), 1);
    assert_null(map_remove(m, STR("other")));
    map_free(m);
}

static void a_stale_handle_misses(void **state)
{
    struct pool *p;
    handle first, second, third;
    assert_ok(pool_new(&p, 24, 2));
    char *a = pool_take(p, &first);
    assert_non_null(a);
    assert_int_equal(a[0], 0);
    a[0] = 'x';
    assert_non_null(pool_take(p, &second));
    assert_null(pool_take(p, &third)); /* the limit */
    pool_give(p, first);
    assert_null(pool_at(p, first));
    char *b = pool_take(p, &third);
    assert_int_equal(b[0], 0); /* zeroed again */
    assert_int_not_equal(first, third);
    assert_null(pool_at(p, first));
    assert_ptr_equal(pool_at(p, third), b);
    assert_null(pool_at(p, 0));
    assert_null(pool_at(p, 0xffffffffffffffffull));
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_come_and_go),
        cmocka_unit_test(a_walk_that_removes_misses_nothing),
        cmocka_unit_test(replaces),
        cmocka_unit_test(a_stale_handle_misses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
