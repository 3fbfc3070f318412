/* A setting's row and documents while a request works on it. */
#include "api/core/endpoint_kind.h"
#include "api/core/key_kind.h"
#include "api_kit.h"

static int set_up(void **state)
{
    api_kit_begin();
    return 0;
}

static int tear_down(void **state)
{
    api_kit_end();
    return 0;
}

static char id[64];

static enum err get_work(struct request *r, struct db *db)
{
    struct record *rec = r->record;
    struct str s;
    enum err err = record_get(rec, db, 0, str_of(id));
    if (err != OK)
        return err;
    assert_true(json_str(json_get(rec->was, "url"), &s));
    assert_str(s, "https://h.example/a");
    assert_null(rec->now);
    uint64_t n = rec->setting.n, account = rec->setting.account;
    assert_int_equal(record_get(rec, db, account + 1, str_of(id)), ERR_NOT_FOUND);
    assert_null(rec->was); /* of this look alone */
    assert_ok(record_get_n(rec, db, account, n));
    assert_str(rec->setting.id, id);
    assert_ok(record_get_by_key(rec, db, rec->setting.key));
    assert_int_equal(rec->setting.n, n);
    assert_int_equal(record_owner(rec), account);
    rec->move_to = account + 5;
    assert_int_equal(record_owner(rec), account + 5);
    return OK;
}

static void a_row_is_got_with_its_document(void **state)
{
    struct answer *a =
        api_kit_must(201, "POST", "/v1/endpoints", "{\"url\":\"https://h.example/a\"}");
    snprintf(id, sizeof id, "%s", answer_text(a, "id"));
    struct request *r = api_kit_request("GET", "/", "", NULL);
    r->record = record_new(r, &endpoints);
    assert_non_null(r->record);
    assert_ok(api_kit_read(r, get_work));
    snprintf(id, sizeof id, "ep_none");
    assert_err(api_kit_read(r, get_work), ERR_NOT_FOUND);
}

static void a_document_stands_behind_its_key(void **state)
{
    struct request *r = api_kit_request("GET", "/", "", NULL);
    struct record *rec = record_new(r, &keys), *other = record_new(r, &keys);
    for (int run = 0; run < 2; run++) { /* of the job */
        record_begin(rec);
        assert_ok(record_print_key(rec, "key"));
        buf_puts(&rec->text, "{\"a\":1}");
        assert_ok(record_printed(rec, 3));
        assert_str(rec->setting.key, "key");
        assert_str(rec->setting.doc, "{\"a\":1}");
    }
    rec->text.err = ERR_NOMEM;
    assert_err(record_printed(rec, 3), ERR_NOMEM);
    assert_ptr_equal(r->records, other); /* all go with the request */
    assert_true(record_hides(&keys, STR("hash")));
    assert_false(record_hides(&keys, STR("name")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_row_is_got_with_its_document),
        CASE(a_document_stands_behind_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
