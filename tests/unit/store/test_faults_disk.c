/* The store on a disk that fails and forgets (flaky_disk): the n-th write, sync and truncation
 * fail; the power goes at any change, in the midst of it, and what was not synced is gone, kept or
 * torn. After each: the file is sound, all that was told OK is there, once, in order, with its
 * delivery. */
#include <pthread.h>
#include <sqlite3.h>
#include <unistd.h>

#include "check.h"
#include "flaky_disk.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"

enum { EVENTS_MAX = 600, WAVE = 12, LIVES = 4, SEEDS = 200, BIG_SEEDS = 4, N_MAX = 1000 };

enum told { NEVER, OKAY, REFUSED, UNKNOWN };

struct job {
    struct store_job job; /* first */
    int i;
};

static char path[128], url[160];
static struct job jobs[WAVE];
static enum told told[EVENTS_MAX];
static int n_events, at_home;
static size_t payload_n;
static char payload[EVENT_PAYLOAD_MAX];
static bool broken;
static struct mailbox *home;

static enum err run(struct store_job *job, struct db *db)
{
    char id[32];
    int64_t n;
    bool is_new;
    snprintf(id, sizeof id, "evt_%d", ((struct job *)job)->i);
    struct event e = {.kind = EVENT_INCOMING_CALL,
                      .account = 1,
                      .id = str_of(id),
                      .number = STR("+447911123456"),
                      .peer = STR("+19175550100"),
                      .call_id = STR("call_1"),
                      .payload = str_of_bytes(payload, payload_n)};
    enum err err = event_put(db, &e, &n, &is_new);
    if (err == OK)
        assert_true(is_new);
    struct delivery d = {.event_n = n, .endpoint = 1, .lane = 1, .sequence = 1};
    return err != OK ? err : delivery_put(db, &d);
}

static void done(struct store_job *job)
{
    struct job *j = (struct job *)job;
    told[j->i] = job->err == OK ? OKAY : job->err == ERR_STORE_UNSURE ? UNKNOWN : REFUSED;
    at_home++;
}

static void on_broken_mail(struct mail *m)
{
    broken = true;
}

static void on_broken(void *arg) /* the process ends: nothing that it does counts any more */
{
    static struct mail m;
    m.open = on_broken_mail;
    disk_stop_at(1);
    mailbox_put_answer(home, &m);
    pthread_exit(NULL);
}

/* NULL: it could not be opened, which only a fault may cause. */
static struct store *open_store(void)
{
    char why[256] = "";
    struct store *s = NULL;
    struct store_config c = {.url = url, .readers = 1, .on_broken = on_broken};
    broken = false;
    if (store_open(&c, &s, why, sizeof why) == OK)
        return s;
    if (!disk_stopped() && !disk_failed())
        fail_msg("%s", why);
    return NULL;
}

static void wave(struct store *s)
{
    at_home = 0;
    int n = 0;
    for (; n < WAVE && n_events < EVENTS_MAX; n++) {
        told[n_events] = UNKNOWN;
        jobs[n] = (struct job){.job = {.run = run, .done = done, .home = home}, .i = n_events++};
        assert_ok(store_write(s, &jobs[n].job));
    }
    while (at_home < n && !broken)
        mail_open_all(mailbox_wait(home));
}

/* ---- what is there ---- */

struct look {
    struct store_job job;
    bool found[EVENTS_MAX];
    int last;
    int64_t n[EVENTS_MAX];
};

static bool on_event(void *arg, int64_t n, const struct event *e)
{
    struct look *l = arg;
    int i = atoi(e->id.p + 4);
    assert_true(i > l->last && i < n_events); /* in order, and so once */
    assert_int_equal(e->payload.n, payload_n);
    l->found[i] = true;
    l->n[i] = n;
    l->last = i;
    return true;
}

static bool on_delivery(void *arg, const struct delivery *d)
{
    ++*(int *)arg;
    return true;
}

static enum err look_run(struct store_job *job, struct db *db)
{
    struct look *l = (struct look *)job;
    struct event_range all = {.until_n = INT64_MAX, .kind = -1, .limit = EVENTS_MAX + 1};
    enum err err = event_list_after(db, &all, on_event, l);
    for (int i = 0; err == OK && i < n_events; i++) {
        int n = 0;
        if (l->found[i])
            err = delivery_list_of_event(db, l->n[i], on_delivery, &n);
        assert_int_equal(n, l->found[i]);
    }
    return err;
}

/* `strict`: no loss of power since, so that what was refused is not there. */
static void check(struct store *s, bool strict)
{
    static struct look l;
    l = (struct look){.job.run = look_run, .last = -1};
    assert_ok(store_read_now(s, &l.job));
    for (int i = 0; i < n_events; i++) {
        if (told[i] == OKAY && !l.found[i])
            fail_msg("event %d of %d was told OK and is gone", i, n_events);
        if (told[i] == REFUSED && strict && l.found[i])
            fail_msg("event %d was refused and is there", i);
    }
}

