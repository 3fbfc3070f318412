/* The housekeeper's chores over a real store: what a recovery sends and in which lane, what a
 * retention and an erasure delete, and what has to stay. */
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "hub/chores/housekeeper.h"
#include "hub/chores/recovery.h"
#include "store/rows/erasures.h"
#include "store/rows/expiry.h"

static char dir[] = "/tmp/hookswitch-hub-XXXXXX", url[128];
static struct store *store;
static struct books *books;
static struct intake *intake;
static struct housekeeper *housekeeper;
static uint64_t account, endpoint, other;
static atomic_int told, erased;
static _Atomic int64_t last_told; /* event_n */
static atomic_bool disordered;

static void on_stored(void *arg, const struct stored *s)
{
    if (s->event_n < last_told)
        disordered = true;
    last_told = s->event_n;
    assert_true(s->deliveries[0].lane == lane_key(s->deliveries[0].endpoint, s->event));
    atomic_fetch_add(&told, 1);
}

static void on_erase(void *arg, uint64_t of, struct str number)
{
    atomic_fetch_add(&erased, 1);
}

struct job {
    struct store_job job;
    enum err (*work)(struct db *db, void *arg);
    void *arg;
    struct setting *committed;
};

static enum err run_work(struct store_job *job, struct db *db)
{
    struct job *j = (struct job *)job;
    return j->work(db, j->arg);
}

static void on_committed(struct store_job *job)
{
    struct job *j = (struct job *)job;
    if (j->committed)
        books_changed(books, j->committed, false);
}

static void write_now(enum err (*work)(struct db *, void *), void *arg)
{
    struct job j = {.job = {.run = run_work, .committed = on_committed}, .work = work, .arg = arg};
    assert_ok(store_write_now(store, &j.job));
}

static enum err setting_work(struct db *db, void *arg)
{
    return setting_put(db, arg);
}

static uint64_t put_setting(enum setting_kind kind, const char *id, const char *doc)
{
    struct setting s = {
        .kind = kind, .id = str_of(id), .key = str_of(id), .account = account, .doc = str_of(doc)};
    struct job j = {.job = {.run = run_work, .committed = on_committed},
                    .work = setting_work,
                    .arg = &s,
                    .committed = &s};
    assert_ok(store_write_now(store, &j.job));
    return s.n;
}

static int set_up(void **state)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    char path[160], why[256] = "";
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/t.db%s", dir, files[i]);
        unlink(path);
    }
    struct store_config c = {.url = url};
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
    assert_ok(books_open(store, &books));
    assert_ok(intake_new(store, on_stored, NULL, &intake));
    account = 0;
    account = put_setting(SETTING_ACCOUNT, "acc_1", "{\"name\":\"a\"}");
    endpoint = put_setting(SETTING_ENDPOINT, "ep_1",
                           "{\"url\":\"https://example.com/\",\"numbers\":[\"+15550001\"],"
                           "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}");
    other = put_setting(SETTING_ENDPOINT, "ep_off",
                        "{\"url\":\"https://example.com/\",\"disabled\":true,"
                        "\"secret\":\"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"}");
    told = erased = 0;
    last_told = 0;
    disordered = false;
    return 0;
}

static void keep_house(void)
{
    struct housekeeper_config c = {.store = store,
                                   .books = books,
                                   .intake = intake,
                                   .retention_days = 30,
                                   .on_erase = on_erase};
    assert_ok(housekeeper_start(&c, &housekeeper));
}

static int tear_down(void **state)
{
    housekeeper_stop(housekeeper);
    housekeeper = NULL;
    store_close(store);
    intake_free(intake);
    books_close(books);
    return 0;
}

/* An event of a call, and the deliveries that it had. */
struct made {
    int i;
    const char *number;
    int64_t at_ms;
    int64_t n;
    struct str payload; /* absent: a sound one */
    struct delivery delivery[2];
    enum delivery_state state[2];
    size_t deliveries;
};

