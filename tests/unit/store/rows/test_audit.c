/* The audit log and the log-ins, over the real SQLite. */
#include <unistd.h>

#include "check.h"
#include "store/rows/audit.h"
#include "store/rows/tokens.h"

static char dir[] = "/tmp/hookswitch-audit-XXXXXX";
static struct store *store;

struct job {
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

static int set_up(void **state)
{
    static const char *const files[] = {"", "-wal", "-shm", ".lock"};
    char path[160], url[160], why[256] = "";
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/t.db%s", dir, files[i]);
        unlink(path);
    }
    snprintf(url, sizeof url, "sqlite:%s/t.db", dir);
    struct store_config c = {.url = url};
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
    return 0;
}

static int tear_down(void **state)
{
    store_close(store);
    return 0;
}

static enum err put(struct db *db, void *arg)
{
    return audit_put(db, arg);
}

struct list {
    struct audit_filter f;
    unsigned limit, n;
    char ids[256]; /* "a3 a2 a1 " */
    struct audit last;
};

static bool on_row(void *arg, const struct audit *a)
{
    struct list *l = arg;
    size_t n = strlen(l->ids);
    if (l->limit && l->n++ == l->limit)
        return false;
    snprintf(l->ids + n, sizeof l->ids - n, "%.*s ", STR_FMT(a->id));
    l->last = *a;
    return true;
}

static enum err list(struct db *db, void *arg)
{
    struct list *l = arg;
    struct list_stop stop;
    l->ids[0] = '\0';
    l->n = 0;
    return audit_list(db, &l->f, on_row, l, &stop);
}

static void put_row(const char *id, int64_t at, uint64_t account, const char *who,
                    enum setting_kind kind, const char *target)
{
    struct audit a = {.id = str_of(id),
                      .at_ms = at,
                      .account = account,
                      .by_account = 1,
                      .who = str_of(who),
                      .who_name = STR("me"),
                      .address = STR("192.0.2.1"),
                      .kind = kind,
                      .target = str_of(target),
                      .action = STR("changed"),
                      .changed = STR("label"),
                      .before = STR("{\"label\":\"a\"}"),
                      .after = STR("{\"label\":\"b\"}")};
    assert_ok(write_now(put, &a));
}

static void fill(void)
{
    put_row("a1", 100, 1, "key_1", SETTING_NUMBER, "+441");
    put_row("a2", 200, 2, "key_2", SETTING_NUMBER, "+442");
    put_row("a3", 300, 1, "user_1", SETTING_ENDPOINT, "ep_1");
    put_row("a4", 400, 2, "key_1", SETTING_NUMBER, "+441");
}

static void the_same_change_is_written_once(void **state)
{
    struct list l = {.f.kind = -1};
    put_row("a1", 100, 1, "key_1", SETTING_NUMBER, "+441");
    put_row("a1", 101, 1, "key_1", SETTING_NUMBER, "+441");
    assert_ok(read_now(list, &l));
    assert_string_equal(l.ids, "a1 ");
    assert_int_equal(l.last.at_ms, 100);
}

static void lists_are_by_account_target_who_kind_and_time(void **state)
{
    const struct {
        struct audit_filter f;
        const char *ids;
        unsigned limit;
    } cases[] = {
        {{.kind = -1}, "a4 a3 a2 a1 "},
        {{.kind = -1, .account = 1}, "a3 a1 "},
        {{.kind = -1, .account = 3}, ""},
        {{.kind = -1, .target = STR("+441")}, "a4 a1 "},
        {{.kind = -1, .target = STR("+441"), .account = 1}, "a1 "},
        {{.kind = -1, .who = STR("key_1")}, "a4 a1 "},
        {{.kind = SETTING_ENDPOINT}, "a3 "},
        {{.kind = -1, .since_ms = 200, .until_ms = 400}, "a3 a2 "},
        {{.kind = -1, .before_n = 3}, "a2 ", 1},
    };
    fill();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct list l = {.f = cases[i].f, .limit = cases[i].limit};
        assert_ok(read_now(list, &l));
        assert_string_equal(l.ids, cases[i].ids);
    }
}

static struct {
    int64_t ms, keep;
    unsigned limit;
} forgetting;

static enum err forget(struct db *db, void *arg)
{
    return audit_forget(db, forgetting.ms, forgetting.keep, forgetting.limit);
}