static void begin(uint64_t seed, size_t payload_size)
{
    disk_reset(seed);
    n_events = 0;
    payload_n = payload_size;
    assert_ok(mailbox_new(&home, 10, NULL, NULL));
}

static void end(void)
{
    mailbox_free(home);
}

static void final_check(void)
{
    struct store *s = open_store();
    assert_non_null(s);
    check(s, false);
    int before = n_events;
    wave(s);
    for (int i = before; i < n_events; i++)
        assert_int_equal(told[i], OKAY); /* it writes again */
    check(s, false);
    store_close(s);
    assert_true(disk_check(path));
}

/* ---- the n-th call fails ---- */

static bool nth_call_fails(enum disk_call call, int rc, unsigned n)
{
    begin(n, 300);
    disk_fail(call, n, rc);
    struct store *s = open_store();
    for (int i = 0; s && !broken && i < 3; i++)
        wave(s);
    if (s && !broken && disk_failed()) {
        int before = n_events;
        wave(s);
        for (int i = before; i < n_events; i++)
            assert_int_equal(told[i], OKAY);
        check(s, true);
    }
    store_close(s);
    bool failed = disk_failed();
    disk_restart(DISK_KEEPS_ALL);
    final_check();
    end();
    return failed;
}

static void each_call(enum disk_call call, int rc)
{
    unsigned n = 1;
    while (nth_call_fails(call, rc, n))
        assert_true(++n < N_MAX);
    assert_true(n > 1); /* it was reached at least once */
}

static void the_nth_write_fails(void **state)
{
    each_call(DISK_WRITE, SQLITE_FULL);
    each_call(DISK_WRITE, SQLITE_IOERR_WRITE);
}

static void the_nth_truncation_fails(void **state)
{
    each_call(DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE);
}

/* What the failed sync should have written is read back after the restart, but is not on the disk.
 * What is told OK from then on may not stand on it. */
static bool nth_sync_fails(unsigned n)
{
    begin(n, 300);
    disk_fail(DISK_SYNC, n, SQLITE_IOERR_FSYNC);
    struct store *s = open_store();
    for (int i = 0; s && !broken && i < 3; i++)
        wave(s);
    bool failed = disk_failed();
    if (s && failed)
        assert_true(broken);
    if (s)
        disk_stop_at(1); /* the process is gone, and closes nothing */
    store_close(s);
    disk_restart(DISK_KEEPS_ALL);
    s = open_store();
    assert_non_null(s);
    wave(s);
    check(s, false);
    disk_stop_at(1);
    store_close(s);
    disk_restart(DISK_LOSES_ALL);
    final_check();
    end();
    return failed;
}

static void the_nth_sync_fails_and_later_the_power(void **state)
{
    unsigned n = 1;
    while (nth_sync_fails(n))
        assert_true(++n < N_MAX);
    assert_true(n > 5);
}

/* ---- the power goes ---- */

static void lives(uint64_t seed, size_t payload_size, uint32_t changes)
{
    begin(seed, payload_size);
    for (int life = 0; life < LIVES; life++) {
        disk_stop_at(1 + disk_random(changes));
        struct store *s = open_store();
        if (s)
            check(s, false);
        for (int i = (int)disk_random(6); s && i > 0 && !broken && !disk_stopped(); i--)
            wave(s);
        store_close(s);
        if (s && !disk_stopped() && !disk_check(path))
            fail_msg("seed %llu: not sound", (unsigned long long)seed);
        disk_restart((enum disk_fate)disk_random(DISK_FATES));
    }
    final_check();
    end();
}

static void the_power_goes_at_any_change(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        lives(seed, 300, 60);
}

static void the_power_goes_among_checkpoints(void **state)
{
    for (uint64_t seed = 1; seed <= BIG_SEEDS; seed++)
        lives(seed, sizeof payload, 12000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_write_fails),
        cmocka_unit_test(the_nth_truncation_fails),
        cmocka_unit_test(the_nth_sync_fails_and_later_the_power),
        cmocka_unit_test(the_power_goes_at_any_change),
        cmocka_unit_test(the_power_goes_among_checkpoints),
    };
    memset(payload, 'x', sizeof payload);
    char dir[64]; /* for the locks alone; in memory where there is such a place */
    snprintf(dir, sizeof dir, "%s/hookswitch-disk-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/t.db", dir);
    snprintf(url, sizeof url, "sqlite:%s", path);
    disk_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    static const char *const ends[] = {"", "-wal", "-shm", "-journal", ".lock"};
    for (int i = 0; i < 5; i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    rmdir(dir);
    return failed;
}
