#include "../check.h"
#include "deliver/http_conn.h"

static struct http_answer a;

/* The whole text at once, or byte by byte; the last error. */
static enum err feed(const char *text, size_t n, bool bytewise, size_t *ret_rest)
{
    enum err err = OK;
    answer_start(&a);
    *ret_rest = 0;
    for (size_t at = 0; err == OK && at < n && !a.complete; at += bytewise ? 1 : n)
        err = answer_feed(&a, str_of_bytes(text + at, bytewise ? 1 : n), ret_rest);
    return err;
}

static void both_ways(const char *text, int status, const char *body, bool keeps)
{
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        size_t rest;
        assert_ok(feed(text, strlen(text), bytewise, &rest));
        assert_true(a.complete);
        assert_int_equal(a.status, status);
        assert_str(str_of_bytes(a.kept, a.kept_n), body);
        assert_int_equal(answer_keeps_alive(&a), keeps);
    }
}

static void whole_answers(void **state)
{
    both_ways("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", true);
    both_ways("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true);
    both_ways("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
              200, "abc", true);
    both_ways("HTTP/1.1 500 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 500, "", false);
    both_ways("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 201,
              "", true);
}

static void bytes_behind_it_are_seen(void **state)
{
    size_t rest;
    static const char text[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\n\r\n";
    assert_ok(feed(text, sizeof text - 1, false, &rest));
    assert_int_equal(a.status, 200);
    assert_int_equal(rest, 25);
}

static void retry_after(void **state)
{
    size_t rest;
    static const char text[] = "HTTP/1.1 503 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    assert_ok(feed(text, sizeof text - 1, true, &rest));
    assert_int_equal(answer_retry_after_sec(&a), 120);
}

static void hostile_ones_are_bounded(void **state)
{
    struct buf b;
    size_t rest;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 2000; i++)
        buf_puts(&b, "X-Endless: yes\r\n");
    assert_err(feed(b.p, b.n, false, &rest), ERR_TOO_BIG);
    buf_reset(&b);
    for (int i = 0; i < 20; i++)
        buf_puts(&b, "HTTP/1.1 102 Processing\r\n\r\n");
    assert_err(feed(b.p, b.n, false, &rest), ERR_TOO_BIG);
    buf_reset(&b);
    buf_puts(&b, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20000; i++)
        buf_puts(&b, "1\r\nx\r\n");
    assert_ok(feed(b.p, b.n, false, &rest)); /* 64 KiB are enough to know how it went */
    assert_true(a.complete);
    assert_false(answer_keeps_alive(&a));
    assert_int_equal(a.kept_n, HTTP_BODY_KEPT);
    buf_fini(&b);
    assert_err(feed("garbage\r\n\r\n", 11, false, &rest), ERR_SYNTAX);
    assert_err(feed("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 59,
                    false, &rest),
               ERR_SYNTAX);
    static const char both[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_err(feed(both, sizeof both - 1, false, &rest), ERR_SYNTAX);
}

static void a_body_until_the_end(void **state)
{
    size_t rest;
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello";
    assert_ok(feed(text, sizeof text - 1, true, &rest));
    assert_false(a.complete);
    assert_true(answer_end(&a));
    assert_str(str_of_bytes(a.kept, a.kept_n), "hello");
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    assert_ok(feed(cut, sizeof cut - 1, true, &rest));
    assert_false(answer_end(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers),        cmocka_unit_test(bytes_behind_it_are_seen),
        cmocka_unit_test(retry_after),          cmocka_unit_test(hostile_ones_are_bounded),
        cmocka_unit_test(a_body_until_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
