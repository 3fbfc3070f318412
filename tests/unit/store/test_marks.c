/* Settings are found by their marks: those written now, and those of a store that a program without
 * marks wrote. */
#include "store/marks.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "store/engine.h"
#include "store/rows/settings.h"

enum { OWN = 1, POOL = 2 }; /* accounts of the file */

static char dir[] = "/tmp/hookswitch-marks-XXXXXX";
static char path[64];
static struct store *store;

/* The file of SQL as a database; then `more`. */
static void old_store_make(const char *more)
{
    char *text = NULL, *why = NULL;
    size_t n = 0;
    sqlite3 *h;
    FILE *f = fopen(TEST_DATA "/store_schema_8.sql", "r");
    assert_non_null(f);
    assert_true(getdelim(&text, &n, '\0', f) > 0);
    fclose(f);
    unlink(path);
    assert_int_equal(sqlite3_open(path, &h), SQLITE_OK);
    if (sqlite3_exec(h, text, NULL, NULL, &why) != SQLITE_OK ||
        sqlite3_exec(h, more, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s", why);
    free(text);
    sqlite3_close(h);
}

static void open_it(void)
{
    char url[96], why[256] = "";
    snprintf(url, sizeof url, "sqlite:%s", path);
    const struct store_config c = {.url = url};
    if (store_open(&c, &store, why, sizeof why) != OK)
        fail_msg("%s", why);
}

static int tear_down(void **state)
{
    store_close(store);
    return 0;
}

struct ask {
    struct store_job job;
    enum setting_kind kind;
    const char *mark;
    uint64_t account, after;
    unsigned limit;
    struct buf ids; /* "a b c" */
};

static bool ask_row(void *arg, const struct setting *s)
{
    struct ask *a = arg;
    buf_printf(&a->ids, "%s%.*s", a->ids.n ? " " : "", STR_FMT(s->id));
    return true;
}

static enum err ask_run(struct store_job *job, struct db *db)
{
    struct ask *a = (struct ask *)job;
    buf_reset(&a->ids);
    return setting_list_marked(db, a->kind, str_of(a->mark), a->account, a->after, a->limit,
                               ask_row, a);
}

static void found(struct ask a, const char *ids)
{
    a.job.run = ask_run;
    buf_init(&a.ids, 1 << 16);
    assert_ok(store_read_now(store, &a.job));
    assert_str(buf_str(&a.ids), ids);
    buf_fini(&a.ids);
}
#define FOUND(ids, ...) found((struct ask){__VA_ARGS__}, ids)

static void an_older_store_gets_its_marks(void **state)
{
    old_store_make("");
    open_it();
    /* The endpoints of one number, not the one that names two, nor the one that has such a text in
     * a header. */
    FOUND("ep_1m8qf25tzhc659wrcdjf5qn7jw ep_1m8qf25wf8zfbnj1frkgbh7658", .kind = SETTING_ENDPOINT,
          .mark = "+447911123456", .account = OWN);
    FOUND("", .kind = SETTING_ENDPOINT, .mark = "+447911123456", .account = POOL);
    FOUND("", .kind = SETTING_ENDPOINT, .mark = "+447911123457", .account = OWN);
    FOUND("+447911123456 +447911123457", .kind = SETTING_NUMBER, .mark = "GB", .account = OWN);
    FOUND("+447911123457", .kind = SETTING_NUMBER, .mark = "GB", .account = OWN, .after = 4);
    FOUND("+447911123456", .kind = SETTING_NUMBER, .mark = "GB", .account = OWN, .limit = 1);
    FOUND("+33612345678", .kind = SETTING_NUMBER, .mark = "FR", .account = POOL);
    FOUND("key_1m8qf265q94wa44mc67841cq8g", .kind = SETTING_KEY, .mark = "12");
}

/* A page and more of them, and documents that nobody can read: the store opens, and the others have
 * their marks. */
static void many_and_broken_rows_are_brought_over(void **state)
{
    old_store_make("WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 1600)"
                   " INSERT INTO settings (kind, id, account, key, doc, version, created_at,"
                   " updated_at) SELECT 1, 'n' || n, 1, 'n' || n, CASE WHEN n % 7 THEN"
                   " '{\"number\":\"+1\",\"country\":\"' || CASE WHEN n > 1597 THEN 'DE' ELSE 'IT'"
                   " END || '\"}' ELSE '{\"country\":\"DE\"' END, 1, 0, 0 FROM i");
    open_it();
    FOUND("n1598 n1599 n1600", .kind = SETTING_NUMBER, .mark = "DE", .account = OWN);
    FOUND("n1", .kind = SETTING_NUMBER, .mark = "IT", .account = OWN, .limit = 1);
}

struct change {
    struct store_job job;
    const char *doc;
    uint64_t n;
};

static enum err change_run(struct store_job *job, struct db *db)
{
    struct change *c = (struct change *)job;
    struct setting s = {.kind = SETTING_ENDPOINT,
                        .n = c->n,
                        .id = STR("ep_x"),
                        .key = STR("ep_x"),
                        .account = OWN,
                        .doc = str_of(c->doc)};
    enum err err = c->n ? setting_change(db, &s) : setting_put(db, &s);
    c->n = s.n;
    return err;
}

static void a_change_moves_the_mark(void **state)
{
    struct change c = {.job.run = change_run, .doc = "{\"numbers\":[\"+1001\"]}"};
    unlink(path);
    open_it();
    assert_ok(store_write_now(store, &c.job));
    FOUND("ep_x", .kind = SETTING_ENDPOINT, .mark = "+1001", .account = OWN);
    c.doc = "{\"numbers\":[\"+1002\"]}";
    assert_ok(store_write_now(store, &c.job));
    FOUND("", .kind = SETTING_ENDPOINT, .mark = "+1001", .account = OWN);
    FOUND("ep_x", .kind = SETTING_ENDPOINT, .mark = "+1002", .account = OWN);
    c.doc = "{\"numbers\":\"*\"}";
    assert_ok(store_write_now(store, &c.job));
    FOUND("", .kind = SETTING_ENDPOINT, .mark = "+1002", .account = OWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(an_older_store_gets_its_marks, tear_down),
        cmocka_unit_test_teardown(many_and_broken_rows_are_brought_over, tear_down),
        cmocka_unit_test_teardown(a_change_moves_the_mark, tear_down),
    };
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/t.db", dir);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
