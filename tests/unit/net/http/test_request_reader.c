#include "check.h"
#include "net/http/request_reader.h"

enum { BODY_MAX = 256 };

static struct request_reader reader;
static struct buf body;
static unsigned heads;

static bool on_head(struct request_reader *r)
{
    heads++;
    return !str_eq(request_reader_header(r, STR("X-Refuse")), STR("yes"));
}

static int setup(void **state)
{
    buf_init(&body, BODY_MAX);
    return 0;
}

static int teardown(void **state)
{
    request_reader_fini(&reader);
    buf_fini(&body);
    return 0;
}

/* In pieces of `piece` bytes; *ret_rest: how many of the text are not the request's. */
static enum http_read feed(struct str text, size_t piece, size_t *ret_rest)
{
    enum http_read read = HTTP_READ_MORE;
    size_t at = 0;
    request_reader_fini(&reader);
    buf_reset(&body);
    request_reader_init(&reader, &body, on_head, NULL);
    heads = 0;
    *ret_rest = 0;
    while (read == HTTP_READ_MORE && at < text.n) {
        struct str bytes = str_slice(text, at, piece);
        at += bytes.n;
        read = request_reader_feed(&reader, &bytes);
        *ret_rest = bytes.n + text.n - at;
    }
    return read;
}

static void is_whole(const char *text, const char *method, const char *target, const char *bytes,
                     bool keeps)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        size_t rest;
        assert_int_equal(feed(str_of(text), piece, &rest), HTTP_READ_WHOLE);
        assert_int_equal(rest, 0);
        assert_int_equal(heads, 1);
        assert_string_equal(request_reader_method(&reader), method);
        assert_string_equal(request_reader_target(&reader), target);
        assert_str(buf_str(&body), bytes);
        assert_int_equal(request_reader_keeps_alive(&reader), keeps);
    }
}

static void faults(struct str text, enum http_fault fault)
{
    size_t rest, pieces[] = {1, 7, text.n};
    for (size_t i = 0; i < 3; i++) {
        enum http_read read = feed(text, pieces[i], &rest);
        if (read != HTTP_READ_FAULT || reader.fault != fault)
            fail_msg("%.*s: read %d, fault %d, not %d", STR_FMT(str_slice(text, 0, 200)), read,
                     reader.fault, fault);
        struct str more = STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(request_reader_feed(&reader, &more), HTTP_READ_FAULT);
    }
}
#define FAULTS(text, fault) faults(STR(text), fault)

static void requests_in_any_pieces(void **state)
{
    is_whole("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", "GET", "/a?b=c", "", true);
    is_whole("GET / HTTP/1.0\r\n\r\n", "GET", "/", "", false);
    is_whole("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET", "/", "", true);
    is_whole("DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "DELETE", "/x", "",
             false);
    is_whole("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}", "POST", "/", "{}", true);
    is_whole("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             "1\r\n{\r\n1;a=b\r\n}\r\n0\r\nTrailer: x\r\n\r\n",
             "POST", "/", "{}", true);
    is_whole("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "GET", "/",
             "", true);
    is_whole("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS", "*", "", true);
}

static void header_lines(void **state)
{
    size_t rest;
    struct str text = STR("GET / HTTP/1.1\r\nHost:  x \r\nEmpty:\r\nX-A: one\r\nx-a: two\r\n\r\n");
    for (size_t piece = 1; piece <= text.n; piece++) {
        assert_int_equal(feed(text, piece, &rest), HTTP_READ_WHOLE);
        assert_int_equal(reader.n_lines, 4);
        assert_str(request_reader_header(&reader, STR("host")), "x");
        assert_str(request_reader_header(&reader, STR("EMPTY")), "");
        assert_str(request_reader_header(&reader, STR("X-A")), "one");
        assert_str(request_reader_name(&reader, 3), "x-a");
        assert_str(request_reader_value(&reader, 3), "two");
        assert_null(request_reader_header(&reader, STR("X-B")).p);
    }
}

