/* The door in: what is told to deliver and to the sender, when the commit's answer is lost. */
#include <unistd.h>

#include "check.h"
#include "faulty_engine.h"
#include "hub/intake.h"

static char dir[] = "/tmp/hookswitch-intake-XXXXXX", url[128];
static struct store *store;
static struct intake *intake;
static struct mailbox *home;
static unsigned n_told, n_taken;
static int64_t told_n;
static bool was_duplicate;

static void on_stored(void *arg, const struct stored *s) /* read after the answer came home */
{
    n_told++;
    assert_int_equal(s->n_deliveries, 1);
    told_n = s->deliveries[0].n;
}

static void on_taken(void *arg, uint64_t token, struct admission **t, enum err err, bool duplicate)
{
    assert_ok(err);
    n_taken++;
    was_duplicate = duplicate;
}

static int set_up(void **state)
{
    char why[256];
    struct store_config c = {.url = url, .engine = &engine_faulty};
    assert_ok(store_open(&c, &store, why, sizeof why));
    assert_ok(intake_new(store, on_stored, NULL, &intake));
    assert_ok(mailbox_new(&home, 10, NULL, NULL));
    n_told = n_taken = 0;
    return 0;
}

static int tear_down(void **state)
{
    store_close(store);
    intake_free(intake);
    mailbox_free(home);
    return 0;
}

static void take(const char *id)
{
    struct event proto = {.kind = EVENT_PING, .account = 1, .id = str_of(id), .payload = STR("{}")};
    struct event *made;
    struct admission *t;
    assert_ok(event_new(&proto, &made));
    const struct event *e = made;
    assert_ok(admission_new_for(intake, 7, &e, &t));
    unsigned before = n_taken;
    assert_ok(intake_one(intake, &t, home, on_taken, NULL, 0));
    while (n_taken == before)
        mail_open_all(mailbox_wait(home));
}

struct look {
    struct store_job job;
    unsigned n;
};

static bool on_pending(void *arg, const struct delivery *d)
{
    struct look *l = arg;
    l->n++;
    return true;
}

static enum err look_run(struct store_job *job, struct db *db)
{
    static const struct delivery start = {0};
    return delivery_list_waiting(db, &start, 100, on_pending, job);
}

static unsigned pending(void)
{
    struct look l = {.job.run = look_run};
    assert_ok(store_read_now(store, &l.job));
    return l.n;
}

static void a_commit_of_unknown_end_is_told_once(void **state)
{
    unsigned before = pending();
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_DONE, 1, 1);
    take("evt_done");
    assert_int_equal(fault_count(), 1);
    assert_false(was_duplicate);
    assert_int_equal(n_told, 1);
    assert_int_not_equal(told_n, 0);
    assert_int_equal(pending(), before + 1);
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_NOT, 1, 1);
    take("evt_not");
    assert_false(was_duplicate);
    assert_int_equal(n_told, 2);
    assert_int_equal(pending(), before + 2);
}

static void a_repeat_is_a_duplicate_and_told_to_nobody(void **state)
{
    unsigned before = pending();
    take("evt_twice");
    take("evt_twice");
    assert_true(was_duplicate);
    assert_int_equal(n_told, 1);
    assert_int_equal(pending(), before + 1);
}

static enum err nothing_run(struct store_job *job, struct db *db)
{
    return OK;
}

static void put_anything(void)
{
    struct store_job job = {.run = nothing_run};
    assert_ok(store_write_now(store, &job));
}

static enum err told;

static void on_batch(void *arg, enum err err, const bool *duplicate, size_t n)
{
    assert_int_equal(n, 3);
    told = err;
    n_taken++;
    was_duplicate = duplicate[0];
    assert_true(duplicate[1] == was_duplicate && duplicate[2] == was_duplicate);
}

static void take_all_with(const char *const id[3], const struct intake_companion *with)
{
    struct admission *t[3];
    for (int i = 0; i < 3; i++) {
        struct event proto = {
            .kind = EVENT_PING, .account = 1, .id = str_of(id[i]), .payload = STR("{}")};
        struct event *made;
        assert_ok(event_new(&proto, &made));
        const struct event *e = made;
        assert_ok(admission_new_for(intake, 7, &e, &t[i]));
    }
    n_taken = 0;
    assert_ok(intake_batch(intake, t, 3, with, home, on_batch, NULL));
    assert_null(t[0]);
    while (!n_taken)
        mail_open_all(mailbox_wait(home));
}

static void take_all(const char *const id[3])
{
    take_all_with(id, NULL);
}

static void many_are_stored_all_or_none(void **state)
{
    static const char *const id[] = {"evt_a", "evt_b", "evt_c"};
    unsigned before = pending(), n = 1;
    for (bool reached = true; reached; n++) {
        fault_arm(FAULT_RUN, FAULT_FULL, n, 1);
        take_all(id);
        reached = fault_count() > 0;
        fault_disarm();
        assert_int_equal(told, reached ? ERR_STORE_FULL : OK);
        assert_int_equal(pending(), before + (reached ? 0 : 3));
        assert_int_equal(n_told, reached ? 0 : 3);
        if (reached) /* writable again, by a commit that succeeds */
            put_anything();
    }
    assert_true(n > 3);
    take_all(id);
    assert_true(was_duplicate);
    assert_int_equal(n_told, 3);
}

/* Work of the caller's beside the events. */
struct beside {
    bool skip;
    enum err fails;
    unsigned before, after, n_new;
};

static enum err beside_before(void *arg, struct db *db, bool *ret_skip)
{
    struct beside *b = arg;
    b->before++;
    *ret_skip = b->skip;
    return OK;
}

static enum err beside_after(void *arg, struct db *db, const struct admission *const *t, size_t n)
{
    struct beside *b = arg;
    b->after++;
    b->n_new = 0;
    for (size_t i = 0; i < n; i++)
        b->n_new += admission_is_new(t[i]);
    return b->fails;
}

static void a_companion_is_in_the_same_transaction(void **state)
{
    static const char *const id[] = {"evt_d", "evt_e", "evt_f"};
    struct beside b = {.fails = ERR_INVALID};
    const struct intake_companion with = {beside_before, beside_after, &b};
    unsigned before = pending();
    take_all_with(id, &with); /* refused by it: nothing is stored */
    assert_int_equal(told, ERR_INVALID);
    assert_int_equal(pending(), before);
    b = (struct beside){.skip = true};
    take_all_with(id, &with); /* it says that they were taken before */
    assert_ok(told);
    assert_true(was_duplicate);
    assert_int_equal(b.after, 0);
    assert_int_equal(pending(), before);
    assert_int_equal(n_told, 0);
    b = (struct beside){0};
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_DONE, 1, 1);
    take_all_with(id, &with); /* done, but the answer was lost: it runs again, and they are new */
    assert_int_equal(fault_count(), 1);
    assert_int_equal(b.before, 2);
    assert_int_equal(b.after, 2);
    assert_int_equal(b.n_new, 3);
    assert_false(was_duplicate);
    assert_int_equal(pending(), before + 3);
    assert_int_equal(n_told, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_commit_of_unknown_end_is_told_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_repeat_is_a_duplicate_and_told_to_nobody, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_are_stored_all_or_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_companion_is_in_the_same_transaction, set_up, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
