/* Rows of long jobs, and what an attempt at a deleted delivery leaves: nothing. */
#include <unistd.h>

#include "check.h"
#include "store/rows/deliveries.h"
#include "store/rows/erasures.h"
#include "store/rows/events.h"
#include "store/rows/expiry.h"
#include "store/rows/recoveries.h"

static char dir[] = "/tmp/hookswitch-jobs-XXXXXX", url[128];
static struct store *store;

static int set_up(void **state)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    char path[160], why[256] = "";
    struct store_config c = {.url = url};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/t.db%s", dir, files[i]);
        unlink(path);
    }
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
    return 0;
}

static int tear_down(void **state)
{
    store_close(store);
    return 0;
}

struct job {
    struct store_job job;
    void (*work)(struct db *db);
};

static enum err run_work(struct store_job *job, struct db *db)
{
    ((struct job *)job)->work(db);
    return OK;
}

static void write_now(void (*work)(struct db *))
{
    struct job j = {.job.run = run_work, .work = work};
    assert_ok(store_write_now(store, &j.job));
}

static void recoveries_work(struct db *db)
{
    struct recovery a = {.id = "rec_1", .account = 1, .endpoint = 7, .endpoint_id = "ep_7"};
    struct recovery b = a, got;
    assert_ok(recovery_put(db, &a));
    snprintf(b.id, sizeof b.id, "rec_2");
    assert_err(recovery_put(db, &b), ERR_EXISTS); /* one runs */
    assert_ok(recovery_step(db, &a, 10, 3));
    assert_err(recovery_step(db, &a, 20, 1), ERR_AGAIN); /* it is not at 0 any more */
    assert_err(recovery_get(db, 2, STR("rec_1"), &got), ERR_NOT_FOUND);
    assert_ok(recovery_get(db, 1, STR("rec_1"), &got));
    assert_int_equal(got.at_n, 10);
    assert_int_equal(got.done, 3);
    assert_ok(recovery_next(db, 0, &got));
    assert_err(recovery_next(db, 7, &got), ERR_NOT_FOUND);
    assert_ok(recovery_end(db, a.n, RECOVERY_CANCELED));
    assert_ok(recovery_end(db, a.n, RECOVERY_FINISHED)); /* it stays as it ended */
    assert_ok(recovery_get(db, 0, STR("rec_1"), &got));
    assert_int_equal(got.state, RECOVERY_CANCELED);
    assert_err(recovery_step(db, &got, 20, 1), ERR_AGAIN);
    assert_ok(recovery_put(db, &b));
    assert_ok(recovery_forget(db, INT64_MAX));
    assert_err(recovery_get(db, 0, STR("rec_1"), &got), ERR_NOT_FOUND);
    assert_ok(recovery_get(db, 0, STR("rec_2"), &got));
}

static void recoveries(void **state)
{
    write_now(recoveries_work);
}

static void erasures_work(struct db *db)
{
    struct erasure a = {.id = "era_1", .account = 1, .number = "+1"};
    struct erasure b = {.id = "era_2", .account = 1, .number = "+1"}, got;
    assert_ok(erasure_put(db, &a));
    assert_ok(erasure_put(db, &b)); /* the one that runs */
    assert_string_equal(b.id, "era_1");
    assert_ok(erasure_end(db, a.n));
    assert_err(erasure_next(db, &got), ERR_NOT_FOUND);
    assert_ok(erasure_get(db, 1, STR("era_1"), &got));
    assert_true(got.finished);
}

static void erasures(void **state)
{
    write_now(erasures_work);
}

static int64_t put_event(struct db *db, const char *id, int64_t at_ms)
{
    struct event e = {.account = 1,
                      .id = str_of(id),
                      .number = STR("+1"),
                      .occurred_at_ms = at_ms,
                      .payload = STR("{}")};
    int64_t n;
    bool is_new;
    assert_ok(event_put(db, &e, &n, &is_new));
    return n;
}

static bool count_attempt(void *arg, const struct attempt *a)
{
    ++*(int *)arg;
    return true;
}

static void deleted_work(struct db *db)
{
    int attempts = 0;
    int64_t n = put_event(db, "evt_1", 1);
    struct delivery d = {.event_n = n, .endpoint = 7, .lane = 1}, other = d, got;
    struct attempt a = {.number = 1, .status = 200};
    assert_ok(delivery_put(db, &d));
    other.event_n = put_event(db, "evt_2", 2);
    assert_ok(delivery_put(db, &other));
    assert_ok(event_delete(db, n));
    a.delivery_n = d.n; /* it was under way */
    assert_ok(attempt_put(db, &a, &(struct delivery_after){.state = DELIVERY_DELIVERED}));
    assert_ok(attempt_list(db, d.n, count_attempt, &attempts));
    assert_int_equal(attempts, 0);
    assert_ok(event_delete(db, other.event_n)); /* the last: emptied, canceled */
    assert_ok(delivery_get(db, other.n, &got));
    assert_int_equal(got.state, DELIVERY_CANCELED);
    a.delivery_n = other.n;
    assert_ok(attempt_put(db, &a, &(struct delivery_after){.state = DELIVERY_DELIVERED}));
    assert_ok(delivery_get(db, other.n, &got));
    assert_int_equal(got.state, DELIVERY_CANCELED);
    assert_err(event_find(db, 1, STR("evt_2"), &n), ERR_NOT_FOUND);
}

static void an_attempt_at_what_is_deleted_leaves_nothing(void **state)
{
    write_now(deleted_work);
}

static void bisect_work(struct db *db)
{
    int64_t n, last = 0;
    char id[32];
    assert_ok(event_before(db, 100, &n));
    assert_int_equal(n, 0);
    for (int i = 1; i <= 100; i++) {
        snprintf(id, sizeof id, "evt_%d", i);
        last = put_event(db, id, i * 10);
    }
    for (int i = 3; i < 98; i++) /* rows may be missing */
        if (i % 7)
            assert_ok(event_delete(db, i));
    assert_ok(event_before(db, 10, &n));
    assert_int_equal(n, 0);
    assert_ok(event_before(db, 1001, &n));
    assert_int_equal(n, last);
    assert_ok(event_before(db, 500, &n)); /* 49 is the last before; 56 is next */
    assert_int_equal(n, 49);
}

static void rows_are_found_by_bisection(void **state)
{
    write_now(bisect_work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(recoveries, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erasures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_at_what_is_deleted_leaves_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(rows_are_found_by_bisection, set_up, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
