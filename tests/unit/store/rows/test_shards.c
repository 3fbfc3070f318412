/* Shards: each has its epoch, which only grows. */
#include "rows_kit.h"
#include "store/rows/shards.h"

static void epochs(struct db *db)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard_hold h = {.shard = i}, seen = {.shard = i};
        assert_ok(shard_get(db, &seen));
        assert_int_equal(seen.epoch, 0);
        assert_ok(shard_take(db, &h));
        assert_int_equal(h.epoch, 1);
    }
    struct shard_hold h = {.shard = 5}, other = {.shard = 6};
    assert_ok(shard_take(db, &h));
    assert_int_equal(h.epoch, 2);
    assert_ok(shard_get(db, &h));
    assert_int_equal(h.epoch, 2);
    assert_ok(shard_get(db, &other));
    assert_int_equal(other.epoch, 1);
}

static void taking_a_shard_raises_its_epoch_alone(void **state)
{
    in_job(epochs);
}

static void an_endpoint_has_one_shard(void **state)
{
    for (uint64_t endpoint = 0; endpoint < 100000; endpoint++)
        assert_true(shard_of(endpoint) < SHARDS);
    assert_true(shard_of(UINT64_MAX) < SHARDS);
    assert_int_equal(shard_of(12345), shard_of(12345));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(taking_a_shard_raises_its_epoch_alone),
        cmocka_unit_test(an_endpoint_has_one_shard),
    };
    return cmocka_run_group_tests(tests, rows_begin, rows_end);
}
