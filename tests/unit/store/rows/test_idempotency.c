/* Answers kept under a key: one each, of an account alone, oldest deleted first. */
#include <unistd.h>

#include "check.h"
#include "store/rows/idempotency.h"

static char dir[] = "/tmp/hookswitch-idempotency-XXXXXX", url[128];
static struct store *store;

struct job {
    struct store_job job; /* first */
    enum err (*work)(struct db *db);
};

static enum err job_run(struct store_job *job, struct db *db)
{
    return ((struct job *)job)->work(db);
}

static enum err write_now(enum err (*work)(struct db *))
{
    struct job j = {.job.run = job_run, .work = work};
    return store_write_now(store, &j.job);
}

static enum err put(struct db *db, uint64_t account, const char *key, int64_t at_ms, int64_t *ret_n)
{
    const struct kept_answer a = {
        .fingerprint = STR("f"), .status = 202, .answer = STR("what was said")};
    return kept_answer_put(db, account, str_of(key), &a, at_ms, ret_n);
}

static enum err one_each(struct db *db)
{
    int64_t first = 0, n = 0;
    struct kept_answer got;
    struct buf mem;
    buf_init(&mem, 4096);
    assert_err(kept_answer_get(db, 1, STR("k"), &got, &mem), ERR_NOT_FOUND);
    assert_ok(put(db, 1, "k", 1000, &first));
    assert_err(put(db, 1, "k", 1001, &n), ERR_EXISTS);
    assert_ok(put(db, 2, "k", 1002, &n));
    assert_int_not_equal(n, first);
    assert_ok(kept_answer_get(db, 1, STR("k"), &got, &mem));
    assert_int_equal(got.n, first);
    assert_int_equal(got.status, 202);
    assert_str(got.fingerprint, "f");
    assert_str(got.answer, "what was said");
    assert_err(kept_answer_get(db, 1, STR("K"), &got, &mem), ERR_NOT_FOUND);
    assert_err(kept_answer_get(db, 3, STR("k"), &got, &mem), ERR_NOT_FOUND);
    buf_fini(&mem);
    return OK;
}

static void an_account_has_one_answer_for_a_key(void **state)
{
    assert_ok(write_now(one_each));
}

static enum err the_oldest(struct db *db)
{
    char key[16];
    int64_t n = 0, last = 0, deleted = 0;
    assert_ok(kept_answer_before(db, 0, 100, &n));
    assert_int_equal(n, 0);
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "old %d", i);
        assert_ok(put(db, 5, key, 2000 + i, &n));
        if (i == 4)
            last = n;
    }
    assert_ok(kept_answer_before(db, 2005, 100, &n));
    assert_int_equal(n, last);
    assert_ok(kept_answer_before(db, 3000, 3, &n)); /* not more than that at once */
    assert_true(n > 0 && n < last);
    assert_ok(kept_answer_delete(db, last, &deleted));
    assert_true(deleted >= 5);
    assert_ok(kept_answer_before(db, 2005, 100, &n));
    assert_int_equal(n, 0);
    return OK;
}

static void the_oldest_go_first_and_a_few_at_a_time(void **state)
{
    assert_ok(write_now(the_oldest));
}

int main(void)
{
    char why[256] = "";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_has_one_answer_for_a_key),
        cmocka_unit_test(the_oldest_go_first_and_a_few_at_a_time),
    };
    if (!mkdtemp(dir))
        return 1;
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    struct store_config c = {.url = url};
    if (store_open(&c, &store, why, sizeof why) != OK)
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    store_close(store);
    return failed;
}
