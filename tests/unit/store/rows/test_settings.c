/* Settings: versions, what is unique, whose they are, and rows whose numbers never come again. */
#include "rows_kit.h"
#include "store/rows/settings.h"

static struct buf mem;

static struct setting make(struct db *db, enum setting_kind kind, const char *id, uint64_t account,
                           const char *key)
{
    struct setting s = {.kind = kind,
                        .id = str_of(id),
                        .account = account,
                        .key = str_of(key),
                        .doc = STR("{\"name\":\"x\"}")};
    assert_ok(setting_put(db, &s));
    return s;
}

static void versions(struct db *db)
{
    struct setting s = make(db, SETTING_TRUNK, "tr_1", 7, "carrier"), got;
    assert_int_equal(s.version, 1);
    assert_true(s.n > 0 && s.created_at_ms > 0);
    s.doc = STR("{\"name\":\"y\"}");
    assert_ok(setting_change(db, &s));
    assert_ok(setting_get(db, SETTING_TRUNK, 7, STR("tr_1"), &got, &mem));
    assert_int_equal(got.version, 2);
    assert_str(got.doc, "{\"name\":\"y\"}");
    s.version = 1; /* somebody else's change came first */
    assert_err(setting_change(db, &s), ERR_AGAIN);
    s.version = 0; /* whatever it is */
    assert_ok(setting_change(db, &s));
    assert_ok(setting_get(db, SETTING_TRUNK, 7, STR("tr_1"), &got, &mem));
    assert_int_equal(got.version, 3);
    s.id = STR("tr_none");
    s.n = 999999;
    assert_err(setting_change(db, &s), ERR_NOT_FOUND);
}

static void a_change_counts_the_version_up(void **state)
{
    in_job(versions);
}

static void unique(struct db *db)
{
    make(db, SETTING_TRUNK, "tr_2", 7, "second");
    struct setting s = {.kind = SETTING_TRUNK,
                        .id = STR("tr_3"),
                        .account = 8,
                        .key = STR("second"),
                        .doc = STR("{}")};
    assert_err(setting_put(db, &s), ERR_EXISTS); /* the key, in any account */
    s.n = 0;
    s.key = STR("third");
    s.id = STR("tr_2");
    assert_err(setting_put(db, &s), ERR_EXISTS); /* the id */
    s.n = 0;
    s.kind = SETTING_KEY; /* another kind has names of its own */
    s.key = STR("second");
    assert_ok(setting_put(db, &s));
}

static void ids_and_keys_are_unique_in_their_kind(void **state)
{
    in_job(unique);
}

static bool count(void *arg, const struct setting *s)
{
    ++*(size_t *)arg;
    return *(size_t *)arg < 3;
}

static void owners(struct db *db)
{
    struct setting got;
    size_t n = 0;
    struct setting a = make(db, SETTING_ENDPOINT, "ep_1", 11, "ep_1");
    make(db, SETTING_ENDPOINT, "ep_2", 12, "ep_2");
    for (int i = 3; i < 9; i++) {
        char id[16];
        snprintf(id, sizeof id, "ep_%d", i);
        make(db, SETTING_ENDPOINT, id, 11, id);
    }
    assert_err(setting_get(db, SETTING_ENDPOINT, 12, STR("ep_1"), &got, &mem), ERR_NOT_FOUND);
    assert_ok(setting_get(db, SETTING_ENDPOINT, 0, STR("ep_1"), &got, &mem));
    assert_ok(setting_get_n(db, SETTING_ENDPOINT, 11, a.n, &got, &mem));
    assert_err(setting_get_n(db, SETTING_ENDPOINT, 12, a.n, &got, &mem), ERR_NOT_FOUND);
    assert_ok(setting_list(db, SETTING_ENDPOINT, 12, 0, 0, count, &n));
    assert_int_equal(n, 1);
    n = 0;
    assert_ok(setting_list(db, SETTING_ENDPOINT, 11, a.n, 2, count, &n));
    assert_int_equal(n, 2);
    n = 0;
    assert_ok(setting_list(db, SETTING_ENDPOINT, 0, 0, 0, count, &n)); /* count says stop */
    assert_int_equal(n, 3);
}

static void an_account_sees_its_own(void **state)
{
    in_job(owners);
}

static void numbers(struct db *db)
{
    struct setting first = make(db, SETTING_USER, "user_1", 7, "a");
    assert_ok(setting_delete(db, SETTING_USER, first.n));
    struct setting again = make(db, SETTING_USER, "user_1", 7, "a");
    assert_true(again.n > first.n);
}

static void a_row_number_never_comes_again(void **state)
{
    in_job(numbers);
}

static void emptiness(struct db *db)
{
    bool empty = false;
    assert_ok(setting_account_is_empty(db, 50, &empty));
    assert_true(empty);
    struct setting s = make(db, SETTING_EXTENSION, "ext_1", 50, "alice");
    assert_ok(setting_account_is_empty(db, 50, &empty));
    assert_false(empty);
    assert_ok(setting_delete(db, SETTING_EXTENSION, s.n));
    assert_ok(setting_account_is_empty(db, 50, &empty));
    assert_true(empty);
}

static void an_account_with_a_setting_is_not_empty(void **state)
{
    in_job(emptiness);
}

static void kinds_have_names(void **state)
{
    enum setting_kind kind;
    assert_true(setting_kind_parse(STR("smpp_link"), &kind));
    assert_int_equal(kind, SETTING_SMPP_LINK);
    assert_string_equal(setting_kind_name(SETTING_NUMBER), "number");
    assert_false(setting_kind_parse(STR("thing"), &kind));
}

static int begin(void **state)
{
    buf_init(&mem, 1 << 20);
    return rows_begin(state);
}

static int end(void **state)
{
    buf_fini(&mem);
    return rows_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_counts_the_version_up),
        cmocka_unit_test(ids_and_keys_are_unique_in_their_kind),
        cmocka_unit_test(an_account_sees_its_own),
        cmocka_unit_test(a_row_number_never_comes_again),
        cmocka_unit_test(an_account_with_a_setting_is_not_empty),
        cmocka_unit_test(kinds_have_names),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
