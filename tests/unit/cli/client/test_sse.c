/* The event stream as a client reads it: HTTP's head and chunks, lines, fields, events; whole and
 * one byte at a time. */
#include "check.h"
#include "cli/client/sse.h"
#include "net/http/response_reader.h"

struct run {
    struct response_reader response;
    struct sse sse;
    struct buf seen;
    enum err err;
};

static void on_event(void *arg, struct str event, struct str id, struct str data)
{
    struct run *r = arg;
    buf_printf(&r->seen, "[%.*s|%.*s|%.*s]", STR_FMT(event), STR_FMT(id), STR_FMT(data));
}

static void on_body(void *arg, struct str bytes)
{
    struct run *r = arg;
    if (r->err == OK)
        r->err = sse_feed(&r->sse, bytes, on_event, r);
}

static void begin(struct run *r)
{
    response_reader_init(&r->response, &(struct response_limits){.head_max = 32768}, on_body, r);
    sse_init(&r->sse);
    buf_init(&r->seen, 1 << 20);
    r->err = OK;
}

static void end(struct run *r)
{
    sse_fini(&r->sse);
    buf_fini(&r->seen);
}

static enum err feed(struct run *r, struct str s, size_t piece)
{
    enum err err = OK;
    size_t rest;
    while (err == OK && s.n && !r->response.complete) {
        struct str now = str_slice(s, 0, piece);
        err = response_reader_feed(&r->response, now, &rest);
        s = str_from(s, now.n);
    }
    return err != OK ? err : r->err;
}

static void events(struct str body, const char *seen, const char *last_id)
{
    for (size_t piece = 1; piece < 12; piece++) {
        struct run r;
        begin(&r);
        assert_ok(
            feed(&r, STR("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"), piece));
        assert_ok(feed(&r, body, piece));
        assert_int_equal(r.response.status, 200);
        assert_str(buf_str(&r.seen), seen);
        assert_string_equal(r.sse.last_id, last_id);
        end(&r);
    }
}

static void test_events(void **state)
{
    events(STR("retry: 1000\nid: n1\n\nid: n2\nevent: ping\ndata: {\"a\":1}\n\n:\n\n"),
           "[ping|n2|{\"a\":1}]", "n2");
    events(STR("data: a\ndata:b\ndata\n\n"), "[message||a\nb\n]", "");
    events(STR("data: a\r\rdata: b\r\n\r\ndata: c\n\n"), "[message||a][message||b][message||c]",
           "");
    events(STR("\xef\xbb\xbf"
               "data: a\n\n"),
           "[message||a]", "");
    events(STR("event: x\n\ndata: a\n\n"), "[message||a]", ""); /* a name without data is dropped */
    events(STR("id: n5\ndata: torn"), "", ""); /* not whole: not the last id either */
    events(STR("id: n5\n\nid: n\0006\ndata: a\n\n"), "[message|n5|a]", "n5");
    events(STR("colour: red\nretry: soon\ndata:  a\n\n"), "[message|| a]", "");
}

static void heads(const char *text, int status, int64_t retry_after, bool ended, const char *seen)
{
    for (size_t piece = 1; piece < 12; piece++) {
        struct run r;
        begin(&r);
        assert_ok(feed(&r, str_of(text), piece));
        assert_int_equal(r.response.status, status);
        assert_int_equal(response_reader_retry_after_sec(&r.response, 0), retry_after);
        assert_int_equal(r.response.complete, ended);
        assert_str(buf_str(&r.seen), seen);
        end(&r);
    }
}

static void test_heads(void **state)
{
    heads("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\ndata: a\n\r\n1;x=y\r\n\n\r\n",
          200, -1, false, "[message||a]");
    heads("HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n9\r\ndata: a\n\n\r\n0\r\nX: "
          "y\r\n\r\nz",
          200, -1, true, "[message||a]");
    heads("HTTP/1.1 429 Too Many\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}rest", 429, 5,
          true, "");
    heads("HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, -1, true, "");
    heads("HTTP/1.0 200 OK\n\ndata: a\n\n", 200, -1, false, "[message||a]");
}

static void test_refused(void **state)
{
    static const char *const bad[] = {
        "SSH-2.0-OpenSSH\r\n",
        "HTTP/2 200\r\n",
        "HTTP/1.1 2x0 OK\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct run r;
        begin(&r);
        if (feed(&r, str_of(bad[i]), 7) != ERR_SYNTAX)
            fail_msg("taken: %s", bad[i]);
        end(&r);
    }
}

static void test_bounds(void **state)
{
    struct run r;
    char block[1024];
    memset(block, 'x', sizeof block);
    begin(&r);
    enum err err = feed(&r, STR("HTTP/1.1 200 OK\r\nA: "), 100);
    for (int i = 0; err == OK && i < 100; i++)
        err = feed(&r, str_of_bytes(block, sizeof block), 1000);
    assert_err(err, ERR_TOO_BIG);
    end(&r);
    begin(&r);
    err = feed(&r, STR("HTTP/1.1 200 OK\r\n\r\ndata: "), 100);
    for (int i = 0; err == OK && i < 1000; i++)
        err = feed(&r, str_of_bytes(block, sizeof block), 1000);
    assert_err(err, ERR_TOO_BIG);
    assert_true(r.sse.line.n <= SSE_LINE_MAX);
    end(&r);
}

/* What was torn by a lost connection is forgotten; the place is kept. */
static void test_restart(void **state)
{
    struct run r;
    begin(&r);
    assert_ok(feed(&r, STR("HTTP/1.1 200 OK\r\n\r\nid: n1\ndata: a\n\nid: n2\ndata: to"), 100));
    sse_restart(&r.sse);
    assert_string_equal(r.sse.last_id, "n1");
    on_body(&r, STR("data: b\n\n"));
    assert_str(buf_str(&r.seen), "[message|n1|a][message|n1|b]");
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),  cmocka_unit_test(test_heads),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