static enum err make_work(struct db *db, void *arg)
{
    struct made *m = arg;
    char id[32], call[32];
    bool is_new;
    snprintf(id, sizeof id, "evt_%d", m->i);
    snprintf(call, sizeof call, "call_%d", m->i / 3);
    struct event e = {.kind = EVENT_INCOMING_CALL,
                      .account = account,
                      .occurred_at_ms = m->at_ms,
                      .id = str_of(id),
                      .number = str_of(m->number),
                      .peer = STR("+1"),
                      .call_id = str_of(call),
                      .payload = m->payload.n ? m->payload : STR("{\"event\":\"incoming_call\"}")};
    enum err err = event_put(db, &e, &m->n, &is_new);
    for (size_t i = 0; err == OK && i < m->deliveries; i++) {
        struct delivery *d = &m->delivery[i];
        d->event_n = m->n;
        d->lane = lane_key(d->endpoint, &e);
        err = delivery_put(db, d);
        struct attempt a = {.delivery_n = d->n, .number = 1, .at_ms = m->at_ms, .status = 500};
        if (err == OK && m->state[i] != DELIVERY_PENDING)
            err = attempt_put(db, &a, &(struct delivery_after){.state = m->state[i]});
    }
    return err;
}

static int64_t make(int i, const char *number, int64_t at_ms, uint64_t to,
                    enum delivery_state state)
{
    struct made m = {.i = i, .number = number, .at_ms = at_ms, .deliveries = to != 0};
    m.delivery[0] = (struct delivery){.endpoint = to, .sequence = 7};
    m.state[0] = state;
    write_now(make_work, &m);
    return m.n;
}

/* Conditions are asked of the store again and again; the housekeeper moves meanwhile. */
static void await_that(bool (*holds)(struct db *db, void *arg), void *arg);

struct asked {
    bool (*holds)(struct db *db, void *arg);
    void *arg;
    bool held;
};

static enum err ask_work(struct db *db, void *arg)
{
    struct asked *a = arg;
    a->held = a->holds(db, a->arg);
    return OK;
}

static bool holds_now(bool (*holds)(struct db *, void *), void *arg)
{
    struct asked a = {holds, arg, false};
    struct job j = {.job.run = run_work, .work = ask_work, .arg = &a};
    assert_ok(store_read_now(store, &j.job));
    return a.held;
}

