/* The store's promises, over the real SQLite, with the real threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"
#include "store/rows/outages.h"
#include "store/rows/settings.h"

static char dir[] = "/tmp/hookswitch-store-XXXXXX", url[128];
static struct store *store;

static struct store *open_store(void)
{
    char why[256] = "";
    struct store *s = NULL;
    struct store_config c = {.url = url};
    if (store_open(&c, &s, why, sizeof why) != OK)
        fail_msg("%s", why);
    return s;
}

static int set_up(void **state)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    char path[160];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/t.db%s", dir, files[i]);
        unlink(path);
    }
    store = open_store();
    return 0;
}

static int tear_down(void **state)
{
    store_close(store);
    return 0;
}

struct job { /* a store job that runs a block of the test */
    struct store_job job;
    enum err (*work)(struct db *db, void *arg);
    void *arg;
};

static enum err run_work(struct store_job *job, struct db *db)
{
    struct job *j = (struct job *)job;
    return j->work(db, j->arg);
}

static enum err write_now(enum err (*work)(struct db *, void *), void *arg)
{
    struct job j = {.job.run = run_work, .work = work, .arg = arg};
    return store_write_now(store, &j.job);
}

static enum err read_now(enum err (*work)(struct db *, void *), void *arg)
{
    struct job j = {.job.run = run_work, .work = work, .arg = arg};
    return store_read_now(store, &j.job);
}

static const struct event sample = {.kind = EVENT_INCOMING_CALL,
                                    .account = 1,
                                    .occurred_at_ms = 1000,
                                    .id = {"evt_1", 5},
                                    .number = {"+447911123456", 13},
                                    .peer = {"+19175550100", 12},
                                    .call_id = {"call_1", 6},
                                    .payload = {"{\"event\":\"incoming_call\"}", 25}};

struct put {
    int64_t n;
    bool is_new;
    struct delivery d;
};

static enum err put_sample(struct db *db, void *arg)
{
    struct put *p = arg;
    enum err err = event_put(db, &sample, &p->n, &p->is_new);
    if (err == OK && p->is_new) {
        p->d =
            (struct delivery){.event_n = p->n, .endpoint = 7, .lane = 99, .sequence = UINT32_MAX};
        err = delivery_put(db, &p->d);
    }
    return err;
}

static void the_same_event_is_stored_once(void **state)
{
    struct put a = {0}, b = {0};
    assert_ok(write_now(put_sample, &a));
    assert_true(a.is_new);
    assert_int_equal(a.d.sequence, 1);
    assert_ok(write_now(put_sample, &b));
    assert_false(b.is_new);
    assert_int_equal(a.n, b.n);
}

struct attempted {
    struct put put;
    struct delivery d;
    unsigned n_attempts;
};

static bool count_attempt(void *arg, const struct attempt *a)
{
    ++*(unsigned *)arg;
    assert_int_equal(a->status, 500);
    return true;
}

static enum err attempt_twice(struct db *db, void *arg)
{
    struct attempted *t = arg;
    struct attempt a = {.delivery_n = t->put.d.n, .number = 1, .at_ms = 5, .status = 500};
    enum err err =
        attempt_put(db, &a, &(struct delivery_after){.state = DELIVERY_PENDING, .next_at_ms = 77});
    if (err == OK)
        err = attempt_put(
            db, &a,
            &(struct delivery_after){.state = DELIVERY_GIVEN_UP,
                                     .next_at_ms = 99}); /* the same attempt again: ignored */
    return err;
}

static enum err look(struct db *db, void *arg)
{
    struct attempted *t = arg;
    t->n_attempts = 0;
    enum err err = delivery_get(db, t->put.d.n, &t->d);
    return err == OK ? attempt_list(db, t->put.d.n, count_attempt, &t->n_attempts) : err;
}

static void an_attempt_is_written_once(void **state)
{
    struct attempted t = {0};
    assert_ok(write_now(put_sample, &t.put));
    assert_ok(write_now(attempt_twice, &t));
    assert_ok(read_now(look, &t));
    assert_int_equal(t.n_attempts, 1);
    assert_int_equal(t.d.state, DELIVERY_PENDING);
    assert_int_equal(t.d.next_at_ms, 77);
    assert_int_equal(t.d.attempts, 1);
}

/* More than one write to the log can hold, in one transaction. */
static enum err put_much(struct db *db, void *arg)
{
    static char payload[60000];
    int64_t n;
    bool is_new;
    enum err err = OK;
    memset(payload, 'x', sizeof payload);
    for (int i = 0; err == OK && i < 50; i++) {
        char id[16];
        struct event e = sample;
        snprintf(id, sizeof id, "evt_much%d", i);
        e.id = str_of(id);
        e.payload = str_of_bytes(payload, sizeof payload);
        err = event_put(db, &e, &n, &is_new);
    }
    return err;
}

static enum err find_much(struct db *db, void *arg)
{
    int64_t n;
    return event_find(db, 1, STR("evt_much49"), &n);
}

