/* The n-th call to the database fails: n = 1, 2, 3 … until a whole run passes without reaching it,
 * for each call and each way to fail. What the jobs were told is compared with what a fresh opening
 * finds: told OK is there and once, told an error is not there, and after the trouble the store
 * writes again. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"
#include "faulty_engine.h"
#include "store/rows/calls.h"
#include "store/rows/deliveries.h"
#include "store/rows/events.h"
#include "store/rows/settings.h"

enum { JOBS = 24, WAVE = 12, KINDS = 5, ENDPOINTS = 2, N_MAX = 2000 };

enum job_kind {
    PUT_EVENT,   /* with a delivery for each endpoint */
    PUT_CALL,    /* an event and its call's row */
    FAIL_LATE,   /* writes an event, then finds that it may not */
    PUT_AGAIN,   /* the event of the PUT_EVENT before, as a carrier repeats it */
    PUT_SETTING, /* whose second putting would be refused */
};

struct job {
    struct store_job job; /* first */
    int i;
    bool home;
};

static char path[128], url[160];
static struct job jobs[JOBS + 1]; /* one more at the end: does it write again? */
static struct mailbox *home;
static int at_home;
static bool broken;

static enum job_kind kind_of(int i)
{
    return i % KINDS;
}

static int event_of(int i) /* the job whose event it is */
{
    return kind_of(i) == PUT_AGAIN ? i - PUT_AGAIN : i;
}

static void name_of(const char *what, int i, char ret[32])
{
    snprintf(ret, 32, "%s_%d", what, i);
}

static enum err put_event(struct db *db, int i)
{
    char id[32], call_id[32];
    int64_t n;
    bool is_new;
    name_of("evt", event_of(i), id);
    name_of("call", event_of(i), call_id);
    struct event e = {.kind = EVENT_INCOMING_CALL,
                      .account = 1,
                      .id = str_of(id),
                      .number = STR("+447911123456"),
                      .peer = STR("+19175550100"),
                      .call_id = str_of(call_id),
                      .payload = STR("{}")};
    enum err err = event_put(db, &e, &n, &is_new);
    for (unsigned k = 0; err == OK && is_new && k < ENDPOINTS; k++) {
        struct delivery d = {.event_n = n, .endpoint = k + 1, .lane = k + 1, .sequence = 1};
        err = delivery_put(db, &d);
    }
    return err;
}

static enum err put_call(struct db *db, int i)
{
    char call_id[32];
    name_of("call", i, call_id);
    struct call_row c = {.call_id = str_of(call_id),
                         .account = 1,
                         .trunk = STR("t"),
                         .number = STR("+44"),
                         .peer = STR("+1"),
                         .end_reason = -1,
                         .facts = STR("{}")};
    return call_put(db, &c);
}

static struct setting settings[JOBS + 1];

static enum err put_setting(struct db *db, int i)
{
    static char id[JOBS + 1][32];
    name_of("trunk", i, id[i]);
    struct setting *s = &settings[i];
    s->kind = SETTING_TRUNK;
    s->account = 1;
    s->id = s->key = str_of(id[i]);
    s->doc = STR("{}");
    return setting_put(db, s);
}

static enum err run(struct store_job *job, struct db *db)
{
    int i = ((struct job *)job)->i;
    if (kind_of(i) == PUT_SETTING)
        return put_setting(db, i);
    enum err err = put_event(db, i);
    if (err == OK && kind_of(i) == PUT_CALL)
        err = put_call(db, i);
    return err != OK ? err : kind_of(i) == FAIL_LATE ? ERR_INVALID : OK;
}

static void done(struct store_job *job)
{
    ((struct job *)job)->home = true;
    at_home++;
}

/* ---- the process's end, as far as a thread can play it ---- */

static void on_broken_mail(struct mail *m)
{
    broken = true;
}

static void on_broken(void *arg)
{
    static struct mail m;
    m.open = on_broken_mail;
    mailbox_put_answer(home, &m);
    pthread_exit(NULL); /* what it had in hand never comes home: the process is gone */
}

static void submit(struct store *s, int from, int to)
{
    for (int i = from; i < to; i++) {
        jobs[i] = (struct job){.job = {.run = run, .done = done, .home = home}, .i = i};
        assert_ok(store_write(s, &jobs[i].job));
    }
    while (!broken && at_home < to)
        mail_open_all(mailbox_wait(home));
}

static struct store *open_with(const struct engine *engine)
{
    char why[256] = "";
    struct store *s = NULL;
    struct store_config c = {.url = url, .engine = engine, .readers = 1, .on_broken = on_broken};
    enum err err = store_open(&c, &s, why, sizeof why);
    if (err != OK && fault_count() == 0)
        fail_msg("%s", why);
    return err == OK ? s : NULL;
}

