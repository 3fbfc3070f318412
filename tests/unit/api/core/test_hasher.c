/* The thread that hashes passwords: one after another, and no more waiting than may. */
#include "check.h"
#include "api/core/hasher.h"

static struct hasher *h;
static struct mailbox *home;

struct job {
    struct hash_job hash; /* first */
    struct mail back;
};

static void on_back(struct mail *m)
{
}

static void done(struct hash_job *job)
{
    struct job *j = (struct job *)job;
    j->back.open = on_back;
    mailbox_put_answer(home, &j->back);
}

static int set_up(void **state)
{
    assert_ok(hasher_start(&h));
    assert_ok(mailbox_new(&home, 1000, NULL, NULL));
    return 0;
}

static int tear_down(void **state)
{
    hasher_stop(h);
    mailbox_free(home);
    return 0;
}

static void wait_for(size_t n)
{
    while (n)
        for (struct mail *m = mailbox_wait(home); m; m = m->next)
            n--;
}

static void a_hash_is_made_and_compared(void **state)
{
    struct job made = {.hash = {.makes = true, .done = done}};
    struct job right = {.hash.done = done}, wrong = right, nobody = right;
    assert_ok(hasher_put(h, 1, &made.hash, STR("correct horse")));
    wait_for(1);
    assert_ok(made.hash.err);
    static const char blank[HASHED_PASSWORD_MAX];
    assert_memory_equal(made.hash.password, blank, sizeof blank);
    memcpy(right.hash.hash, made.hash.hash, PASSWORD_HASH_SIZE);
    memcpy(wrong.hash.hash, made.hash.hash, PASSWORD_HASH_SIZE);
    assert_ok(hasher_put(h, 1, &right.hash, STR("correct horse")));
    assert_ok(hasher_put(h, 1, &wrong.hash, STR("correct horses")));
    assert_ok(hasher_put(h, 1, &nobody.hash, STR("correct horse")));
    wait_for(3);
    assert_true(right.hash.matches);
    assert_false(wrong.hash.matches);
    assert_false(nobody.hash.matches);
}

/* One address has its share waiting, and is told so; another's password is compared after one more
 * of the first one's. */
static void owners_take_turns(void **state)
{
    static struct job job[HASHES_WAITING], other;
    size_t taken = 0, before = 0;
    enum err err = OK;
    bool came = false;
    for (; err == OK && taken < HASHES_WAITING; taken += err == OK) {
        job[taken].hash = (struct hash_job){.done = done};
        err = hasher_put(h, 1, &job[taken].hash, STR("x"));
    }
    assert_err(err, ERR_AGAIN);
    assert_true(taken > HASHES_FIRST && taken < HASHES_WAITING);
    other.hash = (struct hash_job){.done = done};
    assert_ok(hasher_put(h, 2, &other.hash, STR("x")));
    for (size_t n = 0; n < taken + 1;)
        for (struct mail *m = mailbox_wait(home); m; m = m->next, n++) {
            came |= m == &other.back;
            before += !came;
        }
    assert_true(came && before < taken / 2);
}

static void what_is_too_long_is_refused(void **state)
{
    struct job j = {.hash.done = done};
    char text[HASHED_PASSWORD_MAX + 1] = {0};
    assert_err(hasher_put(h, 1, &j.hash, str_of_bytes(text, sizeof text)), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hash_is_made_and_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(owners_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_long_is_refused, set_up, tear_down),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
