/* The X-* headers of an INVITE, as its events have them. */
#include "check.h"
#include "sip/call/x_headers.h"

static char message[65536];
static struct buf out;
static bool was_cut;

static struct str read_of(const char *headers)
{
    struct sip_msg m;
    int n = snprintf(message, sizeof message,
                     "INVITE sip:+447911123456@x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKa\r\n"
                     "From: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
                     "%s\r\n",
                     headers);
    assert_ok(sip_parse(message, (size_t)n, &m));
    buf_reset(&out);
    x_headers_read(&m, NULL, &out, &was_cut);
    assert_ok(out.err);
    return buf_str(&out);
}

static void several_of_one_name_are_joined(void **state)
{
    assert_str(read_of("X-A: one\r\nX-Other: o\r\nX-A: two\r\nx-a: three\r\n"),
               "x_a\none, two, three\nx_other\no\n");
    assert_false(was_cut);
}

/* §7.3.1 */
static void white_space_in_a_value_is_one_blank(void **state)
{
    assert_str(read_of("X-Note: one\r\n two\r\n\t three\r\nX-Tab: a\t\tb  c\r\n"),
               "x_note\none two three\nx_tab\na b c\n");
    assert_false(was_cut);
}

static void names_that_become_one_are_joined_too(void **state)
{
    assert_str(read_of("X-A_B: u\r\nX-A-B: v\r\nX-a.b: w\r\n"), "x_a_b\nu, v, w\n");
    assert_false(was_cut);
}

static void others_and_the_daemons_own_are_not_among_them(void **state)
{
    assert_str(read_of("X-Hookswitch-Simulated: 1\r\nx-hookswitch-call-id: c\r\nSubject: s\r\n"
                       "P-Foo: p\r\nX-Hook: h\r\n"),
               "x_hook\nh\n");
}

static void a_long_value_is_cut_between_characters(void **state)
{
    static char line[4096];
    memset(line, 'v', sizeof line);
    memcpy(line, "X-A: v", 6);
    memcpy(line + 5 + 1023, "\xc3\xa4\r\nX-B: b\r\n", 13);
    struct str s = read_of(line);
    assert_true(was_cut);
    assert_int_equal(s.n, 4 + 1023 + 1 + 6);
    assert_true(str_eq(str_from(s, 4 + 1023), STR("\nx_b\nb\n")));
}

static void a_joined_value_is_cut_too(void **state)
{
    static char lines[4096];
    size_t n = 0;
    for (int i = 0; i < 3; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "X-A: %0600d\r\n", i);
    struct str s = read_of(lines);
    assert_true(was_cut);
    assert_int_equal(s.n, 4 + X_HEADER_VALUE_MAX + 1);
}

static void a_small_one_behind_many_large_ones_is_there(void **state)
{
    static char lines[65536];
    size_t n = 0;
    for (int i = 0; i < 9; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "X-Part-%d: %0900d\r\n", i, i);
    snprintf(lines + n, sizeof lines - n, "X-Account: 42\r\n");
    struct str s = read_of(lines);
    assert_false(was_cut);
    assert_non_null(memmem(s.p, s.n, "\nx_account\n42\n", 14));
}

static void past_32_names_the_rest_is_left_out(void **state)
{
    static char lines[4096];
    size_t n = 0;
    for (int i = 0; i < 33; i++)
        n += (size_t)snprintf(lines + n, sizeof lines - n, "X-%d: v\r\n", i);
    snprintf(lines + n, sizeof lines - n, "X-0: again\r\n");
    struct str s = read_of(lines);
    assert_true(was_cut);
    assert_true(str_starts(s, STR("x_0\nv, again\n")));
    assert_non_null(memmem(s.p, s.n, "x_31\n", 5));
    assert_null(memmem(s.p, s.n, "x_32\n", 5));
}

static void a_name_of_65_bytes_is_left_out(void **state)
{
    char line[100];
    snprintf(line, sizeof line, "X-%063d: v\r\nX-B: b\r\n", 0);
    assert_str(read_of(line), "x_b\nb\n");
    assert_true(was_cut);
}

int main(void)
{
    buf_init(&out, 65536);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_of_one_name_are_joined),
        cmocka_unit_test(white_space_in_a_value_is_one_blank),
        cmocka_unit_test(names_that_become_one_are_joined_too),
        cmocka_unit_test(others_and_the_daemons_own_are_not_among_them),
        cmocka_unit_test(a_long_value_is_cut_between_characters),
        cmocka_unit_test(a_joined_value_is_cut_too),
        cmocka_unit_test(a_small_one_behind_many_large_ones_is_there),
        cmocka_unit_test(past_32_names_the_rest_is_left_out),
        cmocka_unit_test(a_name_of_65_bytes_is_left_out),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&out);
    return failed;
}