static void remove_files(void)
{
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char name[160];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* ---- what is there afterwards ---- */

struct look {
    struct store_job job;
    int i;
    bool found;
    unsigned deliveries;
};

static bool count_delivery(void *arg, const struct delivery *d)
{
    ++*(unsigned *)arg;
    return true;
}

static enum err look_event(struct db *db, struct look *l)
{
    char id[32];
    int64_t n;
    name_of("evt", event_of(l->i), id);
    enum err err = event_find(db, 1, str_of(id), &n);
    l->found = err == OK;
    if (err == OK)
        err = delivery_list_of_event(db, n, count_delivery, &l->deliveries);
    return err == ERR_NOT_FOUND ? OK : err;
}

static enum err look_run(struct store_job *job, struct db *db)
{
    struct look *l = (struct look *)job;
    struct setting s;
    struct call_row c;
    char id[32];
    struct buf mem;
    enum err err = OK;
    buf_init(&mem, 4096);
    name_of(kind_of(l->i) == PUT_SETTING ? "trunk" : "call", l->i, id);
    if (kind_of(l->i) != PUT_SETTING)
        err = look_event(db, l);
    else
        l->found = setting_get(db, SETTING_TRUNK, 0, str_of(id), &s, &mem) == OK;
    if (kind_of(l->i) == PUT_CALL && err == OK) /* both or none */
        assert_int_equal(call_get(db, 0, str_of(id), &c, &mem) == OK, l->found);
    buf_fini(&mem);
    return err;
}

static bool told_ok(int i)
{
    return jobs[i].home && jobs[i].job.err == OK;
}

static bool nobody_knows(int i)
{
    return !jobs[i].home || jobs[i].job.err == ERR_STORE_UNSURE;
}

static void check_job(struct store *s, int i)
{
    struct look l = {.job.run = look_run, .i = i};
    assert_ok(store_read_now(s, &l.job));
    int twin = kind_of(i) == PUT_EVENT && i + PUT_AGAIN < JOBS ? i + PUT_AGAIN : event_of(i);
    if (told_ok(i) || told_ok(twin))
        assert_true(l.found);
    else if (!nobody_knows(i) && !nobody_knows(twin))
        assert_false(l.found);
    if (l.found && kind_of(i) != PUT_SETTING)
        assert_int_equal(l.deliveries, ENDPOINTS);
    if (jobs[i].home && kind_of(i) != FAIL_LATE && jobs[i].job.err != OK)
        assert_true(fault_count() > 0);
}

/* ---- one run ---- */

static void check_all(void)
{
    struct store *s = open_with(&engine_sqlite);
    assert_non_null(s);
    for (int i = 0; at_home && i < JOBS; i++)
        check_job(s, i);
    store_close(s);
}

/* false: the fault was not reached, so that this was the last n. */
static bool scenario(enum fault_call call, enum fault_how how, unsigned n, unsigned times)
{
    memset(jobs, 0, sizeof jobs);
    memset(settings, 0, sizeof settings);
    at_home = 0;
    broken = false;
    assert_ok(mailbox_new(&home, 10, NULL, NULL));
    fault_arm(call, how, n, times);
    struct store *s = open_with(&engine_faulty);
    if (s) {
        submit(s, 0, WAVE);
        if (!broken)
            submit(s, WAVE, JOBS);
        fault_disarm();
        if (!broken) { /* the trouble is over: it writes again, and says so */
            submit(s, JOBS, JOBS + 1);
            assert_ok(jobs[JOBS].job.err);
            assert_true(store_is_writable(s));
        }
        store_close(s);
    }
    fault_disarm();
    check_all(); /* a start that failed leaves nothing in the way of the next one either */
    remove_files();
    mailbox_free(home);
    return fault_count() > 0;
}

static void each_n(enum fault_call call, enum fault_how how, unsigned step, unsigned times)
{
    unsigned n = 1;
    while (scenario(call, how, n, times)) {
        n += step;
        assert_true(n < N_MAX);
    }
    assert_true(n > 1); /* it was reached at least once */
}

static void the_nth_begin_fails(void **state)
{
    for (int how = 0; how < FAULT_HOWS; how++)
        if (how != FAULT_UNSURE_DONE) /* a begin that was done is undone with its connection */
            each_n(FAULT_BEGIN, how, 1, 1);
}

static void the_nth_statement_fails(void **state)
{
    for (int how = 0; how < FAULT_HOWS; how++)
        each_n(FAULT_RUN, how, how == FAULT_NOT_DONE ? 1 : 5, 1);
}

static void the_nth_commit_fails(void **state)
{
    for (int how = 0; how < FAULT_HOWS; how++)
        each_n(FAULT_COMMIT, how, 1, 1);
}

static void the_nth_commit_and_its_repeats_fail(void **state)
{
    for (int how = 0; how < FAULT_BROKEN; how++)
        each_n(FAULT_COMMIT, how, 1, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nth_begin_fails),
        cmocka_unit_test(the_nth_statement_fails),
        cmocka_unit_test(the_nth_commit_fails),
        cmocka_unit_test(the_nth_commit_and_its_repeats_fail),
    };
    /* In memory where there is such a place: a thousand stores are made and opened here. */
    snprintf(path, sizeof path, "%s/hookswitch-faults-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(path));
    char dir[sizeof path];
    memcpy(dir, path, sizeof dir);
    strcat(path, "/t.db");
    snprintf(url, sizeof url, "sqlite:%s", path);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(dir);
    return failed;
}
