/* An entry is a row whose document was parsed, with the same outcome by a reader of many documents
 * and alone; what cannot be used is no entry. */
#include "hub/book_entry.h"

#include "check.h"

static struct json_reader *reader;

static struct entry *entry_from(enum setting_kind kind, const char *id, const char *key,
                                const char *doc)
{
    const struct setting s = {.kind = kind,
                              .n = 17,
                              .account = 3,
                              .id = str_of(id),
                              .key = str_of(key),
                              .doc = str_of(doc)};
    struct entry *alone = entry_of_setting(&s, NULL), *e = entry_of_setting(&s, reader);
    assert_true((alone != NULL) == (e != NULL));
    entry_drop(alone);
    return e;
}

static void each_kind_has_its_row(void **state)
{
    static const struct {
        enum setting_kind kind;
        const char *id, *key, *doc;
    } rows[] = {
        {SETTING_ACCOUNT, "acc_1", "a", "{\"name\":\"a\"}"},
        {SETTING_NUMBER, "+15550001", "+15550001", "{\"number\":\"+15550001\"}"},
        {SETTING_ENDPOINT, "ep_1", "ep_1", "{\"url\":\"https://example.com/\"}"},
        {SETTING_TRUNK, "trunk_1", "t", "{\"name\":\"t\",\"sources\":[\"10.1.0.0/16\",\"::1\"]}"},
        {SETTING_KEY, "key_1", "0123", "{\"name\":\"k\",\"hash\":\"0123\"}"},
        {SETTING_USER, "user_1", "ann",
         "{\"username\":\"Ann\",\"role\":\"owner\",\"password_hash\":\"x\"}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct entry *e = entry_from(rows[i].kind, rows[i].id, rows[i].key, rows[i].doc);
        if (!e)
            fail_msg("%s", rows[i].id);
        assert_int_equal(e->as_any.n, 17);
        assert_int_equal(e->as_any.account, 3);
        assert_string_equal(e->as_any.id, rows[i].id);
        assert_string_equal(e->key, rows[i].key);
        uint64_t n = 17;
        assert_true(str_eq(entries_by_id.key(e), str_of(rows[i].id)));
        assert_true(str_eq(entries_by_key.key(e), str_of(rows[i].key)));
        assert_true(str_eq(entries_by_n.key(e), str_of_bytes(&n, sizeof n)));
        entry_drop(e);
    }
}

static void sources_are_compiled(void **state)
{
    struct entry *e = entry_from(SETTING_TRUNK, "trunk_1", "t",
                                 "{\"name\":\"t\",\"sources\":[\"10.1.0.0/16\",\"192.0.2.1\"]}");
    assert_non_null(e);
    assert_int_equal(e->as_trunk.source[0].bits, 16);
    assert_int_equal(e->as_trunk.source[1].bits, 32);
    entry_drop(e);
}

static void what_cannot_be_used_is_no_entry(void **state)
{
    static const struct {
        enum setting_kind kind;
        const char *doc;
    } bad[] = {
        {SETTING_NUMBER, ""},
        {SETTING_NUMBER, "{\"number\":\"+15550001\""},
        {SETTING_NUMBER, "{\"number\":\"+15550001\",\"number\":\"+15550001\"}"},
        {SETTING_NUMBER, "{\"number\":\"5550001\"}"},
        {SETTING_NUMBER, "{\"number\":\"+15550001\",\"colour\":\"red\"}"},
        {SETTING_ENDPOINT, "{}"},
        {SETTING_ENDPOINT, "{\"url\":\"ftp://example.com/\"}"},
        {SETTING_ENDPOINT, "{\"url\":\"https://example.com/\",\"fallback_url\":\"https://[/\"}"},
        {SETTING_ENDPOINT, "{\"url\":\"https://example.com/\",\"secret\":\"whsec_!\"}"},
        {SETTING_TRUNK, "{\"name\":\"t\",\"sources\":[\"10.1.0.0/99\"]}"},
        {SETTING_EXTENSION, "{}"}, /* of no use to calls and deliveries */
        {SETTING_KIND_COUNT, "{}"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (entry_from(bad[i].kind, "x_1", "x", bad[i].doc))
            fail_msg("%s", bad[i].doc);
}

/* Each owner drops it once; the last frees it. */
static void entries_are_counted(void **state)
{
    struct entry *e = entry_from(SETTING_ACCOUNT, "acc_1", "a", "{\"name\":\"a\"}");
    assert_ptr_equal(entry_hold(e), e);
    entries_by_n.hold(e);
    assert_int_equal(e->refs, 3);
    entries_by_id.drop(e);
    entry_drop(e);
    assert_string_equal(e->as_account.set->name, "a");
    entry_drop(e);
    entry_drop(NULL);
}

static int open_reader(void **state)
{
    return json_reader_new(&reader) == OK ? 0 : -1;
}

static int close_reader(void **state)
{
    json_reader_free(reader);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_row),
        cmocka_unit_test(sources_are_compiled),
        cmocka_unit_test(what_cannot_be_used_is_no_entry),
        cmocka_unit_test(entries_are_counted),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
