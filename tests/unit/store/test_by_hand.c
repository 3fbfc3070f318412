/* A store without threads: it works when the test says so, in memory. */
#include <limits.h>

#include "check.h"
#include "faulty_engine.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"

static struct store *store;
static struct mailbox *home;
static unsigned done;

static int set_up(void **state)
{
    char why[256] = "";
    const struct store_config c = {
        .url = "sqlite::memory:", .engine = &engine_faulty, .by_hand = true};
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
    done = 0;
    return mailbox_new(&home, 16, NULL, NULL) == OK ? 0 : -1;
}

static int tear_down(void **state)
{
    store_close(store);
    mailbox_free(home);
    return 0;
}

static enum err put_run(struct store_job *job, struct db *db)
{
    const struct call_row row = {.call_id = STR("call_1"), .account = 1, .end_reason = -1};
    return call_put(db, &row);
}

static enum err get_run(struct store_job *job, struct db *db)
{
    struct call_row row;
    struct buf mem;
    buf_init(&mem, 4096);
    enum err err = call_get(db, 1, STR("call_1"), &row, &mem);
    buf_fini(&mem);
    return err;
}

static void on_done(struct store_job *job)
{
    done++;
}

static void jobs_wait_for_the_turn(void **state)
{
    struct store_job put = {.run = put_run, .done = on_done, .home = home};
    struct store_job get = {.run = get_run, .done = on_done, .home = home};
    assert_ok(store_write(store, &put));
    assert_null(mailbox_take(home));
    store_turn(store);
    mail_open_all(mailbox_take(home));
    assert_int_equal(done, 1);
    assert_ok(put.err);
    assert_ok(store_read(store, &get));
    assert_null(mailbox_take(home));
    store_turn(store);
    mail_open_all(mailbox_take(home));
    assert_int_equal(done, 2);
    assert_ok(get.err);
    assert_ok(store_read_now(store, &get)); /* turns by itself */
}

static void trouble_lasts_until_a_turn_finds_it_over(void **state)
{
    struct store_job put = {.run = put_run};
    fault_arm(FAULT_COMMIT, FAULT_NOT_DONE, 1, 2);
    assert_err(store_write_now(store, &put), ERR_STORE);
    assert_false(store_is_writable(store));
    store_turn(store);
    assert_false(store_is_writable(store));
    store_turn(store);
    assert_true(store_is_writable(store));
    assert_ok(store_write_now(store, &put));
}

static void what_waits_at_the_close_is_done(void **state)
{
    struct store_job put = {.run = put_run, .done = on_done, .home = home};
    assert_ok(store_write(store, &put));
    store_close(store);
    store = NULL;
    mail_open_all(mailbox_take(home));
    assert_int_equal(done, 1);
    assert_ok(put.err);
}

struct numbered_job {
    struct store_job job;
    const char *id;
    struct delivery delivery;
};

static enum err numbered_run(struct store_job *job, struct db *db)
{
    struct numbered_job *j = (struct numbered_job *)job;
    bool is_new;
    const struct event e = {.kind = EVENT_CALL_ENDED,
                            .account = 1,
                            .id = str_of(j->id),
                            .call_id = STR("call_1"),
                            .payload = STR("{}")};
    enum err err = event_put(db, &e, &j->delivery.event_n, &is_new);
    return err == OK ? delivery_put(db, &j->delivery) : err;
}

/* The next run does not go by the number that the one before found. */
static void a_sequence_is_looked_up_in_each_run(void **state)
{
    struct numbered_job one = {{.run = numbered_run}, "evt_1", {.endpoint = 7}}, two = one;
    one.delivery.sequence = two.delivery.sequence = UINT_MAX;
    two.id = "evt_2";
    assert_ok(store_write_now(store, &one.job));
    assert_int_equal(one.delivery.sequence, 1);
    fault_arm(FAULT_RUN, FAULT_UNSURE_NOT, 2, 1); /* the look-up; the job runs again */
    assert_ok(store_write_now(store, &two.job));
    assert_int_equal(fault_count(), 1);
    assert_int_equal(two.delivery.sequence, 2);
    fault_arm(FAULT_COMMIT, FAULT_UNSURE_NOT, 1, 1);
    two.id = "evt_3";
    two.delivery.sequence = UINT_MAX;
    assert_ok(store_write_now(store, &two.job));
    assert_int_equal(two.delivery.sequence, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_wait_for_the_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trouble_lasts_until_a_turn_finds_it_over, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_sequence_is_looked_up_in_each_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_at_the_close_is_done, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
