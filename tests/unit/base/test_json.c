#include "check.h"
#include "base/json.h"

static void reads_members_in_order(void **state)
{
    struct json *doc;
    struct str key, s;
    const struct json *v;
    void *it = NULL;
    int64_t i;
    bool b;
    assert_ok(json_parse(STR("{\"z\":1,\"a\":[true,null],\"m\":\"x\"}"), &doc, NULL, 0));
    assert_true(json_next(doc, &it, &key, &v));
    assert_str(key, "z");
    assert_true(json_int(v, &i));
    assert_int_equal(i, 1);
    assert_false(json_str(v, &s));
    assert_true(json_next(doc, &it, &key, &v));
    assert_int_equal(json_len(v), 2);
    assert_true(json_bool(json_at(v, 0), &b));
    assert_int_equal(json_kind(json_at(v, 1)), JSON_IS_NULL);
    assert_true(json_str(json_get(doc, "m"), &s));
    assert_str(s, "x");
    assert_null(json_get(doc, "none"));
    json_free(doc);
}

static void refuses_what_two_readers_would_read_differently(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "[1,]",
                                      "{\"a\":\"\\u0000\"}",
                                      "{\"a\":\"\xff\"}",
                                      "nul",
                                      "{} x",
                                      "[1 2]"};
    char where[120];
    struct json *doc;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(json_parse(str_of(bad[i]), &doc, where, sizeof where), ERR_SYNTAX);
    char deep[400];
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    assert_err(json_parse(str_of_bytes(deep, 400), &doc, where, sizeof where), ERR_SYNTAX);
}

/* A value alone may be one that the library shares between documents. */
static void a_document_is_freed_whatever_it_is(void **state)
{
    static const char *const good[] = {"true", "false", "null", "1", "1.5", "\"x\"", "[]", "{}"};
    struct json *a, *b;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(json_parse(str_of(good[i]), &a, NULL, 0));
        assert_ok(json_parse(str_of(good[i]), &b, NULL, 0));
        json_free(a);
        assert_true(json_same(b, b));
        json_free(b);
    }
    json_free(NULL);
}

static void a_large_document_is_whole(void **state)
{
    enum { MEMBERS = 5000 };
    char key[24];
    struct json *doc;
    struct str s, want;
    struct buf text, again;
    buf_init(&text, 1 << 20);
    buf_init(&again, 1 << 20);
    for (int i = 0; i < MEMBERS; i++)
        buf_printf(&text, "%c\"key%d\":[\"value %d\",{\"n\":%d}]", i ? ',' : '{', i, i, i);
    buf_putc(&text, '}');
    assert_ok(json_parse(buf_str(&text), &doc, NULL, 0));
    assert_int_equal(json_len(doc), MEMBERS);
    for (int i = 0; i < MEMBERS; i++) {
        int64_t n;
        snprintf(key, sizeof key, "key%d", i);
        const struct json *v = json_get(doc, key);
        snprintf(key, sizeof key, "value %d", i);
        want = str_of(key);
        assert_true(json_str(json_at(v, 0), &s) && str_eq(s, want));
        assert_true(json_int(json_get(json_at(v, 1), "n"), &n) && n == i);
    }
    buf_put_json(&again, doc);
    assert_true(str_eq(buf_str(&again), buf_str(&text)));
    json_free(doc);
    buf_fini(&text);
    buf_fini(&again);
}

static void writes_strings_that_stay_strings(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_put_json_str(&b, str_of_bytes("a\"\\\n\x01\xff</script>", 15));
    assert_str(buf_str(&b), "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd</script>\"");
    buf_fini(&b);
}

