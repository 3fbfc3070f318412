/* Outages: one row for an endpoint that fails; the first moment stays, the last attempt changes. */
#include "rows_kit.h"
#include "store/rows/outages.h"

static void count(void *arg, const struct outage *o)
{
    ++*(size_t *)arg;
}

static size_t listed(struct db *db)
{
    size_t n = 0;
    assert_ok(outage_list(db, count, &n));
    return n;
}

static void life(struct db *db)
{
    struct outage o = {.endpoint = 5,
                       .since_ms = 1000,
                       .last_at_ms = 1000,
                       .status = 500,
                       .detail = "it's \"down\"",
                       .next_at_ms = 2000};
    struct outage got;
    o.under.shard = shard_of(5);
    assert_ok(shard_take(db, &o.under));
    assert_ok(outage_get(db, 5, &got));
    assert_int_equal(got.since_ms, 0);
    assert_int_equal(got.endpoint, 5);
    assert_ok(outage_put(db, &o));
    o.last_at_ms = 3000;
    o.status = 0;
    o.err = ERR_TIMEOUT;
    memset(o.detail, 'x', sizeof o.detail - 1);
    assert_ok(outage_put(db, &o));
    assert_int_equal(listed(db), 1);
    assert_ok(outage_get(db, 5, &got));
    assert_int_equal(got.since_ms, 1000);
    assert_int_equal(got.last_at_ms, 3000);
    assert_int_equal(got.status, 0);
    assert_err(got.err, ERR_TIMEOUT);
    assert_string_equal(got.detail, o.detail);
    assert_int_equal(got.next_at_ms, 2000);
    struct outage other = o;
    other.endpoint = 6;
    other.under.shard = shard_of(6);
    assert_ok(shard_take(db, &other.under));
    assert_ok(outage_put(db, &other));
    assert_int_equal(listed(db), 2);
    struct outage late = o; /* of an owner that has the shard no more: nothing changes */
    late.under.epoch--;
    late.since_ms = 5;
    assert_ok(outage_put(db, &late));
    assert_ok(outage_delete(db, &late));
    assert_ok(outage_get(db, 5, &got));
    assert_int_equal(got.since_ms, 1000);
    assert_ok(outage_delete(db, &o));
    assert_ok(outage_delete(db, &o));
    assert_int_equal(listed(db), 1);
    assert_ok(outage_get(db, 5, &got));
    assert_int_equal(got.since_ms, 0);
}

static void an_endpoint_has_one_row_until_it_is_back(void **state)
{
    in_job(life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_has_one_row_until_it_is_back),
    };
    return cmocka_run_group_tests(tests, rows_begin, rows_end);
}
