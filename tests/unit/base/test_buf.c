/* The output buffer: it grows to its maximum and no further, and an error sticks. */
#include "check.h"

static void it_holds_what_was_put(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    buf_puts(&b, "a");
    buf_putc(&b, '\0');
    buf_put_str(&b, STR("bc"));
    buf_put(&b, NULL, 0);
    buf_put_u64(&b, UINT64_MAX);
    buf_putc(&b, ' ');
    buf_put_i64(&b, INT64_MIN);
    buf_printf(&b, " %d%s", 7, "x");
    assert_ok(b.err);
    struct str want = STR("a\0bc18446744073709551615 -9223372036854775808 7x");
    assert_int_equal(b.n, want.n);
    assert_memory_equal(b.p, want.p, want.n);
    buf_cut(&b, 2);
    assert_true(str_starts(buf_str(&b), STR("bc184")));
    buf_cut(&b, b.n);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

/* Small maxima too, which lie below what is allocated at first. */
static void the_maximum_is_exact(void **state)
{
    static const size_t max[] = {1, 5, 255, 256, 257, 5000};
    for (size_t i = 0; i < sizeof max / sizeof *max; i++) {
        struct buf b;
        buf_init(&b, max[i]);
        for (size_t n = 0; n < max[i]; n++)
            buf_putc(&b, 'x');
        assert_ok(b.err);
        assert_int_equal(b.n, max[i]);
        buf_putc(&b, 'x');
        assert_err(b.err, ERR_TOO_BIG);
        assert_int_equal(b.n, max[i]);
        buf_fini(&b);
    }
}

static void an_error_sticks_until_the_reset(void **state)
{
    struct buf b;
    buf_init(&b, 4);
    buf_puts(&b, "too long");
    assert_err(b.err, ERR_TOO_BIG);
    assert_int_equal(b.n, 0);
    buf_puts(&b, "ok"); /* would fit */
    buf_printf(&b, "%d", 1);
    assert_int_equal(b.n, 0);
    assert_null(buf_room(&b, 1));
    buf_reset(&b);
    buf_puts(&b, "ok");
    assert_str(buf_str(&b), "ok");
    buf_fini(&b);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
    buf_fini(NULL);
}

static void memory_of_the_caller_is_never_grown(void **state)
{
    char mem[9] = "........";
    struct buf b;
    buf_wrap(&b, mem, 8);
    buf_puts(&b, "1234567");
    buf_printf(&b, "%d", 89);
    assert_err(b.err, ERR_TOO_BIG);
    assert_str(buf_str(&b), "1234567");
    assert_ptr_equal(b.p, mem);
    assert_string_equal(mem + 8, "");
    buf_fini(&b);
}

static void a_printf_grows_it(void **state)
{
    char text[600];
    struct buf b;
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    buf_init(&b, 2000);
    buf_printf(&b, "<%s>", text);
    assert_ok(b.err);
    assert_int_equal(b.n, sizeof text + 1);
    assert_int_equal(b.p[b.n - 1], '>');
    buf_printf(&b, "%s%s%s", text, text, text);
    assert_err(b.err, ERR_TOO_BIG);
    assert_int_equal(b.n, sizeof text + 1);
    buf_fini(&b);
}

static void room_that_cannot_be_is_refused(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    buf_putc(&b, 'x');
    assert_null(buf_room(&b, SIZE_MAX));
    assert_err(b.err, ERR_TOO_BIG);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_holds_what_was_put),
        cmocka_unit_test(the_maximum_is_exact),
        cmocka_unit_test(an_error_sticks_until_the_reset),
        cmocka_unit_test(memory_of_the_caller_is_never_grown),
        cmocka_unit_test(a_printf_grows_it),
        cmocka_unit_test(room_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