/* What JSON.stringify and json.dumps(ensure_ascii=False) print of each byte of ASCII, and of runes. */
static void strings_are_written_as_others_write_them(void **state)
{
    static const char want[] =
        "\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\\u"
        "0010"
        "\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001"
        "d\\u001e"
        "\\u001f !\\\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`"
        "abcdefghijklmnopqrstuvwxyz{|}~\x7f\xC3\xA9\xE2\x80\xA8\xF0\x9F\xA6\x8A\"";
    char all[140];
    size_t n = 0;
    struct buf b;
    for (; n < 127; n++)
        all[n] = (char)(n + 1);
    n += (size_t)snprintf(all + n, sizeof all - n, "\xC3\xA9\xE2\x80\xA8\xF0\x9F\xA6\x8A");
    buf_init(&b, 1000);
    buf_put_json_str(&b, str_of_bytes(all, n));
    assert_str(buf_str(&b), want);
    buf_fini(&b);
}

static void places_commas(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    struct json_writer w = {&b, false};
    json_obj(&w, NULL);
    json_put_i64(&w, "n", -5);
    json_arr(&w, "list");
    json_put_bool(&w, NULL, true);
    json_put_null(&w, NULL);
    json_end_arr(&w);
    json_put_str(&w, "none", (struct str){0});
    json_obj(&w, "o");
    json_end_obj(&w);
    json_end_obj(&w);
    assert_str(buf_str(&b), "{\"n\":-5,\"list\":[true,null],\"none\":null,\"o\":{}}");
    buf_fini(&b);
}

static void merges(const char *old, const char *patch, const char *due)
{
    struct json *a = NULL, *b = NULL;
    struct buf out;
    buf_init(&out, 4096);
    if (old)
        assert_ok(json_parse(str_of(old), &a, NULL, 0));
    if (patch)
        assert_ok(json_parse(str_of(patch), &b, NULL, 0));
    struct json *c = json_merged(a, b, "account");
    buf_put_json(&out, c);
    assert_str(buf_str(&out), due);
    json_free(c);
    buf_reset(&out);
    if (a) { /* what it was made of is as it was */
        buf_put_json(&out, a);
        assert_str(buf_str(&out), old);
    }
    buf_fini(&out);
    json_free(a);
    json_free(b);
}

static void a_patch_is_merged_and_its_nulls_remove(void **state)
{
    merges("{\"a\":1,\"b\":{\"c\":[2]},\"d\":null}", "{\"a\":null,\"e\":[{}],\"f\":null}",
           "{\"b\":{\"c\":[2]},\"d\":null,\"e\":[{}]}");
    merges("{\"b\":{\"c\":1}}", "{\"b\":{\"d\":2}}", "{\"b\":{\"d\":2}}");
    merges("{\"account\":1,\"a\":2}", "{\"account\":3}", "{\"a\":2}");
    merges("{\"a\":2}", NULL, "{\"a\":2}");
    merges(NULL, "{\"a\":2,\"b\":null}", "{\"a\":2}");
    merges(NULL, NULL, "{}");
}

/* More members than the first piece of memory holds. */
static void a_large_object_is_merged(void **state)
{
    char text[32 * 1000], name[16];
    struct buf b;
    struct json_writer w = {&b, false};
    struct json *doc, *both;
    buf_wrap(&b, text, sizeof text);
    json_obj(&w, NULL);
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "member%d", i);
        json_put_i64(&w, name, i);
    }
    json_end_obj(&w);
    assert_ok(json_parse(buf_str(&b), &doc, NULL, 0));
    both = json_merged(doc, doc, "member7");
    assert_int_equal(json_len(both), 999);
    json_free(both);
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_members_in_order),
        cmocka_unit_test(refuses_what_two_readers_would_read_differently),
        cmocka_unit_test(a_document_is_freed_whatever_it_is),
        cmocka_unit_test(a_large_document_is_whole),
        cmocka_unit_test(writes_strings_that_stay_strings),
        cmocka_unit_test(strings_are_written_as_others_write_them),
        cmocka_unit_test(places_commas),
        cmocka_unit_test(a_patch_is_merged_and_its_nulls_remove),
        cmocka_unit_test(a_large_object_is_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