static void a_large_commit_is_whole(void **state)
{
    assert_ok(write_now(put_much, NULL));
    assert_ok(read_now(find_much, NULL));
    store_close(store);
    store = open_store();
    assert_ok(read_now(find_much, NULL));
}

struct waiting {
    struct delivery d[8];
    size_t n;
    struct outage outage;
};

static bool on_waiting(void *arg, const struct delivery *d)
{
    struct waiting *w = arg;
    assert_true(w->n < 8);
    w->d[w->n++] = *d;
    return true;
}

/* Two lanes of endpoint 7 and one of 8; the first of lane 5 was tried and waits. */
static enum err put_waiting(struct db *db, void *arg)
{
    static const struct {
        uint64_t endpoint, lane;
    } at[] = {{8, 1}, {7, 5}, {7, 2}, {7, 5}, {7, UINT64_MAX}};
    struct put p;
    enum err err = event_put(db, &sample, &p.n, &p.is_new);
    for (size_t i = 0; err == OK && i < 5; i++) {
        struct delivery d = {
            .event_n = p.n, .endpoint = at[i].endpoint, .lane = at[i].lane, .sequence = 1};
        err = delivery_put(db, &d);
        struct attempt a = {.delivery_n = d.n, .number = 1, .at_ms = 5, .status = 500};
        if (err == OK && i == 1)
            err = attempt_put(
                db, &a, &(struct delivery_after){.state = DELIVERY_PENDING, .next_at_ms = 1000});
        if (err == OK && i == 2)
            err = attempt_put(db, &a, &(struct delivery_after){.state = DELIVERY_DELIVERED});
    }
    return err == OK
               ? outage_put(db,
                            &(struct outage){
                                .endpoint = 7, .since_ms = 4711, .status = 503, .next_at_ms = 9})
               : err;
}

static enum err list_waiting(struct db *db, void *arg)
{
    struct waiting *w = arg;
    struct delivery after = {0};
    enum err err = OK;
    for (size_t before = 1; err == OK && w->n != before;) { /* pages of two */
        before = w->n;
        err = delivery_list_waiting(db, &after, 2, on_waiting, w);
        if (w->n)
            after = w->d[w->n - 1];
    }
    return err == OK ? outage_get(db, 7, &w->outage) : err;
}

static enum err list_lane(struct db *db, void *arg)
{
    return delivery_list_lane(db, 7, 5, 10, on_waiting, arg);
}

static enum err recovered(struct db *db, void *arg)
{
    return outage_delete(db, &(struct outage){.endpoint = 7});
}

static void what_waits_is_found_lane_by_lane(void **state)
{
    struct waiting w = {.n = 0}, lane = {.n = 0};
    assert_ok(write_now(put_waiting, NULL));
    assert_ok(read_now(list_waiting, &w));
    assert_int_equal(w.n, 4);
    assert_true(w.d[0].endpoint == 7 && w.d[0].lane == UINT64_MAX); /* signed in the store */
    assert_true(w.d[1].lane == 5 && w.d[1].next_at_ms == 0);
    assert_true(w.d[2].lane == 5 && w.d[2].next_at_ms == 1000 && w.d[2].n < w.d[1].n);
    assert_int_equal(w.d[3].endpoint, 8);
    assert_int_equal(w.outage.since_ms, 4711);
    assert_int_equal(w.outage.status, 503);
    assert_int_equal(w.outage.next_at_ms, 9);
    assert_ok(read_now(list_lane, &lane));
    assert_int_equal(lane.n, 2);
    assert_true(lane.d[0].n < lane.d[1].n && lane.d[0].attempts == 1);
    assert_ok(write_now(recovered, NULL));
    w = (struct waiting){.n = 0};
    assert_ok(read_now(list_waiting, &w));
    assert_int_equal(w.outage.since_ms, 0);
}

static void what_was_written_is_there_after_a_reopen(void **state)
{
    struct attempted t = {0};
    assert_ok(write_now(put_sample, &t.put));
    store_close(store);
    store = open_store();
    assert_ok(read_now(look, &t));
    assert_int_equal(t.d.endpoint, 7);
}

static void a_second_process_is_kept_out(void **state)
{
    char why[256] = "";
    struct store *other = NULL;
    struct store_config c = {.url = url};
    assert_err(store_open(&c, &other, why, sizeof why), ERR_EXISTS);
    assert_non_null(strstr(why, "another hookswitch"));
}

/* Many jobs at once; each third writes and then fails. The rest must be there, and no trace of
 * those. */
enum { JOBS = 300 };
struct many {
    struct store_job job;
    int i;
    atomic_int *committed;
};

static enum err many_run(struct store_job *job, struct db *db)
{
    struct many *m = (struct many *)job;
    char id[32];
    int64_t n;
    bool is_new;
    struct event e = sample;
    snprintf(id, sizeof id, "evt_many_%d", m->i);
    e.id = str_of(id);
    enum err err = event_put(db, &e, &n, &is_new);
    return err != OK ? err : m->i % 3 == 0 ? ERR_INVALID : OK;
}

