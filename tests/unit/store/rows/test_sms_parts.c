/* The rows of messages that are not whole: what goes in comes out, each byte of it, and what an
 * account has waiting is counted right. */
#include <unistd.h>

#include "check.h"
#include "store/rows/sms_parts.h"

static char dir[] = "/tmp/hookswitch-sms-parts-XXXXXX", url[128];
static struct store *store;

struct job {
    struct store_job job;
    void (*work)(struct db *db);
};

static enum err job_run(struct store_job *job, struct db *db)
{
    ((struct job *)job)->work(db);
    return OK;
}

static void in_a_job(void (*work)(struct db *db))
{
    struct job j = {.job.run = job_run, .work = work};
    assert_ok(store_write_now(store, &j.job));
}

static struct sms_set set_of(const char *id, uint64_t account)
{
    struct sms_set s = {.account = account, .parts = 3, .last_at_ms = 1000, .ends_at_ms = 2000};
    snprintf(s.id, sizeof s.id, "%s", id);
    snprintf(s.link, sizeof s.link, "lnk_1");
    snprintf(s.from, sizeof s.from, "+19175550100");
    snprintf(s.to, sizeof s.to, "+447911123456");
    snprintf(s.message_id, sizeof s.message_id, "msg_%s", id);
    return s;
}

static const char bytes[] = "a\0b\xff\xfe\x1b";
static const struct sms_part part = {.number = 2,
                                     .data_coding = 8,
                                     .coding = {SMS_UCS2, 3, 4, 5},
                                     .data = {bytes, sizeof bytes - 1}};

static bool on_part(void *arg, const struct sms_part *p)
{
    unsigned *seen = arg;
    ++*seen;
    assert_int_equal(p->number, 2);
    assert_int_equal(p->data_coding, 8);
    assert_int_equal(p->coding.alphabet, SMS_UCS2);
    assert_int_equal(p->coding.single_shift, 3);
    assert_int_equal(p->coding.locking_shift, 4);
    assert_int_equal(p->coding.fill, 5);
    assert_int_equal(p->data.n, part.data.n);
    assert_memory_equal(p->data.p, part.data.p, part.data.n);
    return true;
}

static void expect_held(struct db *db, uint64_t account, int64_t sets, int64_t octets)
{
    struct sms_held held;
    assert_ok(sms_held_get(db, account, &held));
    assert_int_equal(held.sets, sets);
    assert_int_equal(held.bytes, octets);
}

static void part_work(struct db *db)
{
    struct sms_set s = set_of("one", 1), got;
    bool is_new, same;
    unsigned seen = 0;
    int64_t oldest = 0;
    assert_err(sms_set_find(db, STR("one"), &got), ERR_NOT_FOUND);
    assert_ok(sms_set_put(db, &s));
    assert_ok(sms_part_put(db, &s, &part, 1500, &is_new));
    assert_true(is_new);
    assert_ok(sms_part_put(db, &s, &part, 1600, &is_new));
    assert_false(is_new);
    assert_ok(sms_part_list(db, s.n, on_part, &seen));
    assert_int_equal(seen, 1);
    assert_ok(sms_set_find(db, STR("one"), &got));
    assert_int_equal(got.have, 1);
    assert_int_equal(got.last_at_ms, 1500);
    assert_int_equal(got.bytes, (int64_t)part.data.n + SMS_PART_COST);
    assert_string_equal(got.from, "+19175550100");
    assert_string_equal(got.message_id, "msg_one");
    expect_held(db, 1, 1, got.bytes);
    assert_ok(sms_set_oldest(db, 1, &oldest));
    assert_int_equal(oldest, s.n);
    assert_ok(sms_part_same(db, s.n, &part, &same));
    assert_true(same);
    struct sms_part other = part;
    other.data.n--;
    assert_ok(sms_part_same(db, s.n, &other, &same));
    assert_false(same);
    other = part;
    other.coding.single_shift++;
    assert_ok(sms_part_same(db, s.n, &other, &same));
    assert_false(same);
    other.number = 1;
    assert_err(sms_part_same(db, s.n, &other, &same), ERR_NOT_FOUND);
}

static void a_part_comes_back_as_it_went_in(void **state)
{
    in_a_job(part_work);
}

static bool on_due(void *arg, int64_t n, int64_t ends_at_ms)
{
    int64_t *at = arg;
    assert_true(*at <= ends_at_ms);
    *at = ends_at_ms;
    return true;
}

static void end_work(struct db *db)
{
    struct sms_set s, again;
    int64_t at = 0, n = 0;
    unsigned seen = 0;
    assert_ok(sms_set_find(db, STR("one"), &s));
    s.digest[0] = UINT64_MAX;
    s.digest[2] = 77;
    assert_ok(sms_set_end(db, &s, 9000));
    expect_held(db, 1, 0, 0);
    assert_ok(sms_set_get(db, s.n, &again));
    assert_int_equal(again.state, SMS_SET_DONE);
    assert_true(again.digest[0] == UINT64_MAX && again.digest[1] == 0 && again.digest[2] == 77);
    assert_ok(sms_part_list(db, s.n, on_part, &seen));
    assert_int_equal(seen, 0);
    assert_err(sms_set_oldest(db, 1, &n), ERR_NOT_FOUND);
    assert_ok(sms_set_list_due(db, SMS_SET_DONE, 10, on_due, &at));
    assert_int_equal(at, 9000);
    assert_ok(sms_set_delete(db, &again));
    expect_held(db, 1, 0, 0);
    struct sms_set next = set_of("one", 1);
    assert_ok(sms_set_put(db, &next));
    assert_true(next.n > s.n); /* no number comes twice */
    assert_ok(sms_set_delete(db, &next));
    expect_held(db, 1, 0, 0);
}

static void what_is_done_is_remembered_and_forgotten(void **state)
{
    in_a_job(end_work);
}

int main(void)
{
    char why[256];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_comes_back_as_it_went_in),
        cmocka_unit_test(what_is_done_is_remembered_and_forgotten),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    struct store_config c = {.url = url};
    assert_ok(store_open(&c, &store, why, sizeof why));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    store_close(store);
    return failed;
}
