/* Answers without a known end, heads that come first, codings, and what stands behind an answer;
 * whole and one byte at a time. The limits are tested with what deliver keeps of an answer. */
#include "check.h"
#include "net/http/response_reader.h"

enum { ENDLESS = 1 << 20 };

struct hearer {
    struct response_reader in;
    struct buf body;
    unsigned heads;
    int status;
};

static void on_head(void *arg)
{
    struct hearer *h = arg;
    h->heads++;
    h->status = h->in.status;
    assert_int_equal(h->body.n, 0);
}

static void on_body(void *arg, struct str bytes)
{
    struct hearer *h = arg;
    assert_int_equal(h->heads, 1);
    buf_put_str(&h->body, bytes);
}

static void begin(struct hearer *h, size_t body_max)
{
    const struct response_limits max = {.head_max = 1024, .body_max = body_max};
    *h = (struct hearer){.status = 0};
    buf_init(&h->body, 2 * ENDLESS);
    response_reader_init(&h->in, &max, on_body, h);
    h->in.on_head = on_head;
}

static enum err feed(struct hearer *h, const char *text, size_t piece, size_t *ret_rest)
{
    enum err err = OK;
    struct str s = str_of(text);
    *ret_rest = 0;
    while (err == OK && s.n && !h->in.complete) {
        struct str now = str_slice(s, 0, piece);
        err = response_reader_feed(&h->in, now, ret_rest);
        s = str_from(s, now.n);
    }
    return err;
}

static void the_final_head_is_told_once_and_first(void **state)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX: y\r\n\r\n";
    for (size_t piece = 1; piece < sizeof text; piece++) {
        struct hearer h;
        size_t rest;
        begin(&h, 0);
        assert_ok(feed(&h, text, piece, &rest));
        assert_true(h.in.complete);
        assert_int_equal(h.status, 200);
        assert_int_equal(h.in.interim, 2);
        assert_str(buf_str(&h.body), "abcde");
        buf_fini(&h.body);
    }
}

static void an_answer_without_an_end_goes_on(void **state)
{
    struct hearer h;
    size_t rest, n = 0;
    begin(&h, 0);
    assert_ok(feed(&h, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 1000, &rest));
    for (; n < ENDLESS / 5; n++) /* extensions too, far beyond what a head may have */
        assert_ok(feed(&h, "5;extension=1\r\nhello\r\n", 1000, &rest));
    assert_false(h.in.complete);
    assert_int_equal(h.body.n, n * 5);
    assert_false(response_reader_end(&h.in)); /* its last chunk never came */
    buf_fini(&h.body);
    begin(&h, 0);
    assert_ok(feed(&h, "HTTP/1.1 200 OK\r\n\r\nsome", 3, &rest));
    assert_false(h.in.complete);
    assert_true(response_reader_end(&h.in)); /* it lasts until the connection ends */
    assert_false(response_reader_keeps_alive(&h.in));
    assert_str(buf_str(&h.body), "some");
    buf_fini(&h.body);
}

static void a_head_has_an_end_all_the_same(void **state)
{
    struct hearer h;
    size_t rest;
    enum err err;
    begin(&h, 0);
    err = feed(&h, "HTTP/1.1 200 OK\r\n", 1000, &rest);
    for (int i = 0; err == OK && i < 1000; i++)
        err = feed(&h, "X-Endless: yes\r\n", 1000, &rest);
    assert_err(err, ERR_TOO_BIG);
    assert_int_equal(h.heads, 0);
    buf_fini(&h.body);
}

static void a_body_beyond_its_limit_ends_the_answer(void **state)
{
    struct hearer h;
    size_t rest;
    begin(&h, 10);
    assert_ok(feed(&h, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 1, &rest));
    assert_true(h.in.complete && response_reader_keeps_alive(&h.in));
    buf_fini(&h.body);
    begin(&h, 10);
    assert_ok(feed(&h, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n", 100, &rest));
    assert_int_equal(response_reader_body_left(&h.in), 10);
    assert_ok(feed(&h, "0123456789ab", 1, &rest));
    assert_true(h.in.complete && h.in.is_cut);
    assert_false(response_reader_keeps_alive(&h.in));
    buf_fini(&h.body);
}

static void codings_are_told(void **state)
{
    static const struct {
        const char *head;
        bool is_coded;
    } way[] = {
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", false},
        {"HTTP/1.1 200 OK\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
        struct hearer h;
        size_t rest;
        begin(&h, 0);
        assert_ok(feed(&h, way[i].head, 1, &rest));
        assert_int_equal(h.heads, 1);
        assert_int_equal(h.in.is_coded, way[i].is_coded);
        buf_fini(&h.body);
    }
}

static void bytes_behind_it_and_retry_after(void **state)
{
    static const char text[] =
        "HTTP/1.1 503 x\r\nretry-after:  17 \r\nContent-Length: 0\r\n\r\nmore";
    struct hearer h;
    size_t rest;
    begin(&h, 0);
    assert_ok(feed(&h, text, sizeof text, &rest));
    assert_int_equal(rest, 4);
    assert_int_equal(response_reader_retry_after_sec(&h.in, 0), 17);
    buf_fini(&h.body);
}

static int64_t wait_until(const char *date, int64_t now_ms)
{
    struct hearer h;
    size_t rest;
    char text[200];
    begin(&h, 0);
    snprintf(text, sizeof text, "HTTP/1.1 503 x\r\nRetry-After: %s\r\n\r\n", date);
    assert_ok(feed(&h, text, 1, &rest));
    buf_fini(&h.body);
    return response_reader_retry_after_sec(&h.in, now_ms);
}

static void retry_after_may_be_a_date(void **state)
{
    const int64_t at_ms = 946684799000;
    static const char *const form[] = {
        "Fri, 31 Dec 1999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT",
        "Wednesday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999"};
    for (size_t i = 0; i < sizeof form / sizeof *form; i++) {
        assert_int_equal(wait_until(form[i], at_ms - 120000), 120);
        assert_int_equal(wait_until(form[i], at_ms - 500), 1);
        assert_int_equal(wait_until(form[i], at_ms + 5000), 0);
    }
    assert_int_equal(wait_until("soon", at_ms), -1);
    assert_int_equal(wait_until("Fri, 31 Dec 1999 23:59:59 GMT and then some", at_ms), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_final_head_is_told_once_and_first),
        cmocka_unit_test(an_answer_without_an_end_goes_on),
        cmocka_unit_test(a_head_has_an_end_all_the_same),
        cmocka_unit_test(a_body_beyond_its_limit_ends_the_answer),
        cmocka_unit_test(codings_are_told),
        cmocka_unit_test(bytes_behind_it_and_retry_after),
        cmocka_unit_test(retry_after_may_be_a_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
