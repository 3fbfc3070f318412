#include "check.h"
#include "api/http/head.h"

static void path_is(const char *in, bool one_part, const char *out)
{
    char text[64];
    snprintf(text, sizeof text, "%s", in);
    head_unescape_path(text, one_part);
    assert_string_equal(text, out);
}

static void escapes_of_a_path(void **state)
{
    path_is("/v1/numbers/%2B44", false, "/v1/numbers/+44");
    path_is("/v1%2Fnumbers%2f", false, "/v1%2Fnumbers%2f");
    path_is("a%2Fb", true, "a/b");
    path_is("a%00b", true, "a%00b");
    path_is("a%00b", false, "a%00b");
    path_is("%252F", true, "%2F");
    path_is("100%", true, "100%");
    path_is("%4", true, "%4");
    path_is("%zz%4a", true, "%zzJ");
    path_is("%C3%A9", true, "\xc3\xa9");
}

static void form_is(const char *in, struct str out)
{
    struct buf b;
    buf_init(&b, 64);
    buf_puts(&b, "before");
    struct str got = head_unescape_form(str_of(in), &b);
    assert_true(str_eq(got, out));
    buf_fini(&b);
}

static void escapes_of_a_query(void **state)
{
    form_is("a+b%2Bc%20d", STR("a b+c d"));
    form_is("%00", STR("\0"));
    form_is("%2F%", STR("/%"));
    form_is("", STR(""));
}

static void targets(void **state)
{
    assert_str(head_path(STR("/a/b")), "/a/b");
    assert_str(head_path(STR("http://host:80/a")), "/a");
    assert_str(head_path(STR("HTTPS://host/")), "/");
    assert_str(head_path(STR("*")), "*");
    assert_str(head_path(STR("//a")), "//a");
}

static int status_of(const char *const line[][2], bool is_1_0)
{
    struct http_refusal why = {0};
    struct head h = {.is_1_0 = is_1_0};
    for (size_t i = 0; line[i][0]; i++)
        head_take(&h, str_of(line[i][0]), str_of(line[i][1]));
    bool sound = head_is_sound(&h, &why);
    assert_int_equal(sound, why.status == 0);
    assert_int_equal(sound, why.detail[0] == '\0');
    return why.status;
}
#define STATUS(is_1_0, ...) status_of((const char *const[][2]){__VA_ARGS__, {NULL, NULL}}, is_1_0)

static void heads(void **state)
{
    assert_int_equal(STATUS(false, {"Host", "x"}), 0);
    assert_int_equal(STATUS(true, {"X", "y"}), 0);
    assert_int_equal(STATUS(false, {"X", "y"}), 400);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"host", "x"}), 400);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Transfer-Encoding", "Chunked"}), 0);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Transfer-Encoding", "gzip, chunked"}), 501);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Transfer-Encoding", "chunked"},
                            {"Transfer-Encoding", "chunked"}),
                     400);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Authorization", "a"}, {"authorization", "b"}),
                     400);
    assert_int_equal(
        STATUS(false, {"Host", "x"}, {"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}), 400);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Content-Type", "a"}, {"Content-Type", "b"}),
                     400);
    assert_int_equal(STATUS(false, {"Host", "x"}, {"Accept", "a"}, {"Accept", "b"}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_of_a_path),
        cmocka_unit_test(escapes_of_a_query),
        cmocka_unit_test(targets),
        cmocka_unit_test(heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
