/* Log lines: one record is one line, whatever is in it, and levels are kept. */
#include <unistd.h>

#include "check.h"
#include "base/log.h"

static char text[1 << 16];

/* What `write` puts on standard error. */
static const char *logged(void (*write)(void))
{
    FILE *f = tmpfile();
    int old = dup(STDERR_FILENO);
    assert_non_null(f);
    fflush(stderr);
    dup2(fileno(f), STDERR_FILENO);
    write();
    fflush(stderr);
    dup2(old, STDERR_FILENO);
    close(old);
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static size_t lines_in(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += *s == '\n';
    return n;
}

static void say_hello(void)
{
    log_info("sip", "hello %d", 7);
}

static void a_line_has_level_part_and_text(void **state)
{
    log_level_set(LOG_INFO);
    const char *line = logged(say_hello);
    assert_int_equal(lines_in(line), 1);
    assert_non_null(strstr(line, "info"));
    assert_non_null(strstr(line, "sip"));
    assert_non_null(strstr(line, "hello 7\n"));
}

static void say_forged(void)
{
    log_warn("sip", "%s", "one\r\n2024-01-01T00:00:00Z error store: forged\x1b[31m\x7f");
}

static void text_of_the_network_makes_no_second_line(void **state)
{
    const char *line = logged(say_forged);
    assert_int_equal(lines_in(line), 1);
    assert_null(strchr(line, '\r'));
    assert_null(strchr(line, '\x1b'));
    assert_null(strchr(line, '\x7f'));
    assert_non_null(strstr(line, "one\\x0d\\x0a2024"));
    assert_non_null(strstr(line, "\\x1b[31m\\x7f"));
}

static void say_much(void)
{
    static char much[20000];
    memset(much, 'm', sizeof much - 1);
    log_error("sip", "%s", much);
}

static void a_long_text_is_one_line(void **state)
{
    const char *line = logged(say_much);
    assert_int_equal(lines_in(line), 1);
    assert_true(strlen(line) < 20000);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void say_each(void)
{
    log_debug("x", "d");
    log_info("x", "i");
    log_warn("x", "w");
    log_error("x", "e");
}

static void less_severe_lines_are_left_out(void **state)
{
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        log_level_set((enum log_level)level);
        assert_int_equal(log_level_get(), level);
        assert_int_equal(lines_in(logged(say_each)), 4 - level);
    }
    log_level_set(LOG_INFO);
}

static void a_place_says_it_once_in_a_while(void **state)
{
    _Atomic long long at = 0;
    assert_true(log_sparse_due(&at, 1000000));
    assert_false(log_sparse_due(&at, 1000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_level_part_and_text),
        cmocka_unit_test(text_of_the_network_makes_no_second_line),
        cmocka_unit_test(a_long_text_is_one_line),
        cmocka_unit_test(less_severe_lines_are_left_out),
        cmocka_unit_test(a_place_says_it_once_in_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