static void many_committed(struct store_job *job)
{
    atomic_fetch_add(((struct many *)job)->committed, 1);
}

static int done_ok, done_failed;

static void many_done(struct store_job *job)
{
    struct many *m = (struct many *)job;
    assert_int_equal(job->err == OK, m->i % 3 != 0);
    done_ok += job->err == OK;
    done_failed += job->err == ERR_INVALID;
}

static bool count_event(void *arg, int64_t n, const struct event *e)
{
    ++*(int *)arg;
    return true;
}

static enum err count_events(struct db *db, void *arg)
{
    struct event_range all = {.until_n = INT64_MAX, .kind = -1, .limit = 100000};
    return event_list_after(db, &all, count_event, arg);
}

static void a_job_that_fails_takes_nobody_with_it(void **state)
{
    static struct many job[JOBS];
    atomic_int committed = 0;
    int stored = 0;
    struct mailbox *home;
    assert_ok(mailbox_new(&home, 10, NULL, NULL));
    done_ok = done_failed = 0;
    for (int i = 0; i < JOBS; i++) {
        job[i] = (struct many){
            .job = {.run = many_run, .committed = many_committed, .done = many_done, .home = home},
            .i = i,
            .committed = &committed};
        assert_ok(store_write(store, &job[i].job));
    }
    while (done_ok + done_failed < JOBS)
        mail_open_all(mailbox_wait(home));
    assert_int_equal(done_failed, JOBS / 3);
    assert_int_equal(committed, JOBS - JOBS / 3);
    assert_ok(read_now(count_events, &stored));
    assert_int_equal(stored, JOBS - JOBS / 3);
    mailbox_free(home);
}

static enum err large_run(struct store_job *job, struct db *db)
{
    struct event e = sample;
    int64_t n;
    bool is_new;
    char *text = malloc(20 << 20);
    assert_non_null(text);
    memset(text, 'x', 20 << 20);
    e.id = STR("evt_large");
    e.payload = str_of_bytes(text, 20 << 20);
    enum err err = event_put(db, &e, &n, &is_new);
    free(text);
    return err;
}

/* It is its own fault, and no trouble of the store's. */
static void a_row_that_is_too_large_is_refused_alone(void **state)
{
    struct store_job job = {.run = large_run};
    assert_err(store_write_now(store, &job), ERR_TOO_BIG);
    assert_true(store_is_writable(store));
}

static enum err settings_work(struct db *db, void *arg)
{
    struct setting s = {.kind = SETTING_TRUNK,
                        .id = STR("trunk_1"),
                        .account = 1,
                        .key = STR("a"),
                        .doc = STR("{}")};
    struct setting twin = s, got;
    struct buf mem;
    assert_ok(setting_put(db, &s));
    twin.id = STR("trunk_2");
    assert_err(setting_put(db, &twin), ERR_EXISTS);
    s.doc = STR("{\"x\":1}");
    assert_ok(setting_change(db, &s));
    assert_int_equal(s.version, 2);
    s.version = 1;
    assert_err(setting_change(db, &s), ERR_AGAIN);
    buf_init(&mem, 1000);
    assert_ok(setting_get(db, SETTING_TRUNK, 0, STR("trunk_1"), &got, &mem));
    assert_str(got.doc, "{\"x\":1}");
    buf_reset(&mem);
    assert_err(setting_get(db, SETTING_TRUNK, 2, STR("trunk_1"), &got, &mem), ERR_NOT_FOUND);
    assert_ok(setting_delete(db, SETTING_TRUNK, s.n));
    assert_err(setting_delete(db, SETTING_TRUNK, s.n), ERR_NOT_FOUND);
    buf_fini(&mem);
    return OK;
}

static void settings(void **state)
{
    assert_ok(write_now(settings_work, NULL));
}

static enum err calls_work(struct db *db, void *arg)
{
    struct call_row c = {.call_id = STR("call_1"),
                         .account = 1,
                         .trunk = STR("t"),
                         .number = STR("+44"),
                         .peer = STR("+1"),
                         .phase = CALL_PHASE_ENDED,
                         .end_reason = END_BUSY,
                         .facts = STR("{}"),
                         .legs = STR("x")};
    struct call_row got;
    struct buf mem;
    buf_init(&mem, 1000);
    assert_ok(call_put(db, &c));
    c.phase = CALL_PHASE_ANSWERED; /* never back */
    assert_ok(call_put(db, &c));
    assert_ok(call_get(db, 1, STR("call_1"), &got, &mem));
    assert_int_equal(got.phase, CALL_PHASE_ENDED);
    assert_str(got.legs, "x");
    buf_fini(&mem);
    return OK;
}

static void an_ended_call_stays_ended(void **state)
{
    assert_ok(write_now(calls_work, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_event_is_stored_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_attempt_is_written_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_large_commit_is_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_is_found_lane_by_lane, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_written_is_there_after_a_reopen, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_fails_takes_nobody_with_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_row_that_is_too_large_is_refused_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_ended_call_stays_ended, set_up, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
