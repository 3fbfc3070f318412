#include "check.h"
#include "deliver/http/conn.h"

static struct http_answer a;

/* The whole text at once, or byte by byte; the last error. */
static enum err feed(const char *text, size_t n, bool bytewise, size_t *ret_rest)
{
    enum err err = OK;
    answer_start(&a);
    *ret_rest = 0;
    for (size_t at = 0; err == OK && at < n && !a.in.complete; at += bytewise ? 1 : n)
        err = answer_feed(&a, str_of_bytes(text + at, bytewise ? 1 : n), ret_rest);
    return err;
}

static void both_ways(const char *text, int status, const char *body, bool keeps)
{
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        size_t rest;
        assert_ok(feed(text, strlen(text), bytewise, &rest));
        assert_true(a.in.complete);
        assert_int_equal(a.in.status, status);
        assert_str(str_of_bytes(a.kept, a.kept_n), body);
        assert_int_equal(response_reader_keeps_alive(&a.in), keeps);
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
    assert_int_equal(a.in.status, 200);
    assert_int_equal(rest, 25);
}

static void retry_after(void **state)
{
    size_t rest;
    static const char text[] = "HTTP/1.1 503 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n";
    assert_ok(feed(text, sizeof text - 1, true, &rest));
    assert_int_equal(response_reader_retry_after_sec(&a.in, 0), 120);
    static const char twice[] =
        "HTTP/1.1 503 x\r\nRetry-After: 120\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n";
    assert_ok(feed(twice, sizeof twice - 1, true, &rest));
    assert_int_equal(response_reader_retry_after_sec(&a.in, 0), 7);
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
    assert_true(a.in.complete);
    assert_false(response_reader_keeps_alive(&a.in));
    assert_int_equal(a.kept_n, HTTP_BODY_KEPT);
    buf_fini(&b);
    assert_err(feed("garbage\r\n\r\n", 11, false, &rest), ERR_SYNTAX);
    assert_err(feed("HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", 59,
                    false, &rest),
               ERR_SYNTAX);
}

static void a_body_until_the_end(void **state)
{
    size_t rest;
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello";
    assert_ok(feed(text, sizeof text - 1, true, &rest));
    assert_false(a.in.complete);
    assert_true(response_reader_end(&a.in));
    assert_str(str_of_bytes(a.kept, a.kept_n), "hello");
    static const char cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    assert_ok(feed(cut, sizeof cut - 1, true, &rest));
    assert_false(response_reader_end(&a.in)); /* incomplete (RFC 9112 §8) */
}

/* A head, then `piece` again and again: the outcome, and how much was taken until it was clear. */
static enum err endless(const char *head, const char *piece, size_t *ret_fed)
{
    size_t rest, n = strlen(piece);
    enum err err = feed(head, strlen(head), false, &rest);
    for (*ret_fed = 0; err == OK && !a.in.complete && *ret_fed < 1 << 20; *ret_fed += n)
        err = answer_feed(&a, str_of_bytes(piece, n), &rest);
    return err;
}

static void what_never_ends_is_ended(void **state)
{
    static const struct {
        const char *head, *piece;
        enum err err;
    } way[] = {
        {"", "\r\n\r\n\r\n\r\n", ERR_TOO_BIG}, /* before the status line */
        {"HTTP/1.1 200 ", "reason ", ERR_TOO_BIG},
        {"HTTP/1.1 200 OK\r\n", "X: y\r\n", ERR_TOO_BIG},
        {"HTTP/1.1 200 OK\r\n", "name", ERR_TOO_BIG},
        {"HTTP/1.1 200 OK\r\nX: ", "value", ERR_TOO_BIG},
        {"HTTP/1.1 200 OK\r\nX:", "        ", ERR_TOO_BIG}, /* blanks before a value */
        {"", "HTTP/1.1 102 Processing\r\n\r\n", ERR_TOO_BIG},
        {"", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", ERR_TOO_BIG},
        {"HTTP/1.1 200 OK\r\n\r\n", "body ", OK},
        {"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "body ", OK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", OK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0000000", OK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "extension", OK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "value", OK},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: trailer\r\n", OK},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        size_t fed;
        enum err err = endless(way[i].head, way[i].piece, &fed);
        if (err != way[i].err ||
            (err == OK && (!a.in.complete || response_reader_keeps_alive(&a.in))))
            fail_msg("%s%s…: %s", way[i].head, way[i].piece, err_name(err));
        assert_in_range(fed, 1, HTTP_HEAD_MAX + HTTP_BODY_MAX + 100);
        assert_int_equal(a.in.status, err == OK ? 200 : 0);
    }
}

static void what_is_no_http_1(void **state)
{
    static const char *const bad[] = {
        "HTTP/0.9 200 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 x OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "<html>hello</html>\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "HTTP/1.1 102 x\r\nContent-Length: -1\r\n\r\n", /* interim: it says nothing yet */
        "HTTP/1.1 101 x\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            size_t rest;
            if (feed(bad[i], strlen(bad[i]), bytewise, &rest) != ERR_SYNTAX)
                fail_msg("%s", bad[i]);
        }
}

/* RFC 9112 §6.3: no body comes, whatever the head says of its length. */
static void no_content_ends_at_its_head(void **state)
{
    both_ways("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", false);
    both_ways("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 204, "", true);
    both_ways("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", 204, "", false);
    both_ways("HTTP/1.1 204 No Content\r\nTransfer-Encoding: gzip\r\n\r\n", 204, "", false);
    both_ways("HTTP/1.1 304 x\r\nContent-Length: 7\r\n\r\n", 304, "", false);
    both_ways("HTTP/1.0 204 x\r\n\r\n", 204, "", false);
}

static void a_whole_status_line_decides(void **state)
{
    static const char *const faulty[] = {
        "\r\nContent-Length: -1\r\n\r\n",
        "\r\nContent-Length: 1x\r\n\r\n",
        "\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
        "\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "\r\nno header\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof faulty / sizeof *faulty; i++) {
        char text[200];
        snprintf(text, sizeof text, "HTTP/1.1 202 Accepted%s", faulty[i]);
        both_ways(text, 202, "", false);
        snprintf(text, sizeof text, "HTTP/1.1 500%s", faulty[i]);
        both_ways(text, 500, "", false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_answers),
        cmocka_unit_test(bytes_behind_it_are_seen),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(hostile_ones_are_bounded),
        cmocka_unit_test(a_body_until_the_end),
        cmocka_unit_test(what_never_ends_is_ended),
        cmocka_unit_test(what_is_no_http_1),
        cmocka_unit_test(no_content_ends_at_its_head),
        cmocka_unit_test(a_whole_status_line_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
