/* Log-ins and uses of keys. */
#include "rows_kit.h"
#include "store/rows/tokens.h"

struct seen {
    size_t n;
    uint64_t user[8];
};

static bool note(void *arg, const struct token *t)
{
    struct seen *s = arg;
    if (s->n < 8)
        s->user[s->n] = t->user;
    s->n++;
    return true;
}

static void put(struct db *db, const char *hash, uint64_t user, int64_t expires_at_ms)
{
    const struct token t = {
        .hash = str_of(hash), .user = user, .stamp = 9, .expires_at_ms = expires_at_ms};
    assert_ok(token_put(db, &t));
}

static void tokens(struct db *db)
{
    struct seen s = {0};
    put(db, "aa", 1, 1000);
    put(db, "bb", 2, 2000);
    put(db, "cc", 3, 3000);
    put(db, "aa", 7, 9000); /* a job that runs again does nothing */
    assert_ok(token_list(db, note, &s));
    assert_int_equal(s.n, 3);
    assert_int_equal(s.user[0], 1);
    assert_int_equal(s.user[2], 3);
    assert_ok(token_forget(db, 2000)); /* those that expired before */
    s.n = 0;
    assert_ok(token_list(db, note, &s));
    assert_int_equal(s.n, 2);
    assert_int_equal(s.user[0], 2);
    assert_ok(token_delete(db, STR("bb")));
    assert_ok(token_delete(db, STR("bb")));
    s.n = 0;
    assert_ok(token_list(db, note, &s));
    assert_int_equal(s.n, 1);
}

static void a_token_lives_until_it_expires_or_is_deleted(void **state)
{
    in_job(tokens);
}

static void uses(struct db *db)
{
    int64_t at_ms = -1;
    assert_ok(key_use_get(db, 5, &at_ms));
    assert_int_equal(at_ms, 0);
    assert_ok(key_use_put(db, 5, 200));
    assert_ok(key_use_put(db, 5, 100)); /* an older one does not win */
    assert_ok(key_use_get(db, 5, &at_ms));
    assert_int_equal(at_ms, 200);
    assert_ok(key_use_put(db, 5, 300));
    assert_ok(key_use_get(db, 5, &at_ms));
    assert_int_equal(at_ms, 300);
    assert_ok(key_use_delete(db, 5));
    assert_ok(key_use_get(db, 5, &at_ms));
    assert_int_equal(at_ms, 0);
}

static void the_last_use_of_a_key_is_the_latest(void **state)
{
    in_job(uses);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_lives_until_it_expires_or_is_deleted),
        cmocka_unit_test(the_last_use_of_a_key_is_the_latest),
    };
    return cmocka_run_group_tests(tests, rows_begin, rows_end);
}