static void the_oldest_are_forgotten(void **state)
{
    struct list l = {.f.kind = -1};
    fill();
    forgetting.ms = 300, forgetting.keep = 100, forgetting.limit = 1;
    assert_ok(write_now(forget, NULL));
    assert_ok(read_now(list, &l));
    assert_string_equal(l.ids, "a4 a3 a2 ");
    forgetting.limit = 100;
    assert_ok(write_now(forget, NULL));
    assert_ok(read_now(list, &l));
    assert_string_equal(l.ids, "a4 a3 ");
    forgetting.ms = 0, forgetting.keep = 1; /* more than are kept */
    assert_ok(write_now(forget, NULL));
    assert_ok(read_now(list, &l));
    assert_string_equal(l.ids, "a4 ");
    assert_ok(write_now(forget, NULL));
    assert_ok(read_now(list, &l));
    assert_string_equal(l.ids, "a4 ");
}

/* ---- tokens and keys ---- */

static bool on_token(void *arg, const struct token *t)
{
    char *out = arg;
    size_t n = strlen(out);
    snprintf(out + n, 100 - n, "%.*s:%llu:%llu ", STR_FMT(t->hash), (unsigned long long)t->user,
             (unsigned long long)t->stamp);
    return true;
}

static enum err tokens(struct db *db, void *arg)
{
    *(char *)arg = '\0';
    return token_list(db, on_token, arg);
}

static enum err put_tokens(struct db *db, void *arg)
{
    const struct token a = {STR("aa"), 1, UINT64_MAX, 100}, b = {STR("bb"), 2, 7, 200};
    enum err err = token_put(db, &a);
    if (err == OK)
        err = token_put(db, &a);
    return err == OK ? token_put(db, &b) : err;
}

static enum err forget_tokens(struct db *db, void *arg)
{
    return token_forget(db, 150);
}

static enum err delete_token(struct db *db, void *arg)
{
    enum err err = token_delete(db, STR("bb"));
    return err == OK ? token_delete(db, STR("never was")) : err;
}

static void tokens_are_kept_until_they_expire_or_end(void **state)
{
    char text[128];
    assert_ok(write_now(put_tokens, NULL));
    assert_ok(read_now(tokens, text));
    assert_string_equal(text, "aa:1:18446744073709551615 bb:2:7 ");
    assert_ok(write_now(forget_tokens, NULL));
    assert_ok(read_now(tokens, text));
    assert_string_equal(text, "bb:2:7 ");
    assert_ok(write_now(delete_token, NULL));
    assert_ok(read_now(tokens, text));
    assert_string_equal(text, "");
}

static enum err use_keys(struct db *db, void *arg)
{
    enum err err = key_use_put(db, 5, 1000);
    if (err == OK)
        err = key_use_put(db, 5, 900); /* late */
    return err == OK ? key_use_put(db, 6, 1) : err;
}

static enum err get_use(struct db *db, void *arg)
{
    int64_t *at = arg;
    enum err err = key_use_get(db, 5, &at[0]);
    return err == OK ? key_use_get(db, 7, &at[1]) : err;
}

static void a_keys_last_use_only_grows(void **state)
{
    int64_t at[2] = {-1, -1};
    assert_ok(write_now(use_keys, NULL));
    assert_ok(read_now(get_use, at));
    assert_int_equal(at[0], 1000);
    assert_int_equal(at[1], 0);
}

/* ---- accounts ---- */

struct accounts {
    uint64_t empty, full;
    bool is_empty, is_full;
};

static enum err put_accounts(struct db *db, void *arg)
{
    struct accounts *a = arg;
    struct setting one = {
        .kind = SETTING_ACCOUNT, .id = STR("acc_1"), .key = STR("a"), .doc = STR("{}")};
    struct setting two = {
        .kind = SETTING_ACCOUNT, .id = STR("acc_2"), .key = STR("b"), .doc = STR("{}")};
    enum err err = setting_put(db, &one);
    if (err == OK)
        err = setting_put(db, &two);
    struct setting key = {.kind = SETTING_KEY,
                          .id = STR("key_1"),
                          .account = two.n,
                          .key = STR("k"),
                          .doc = STR("{}")};
    if (err == OK)
        err = setting_put(db, &key);
    a->empty = one.n;
    a->full = two.n;
    return err;
}

static enum err look_at_accounts(struct db *db, void *arg)
{
    struct accounts *a = arg;
    bool empty = false;
    enum err err = setting_account_is_empty(db, a->empty, &a->is_empty);
    if (err == OK)
        err = setting_account_is_empty(db, a->full, &empty);
    a->is_full = !empty;
    return err;
}

static void an_account_with_a_key_is_not_empty(void **state)
{
    struct accounts a = {0};
    assert_ok(write_now(put_accounts, &a));
    assert_ok(read_now(look_at_accounts, &a));
    assert_true(a.is_empty);
    assert_true(a.is_full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_change_is_written_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_are_by_account_target_who_kind_and_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_oldest_are_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_are_kept_until_they_expire_or_end, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_keys_last_use_only_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_account_with_a_key_is_not_empty, set_up, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