static void await_that(bool (*holds)(struct db *, void *), void *arg)
{
    int64_t end = clock_mono_ms() + 20000;
    while (!holds_now(holds, arg)) {
        if (clock_mono_ms() > end)
            fail_msg("waited in vain");
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static bool is_gone(struct db *db, void *arg)
{
    struct event *e = NULL;
    enum err err = event_get(db, *(int64_t *)arg, &e);
    const struct event *drop = e;
    event_drop(&drop);
    return err == ERR_NOT_FOUND;
}

static struct recovery recovery;

static enum err recovery_work(struct db *db, void *arg)
{
    enum err err = recover_place(db, &recovery);
    return err == OK ? recovery_put(db, &recovery) : err;
}

static void begin_recovery(int64_t since_ms, int64_t until_ms)
{
    recovery = (struct recovery){.id = "rec_1",
                                 .account = account,
                                 .endpoint = endpoint,
                                 .endpoint_id = "ep_1",
                                 .since_ms = since_ms,
                                 .until_ms = until_ms};
    write_now(recovery_work, NULL);
}

static bool recovery_is(struct db *db, void *arg)
{
    struct recovery r;
    if (recovery_get(db, account, STR("rec_1"), &r) != OK)
        return false;
    recovery = r;
    return r.state == *(enum recovery_state *)arg;
}

static bool first_sequence(void *arg, const struct delivery *d)
{
    if (d->state == DELIVERY_PENDING)
        *(unsigned *)arg = d->sequence;
    return true;
}

static bool keeps_sequence(struct db *db, void *arg)
{
    unsigned sequence = 0;
    assert_ok(delivery_list_of_event(db, *(int64_t *)arg, first_sequence, &sequence));
    return sequence == 7;
}

static void a_recovery_sends_what_was_missed(void **state)
{
    enum recovery_state finished = RECOVERY_FINISHED;
    int64_t now = clock_wall_ms(), given_up;
    make(0, "+15550001", now - 9000, 0, 0); /* outside of the range */
    make(1, "+15550001", now - 5000, 0, 0); /* never made: goes */
    given_up = make(2, "+15550001", now - 4000, endpoint, DELIVERY_GIVEN_UP); /* goes */
    make(3, "+15550001", now - 3000, endpoint, DELIVERY_DELIVERED);           /* has it */
    make(4, "+15550001", now - 3000, endpoint, DELIVERY_PENDING);             /* gets it */
    make(5, "+15550002", now - 3000, 0, 0);                                   /* not wanted */
    make(6, "+15550001", now - 2000, endpoint, DELIVERY_CANCELED);            /* goes */
    make(7, "+15550001", now - 1000, 0, 0);                                   /* outside */
    begin_recovery(now - 6000, now - 1000);
    keep_house();
    await_that(recovery_is, &finished);
    assert_int_equal(recovery.done, 3);
    assert_int_equal(told, 3);
    assert_false(disordered);
    assert_true(holds_now(keeps_sequence, &given_up));
}

static void an_event_that_cannot_be_read_does_not_hold_a_recovery(void **state)
{
    static char large[EVENT_PAYLOAD_MAX + 1];
    enum recovery_state finished = RECOVERY_FINISHED;
    int64_t now = clock_wall_ms();
    struct made m = {.i = 1, .number = "+15550001", .at_ms = now - 3000};
    memset(large, '1', sizeof large);
    m.payload = str_of_bytes(large, sizeof large);
    make(0, "+15550001", now - 4000, 0, 0);
    write_now(make_work, &m);
    make(2, "+15550001", now - 2000, 0, 0);
    begin_recovery(now - 6000, now - 1000);
    keep_house();
    await_that(recovery_is, &finished);
    assert_int_equal(recovery.done, 2);
    assert_int_equal(told, 2);
}

static bool is_paused(struct db *db, void *arg)
{
    int64_t pending = 0;
    assert_ok(delivery_count_pending(db, endpoint, 5000, &pending));
    return pending > 900;
}

static enum err deliver_all(struct db *db, void *arg)
{
    int64_t n;
    return delivery_end_all(db, endpoint, DELIVERY_DELIVERED, &n);
}

struct lots {
    int64_t at_ms;
    int n;
};

static enum err lots_work(struct db *db, void *arg)
{
    const struct lots *l = arg;
    enum err err = OK;
    for (int i = 0; err == OK && i < l->n; i++) {
        struct made m = {.i = i, .number = "+15550001", .at_ms = l->at_ms};
        err = make_work(db, &m);
    }
    return err;
}

static void a_recovery_keeps_the_queue_short_and_goes_on_after_a_stop(void **state)
{
    enum recovery_state finished = RECOVERY_FINISHED;
    int64_t now = clock_wall_ms();
    struct lots lots = {now - 1000, 2500};
    write_now(lots_work, &lots);
    begin_recovery(now - 2000, now);
    for (int i = 0; i < 2; i++) {
        keep_house();
        await_that(is_paused, NULL);
        housekeeper_stop(housekeeper);
        housekeeper = NULL;
        assert_true(told <= 1000 * (i + 1));
        write_now(deliver_all, NULL);
    }
    keep_house();
    await_that(recovery_is, &finished);
    assert_int_equal(recovery.done, 2500);
    assert_int_equal(told, 2500);
    assert_false(disordered);
}

static void an_endpoint_that_is_gone_ends_its_recovery(void **state)
{
    enum recovery_state canceled = RECOVERY_CANCELED;
    int64_t now = clock_wall_ms();
    make(1, "+15550001", now - 5000, 0, 0);
    uint64_t real = endpoint;
    endpoint = 999;
    begin_recovery(now - 6000, now);
    endpoint = real;
    keep_house();
    await_that(recovery_is, &canceled);
    assert_int_equal(told, 0);
}

static void retention_spares_the_young_and_the_pending(void **state)
{
    enum { DAY = 24 * 3600 * 1000 };
    int64_t now = clock_wall_ms(), old[3];
    int64_t pending = make(0, "+15550001", now - (int64_t)40 * DAY, endpoint, DELIVERY_PENDING);
    old[0] = make(1, "+15550001", now - (int64_t)40 * DAY, endpoint, DELIVERY_DELIVERED);
    old[1] = make(2, "+15550001", now - (int64_t)40 * DAY, other, DELIVERY_PENDING); /* parked */
    int64_t future = make(3, "+15550001", now + (int64_t)40 * DAY, 0, 0);
    int64_t young = make(4, "+15550001", now - (int64_t)20 * DAY, 0, 0);
    old[2] = make(5, "+15550001", now - (int64_t)31 * DAY, 0, 0);
    make(6, "+15550001", now, endpoint, DELIVERY_DELIVERED);
    keep_house();
    for (int i = 0; i < 3; i++)
        await_that(is_gone, &old[i]);
    assert_false(holds_now(is_gone, &pending));
    assert_false(holds_now(is_gone, &future));
    assert_false(holds_now(is_gone, &young));
    write_now(deliver_all, NULL); /* it ends: now it goes, in the next sweep */
    housekeeper_wake(housekeeper);
    await_that(is_gone, &pending);
}

static enum err last_n(struct db *db, void *arg)
{
    return event_last(db, arg);
}

static void retention_never_gives_a_number_twice(void **state)
{
    enum { DAY = 24 * 3600 * 1000 };
    int64_t now = clock_wall_ms(), first, last, n = 0;
    first = make(0, "+15550001", now - (int64_t)40 * DAY, endpoint, DELIVERY_DELIVERED);
    last = make(1, "+15550001", now - (int64_t)40 * DAY, endpoint, DELIVERY_DELIVERED);
    keep_house();
    await_that(is_gone, &first);
    write_now(last_n, &n);
    assert_int_equal(n, last);
    assert_int_equal(make(2, "+15550001", now, 0, 0), last + 1);
}

static struct erasure erasure;

static enum err erasure_work(struct db *db, void *arg)
{
    erasure = (struct erasure){.id = "era_1", .account = account, .number = "+15550001"};
    return erasure_put(db, &erasure);
}

static bool is_erased(struct db *db, void *arg)
{
    return erasure_get(db, account, STR("era_1"), &erasure) == OK && erasure.finished;
}

static enum err calls_work(struct db *db, void *arg)
{
    struct call_row c = {.call_id = STR("call_open"),
                         .account = account,
                         .number = STR("+15550001"),
                         .phase = CALL_PHASE_ANSWERED,
                         .facts = STR("{}")};
    assert_ok(call_put(db, &c));
    c.call_id = STR("call_done");
    c.phase = CALL_PHASE_ENDED;
    assert_ok(call_put(db, &c));
    c.call_id = STR("call_last");
    return call_put(db, &c);
}

static bool calls_are_right(struct db *db, void *arg)
{
    struct call_row c;
    struct buf mem;
    buf_init(&mem, 4096);
    assert_ok(call_get(db, 0, STR("call_open"), &c, &mem));
    assert_err(call_get(db, 0, STR("call_done"), &c, &mem), ERR_NOT_FOUND);
    assert_err(call_get(db, 0, STR("call_last"), &c, &mem), ERR_NOT_FOUND);
    buf_fini(&mem);
    return true;
}

static void an_erasure_leaves_nothing(void **state)
{
    int64_t now = clock_wall_ms();
    int64_t pending = make(0, "+15550001", now, endpoint, DELIVERY_PENDING);
    int64_t kept = make(1, "+15550002", now, endpoint, DELIVERY_DELIVERED);
    make(2, "+15550001", now, endpoint, DELIVERY_PENDING); /* the last of all: emptied */
    write_now(calls_work, NULL);
    keep_house();
    write_now(erasure_work, NULL);
    housekeeper_wake(housekeeper);
    await_that(is_erased, NULL);
    assert_int_equal(erasure.events, 2);
    assert_int_equal(erased, 1);
    assert_true(holds_now(is_gone, &pending));
    assert_false(holds_now(is_gone, &kept));
    assert_true(holds_now(calls_are_right, NULL));
    int64_t still = 0;
    struct job j = {.job.run = run_work, .work = last_n, .arg = &still};
    assert_ok(store_read_now(store, &j.job));
    assert_int_equal(still, kept + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_recovery_sends_what_was_missed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_that_cannot_be_read_does_not_hold_a_recovery,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_recovery_keeps_the_queue_short_and_goes_on_after_a_stop,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_endpoint_that_is_gone_ends_its_recovery, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(retention_spares_the_young_and_the_pending, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(retention_never_gives_a_number_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_erasure_leaves_nothing, set_up, tear_down),
    };
    assert_ok(crypto_start());
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