static void bytes_behind_it_stay(void **state)
{
    size_t rest;
    struct str text = STR("POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /next HTTP/1.1\r\n");
    assert_int_equal(feed(text, text.n, &rest), HTTP_READ_WHOLE);
    assert_int_equal(rest, strlen("GET /next HTTP/1.1\r\n"));
    assert_str(buf_str(&body), "{}");
    text = STR("GET / HTTP/1.1\r\n\r\n\nGET");
    assert_int_equal(feed(text, text.n, &rest), HTTP_READ_WHOLE);
    assert_int_equal(rest, 4);
}

/* Two readers must not see two ends of one message. */
static void where_it_ends_is_said_once(void **state)
{
#define POST "POST / HTTP/1.1\r\nHost: x\r\n"
    FAULTS(POST "Content-Length: +2\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: -2\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 3 6\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 2, 2\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 0x2\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: \r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 99999999999999999999\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", HTTP_SYNTAX);
    FAULTS(POST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
           HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding:\n chunked\r\n\r\n0\r\n\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", HTTP_SYNTAX);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\n101\r\n", HTTP_BODY_TOO_BIG);
    FAULTS(POST "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", HTTP_BODY_TOO_BIG);
#undef POST
}

static void heads_that_are_none(void **state)
{
    FAULTS("GET / HTTP/1.1\nHost: x\r\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost: x\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost: x\r\n\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\n: x\r\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_SYNTAX);
    FAULTS("GET / HTTP/1.1\r\nHost: \0\r\n\r\n", HTTP_SYNTAX);
    FAULTS("get / HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_METHOD);
    FAULTS("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n", HTTP_METHOD);
    FAULTS("GET / HTTP/2.0\r\nHost: x\r\n\r\n", HTTP_VERSION);
    FAULTS("GET /\r\n\r\n", HTTP_VERSION);
    FAULTS("\x16\x03\x01\x02", HTTP_METHOD);
}

static void all_is_bounded(void **state)
{
    static char text[2 * HEAD_BYTES_MAX];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    buf_puts(&b, "GET /");
    while (b.n < TARGET_BYTES_MAX + 10)
        buf_putc(&b, 'a');
    buf_puts(&b, " HTTP/1.1\r\n\r\n");
    faults(buf_str(&b), HTTP_TARGET_TOO_BIG);
    buf_reset(&b);
    buf_puts(&b, "GET / HTTP/1.1\r\nX: ");
    while (b.n < HEAD_BYTES_MAX + 1)
        buf_putc(&b, 'a');
    faults(buf_str(&b), HTTP_HEAD_TOO_BIG);
    buf_reset(&b);
    buf_puts(&b, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HEAD_LINES_MAX; i++)
        buf_puts(&b, "X: y\r\n");
    faults(buf_str(&b), HTTP_HEAD_TOO_BIG);
    FAULTS("POST / HTTP/1.1\r\nContent-Length: 257\r\n\r\n", HTTP_BODY_TOO_BIG);
    buf_reset(&b);
    buf_puts(&b, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i <= BODY_MAX; i++)
        buf_puts(&b, "1\r\na\r\n");
    faults(buf_str(&b), HTTP_BODY_TOO_BIG);
}

static void trailers_have_an_end(void **state)
{
    size_t rest, fed = 0;
    struct str line = STR("X-Trailer: a line like this one, again and again, for ever\r\n");
    assert_int_equal(
        feed(STR("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"), 99, &rest),
        HTTP_READ_MORE);
    for (struct str more = line; request_reader_feed(&reader, &more) == HTTP_READ_MORE; more = line)
        fed += line.n;
    assert_int_equal(reader.fault, HTTP_BODY_TOO_BIG);
    assert_true(fed < BODY_WIRE_EXTRA + 1024);
}

static void a_refused_head_is_the_last(void **state)
{
    FAULTS("POST / HTTP/1.1\r\nX-Refuse: yes\r\nContent-Length: 2\r\n\r\n{}", HTTP_REFUSED);
    assert_int_equal(body.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_in_any_pieces), cmocka_unit_test(header_lines),
        cmocka_unit_test(bytes_behind_it_stay),   cmocka_unit_test(where_it_ends_is_said_once),
        cmocka_unit_test(heads_that_are_none),    cmocka_unit_test(all_is_bounded),
        cmocka_unit_test(trailers_have_an_end),   cmocka_unit_test(a_refused_head_is_the_last),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
