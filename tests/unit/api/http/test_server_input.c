/* A request's head as its handler sees it: target, header lines, parameters, and whose it is. */
#include "http_kit.h"

static struct http_request *asked_for;

static void handle(struct http_request *r)
{
    asked_for = r;
}

static int set_up(void **state)
{
    asked_for = NULL;
    http_kit_begin(handle);
    return 0;
}

static int tear_down(void **state)
{
    http_kit_end();
    return 0;
}

static void answer(void)
{
    asked_for->status = 204;
    http_done(asked_for);
    http_kit_later(0);
    asked_for = NULL;
}

static struct stream *ask(const char *target, const char *lines)
{
    char text[16384];
    struct stream *s = http_kit_connect();
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", target, lines);
    http_kit_say(s, text);
    return s;
}

static void paths_are_decoded_but_for_slashes_and_nul(void **state)
{
    ask("/v1/numbers/%2B44%2Fx%00?a=b", "");
    assert_string_equal(asked_for->path, "/v1/numbers/+44%2Fx%00");
    assert_string_equal(asked_for->raw_path, "/v1/numbers/%2B44%2Fx%00");
    assert_string_equal(asked_for->address, "192.0.2.7");
    answer();
    ask("http://host.example:80/a?b=c", "");
    assert_string_equal(asked_for->path, "/a");
    assert_str(http_query(asked_for, "b"), "c");
    answer();
}

static void a_head_is_asked_as_a_get(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_say(s, "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(asked_for->method, "GET");
    answer();
}

static void headers_are_found_whatever_their_letters(void **state)
{
    ask("/", "X-One:  a b \r\nx-ONE: second\r\nEmpty:\r\n");
    assert_str(http_header(asked_for, "x-one"), "a b"); /* the first */
    assert_str(http_header(asked_for, "empty"), "");
    assert_null(http_header(asked_for, "none").p);
    answer();
}

static void parameters_are_known_and_come_once(void **state)
{
    char other[32];
    ask("/?limit=5&cursor=a%20b+c&&empty=&bare", "");
    assert_str(http_query(asked_for, "limit"), "5");
    assert_str(http_query(asked_for, "cursor"), "a b c");
    assert_non_null(http_query(asked_for, "empty").p);
    assert_int_equal(http_query(asked_for, "bare").n, 0);
    assert_null(http_query(asked_for, "none").p);
    assert_int_equal(http_query_check(asked_for, "limit cursor empty bare", other, sizeof other),
                     QUERY_FITS);
    assert_int_equal(http_query_check(asked_for, "limit cursor bare", other, sizeof other),
                     QUERY_UNKNOWN);
    assert_string_equal(other, "empty");
    assert_int_equal(http_query_check(asked_for, "", other, sizeof other), QUERY_UNKNOWN);
    answer();
    ask("/?a=1&a=2", "");
    assert_int_equal(http_query_check(asked_for, "a", other, sizeof other), QUERY_REPEATED);
    answer();
    ask("/?a=%00", "");
    assert_int_equal(http_query_check(asked_for, "a", other, sizeof other), QUERY_HAS_NUL);
    answer();
}

static void refused(struct stream *s, const char *status)
{
    assert_null(asked_for);
    assert_true(http_kit_has(s, status));
    assert_true(http_kit_has(s, "Connection: close"));
}

static void what_cannot_be_read_is_refused(void **state)
{
    static char target[9000];
    struct buf b;
    memset(target, 'a', 1100);
    target[0] = '/';
    refused(ask(target, ""), "HTTP/1.1 414 ");
    memset(target, 'a', sizeof target - 1);
    target[0] = '/';
    refused(ask(target, ""), "HTTP/1.1 414 ");
    buf_wrap(&b, target, sizeof target - 1);
    buf_puts(&b, "/?");
    for (int i = 0; i < 65; i++)
        buf_printf(&b, "p%d=1&", i);
    target[b.n] = '\0';
    refused(ask(target, ""), "HTTP/1.1 400 ");
    refused(ask("/", "Host: y\r\n"), "HTTP/1.1 400 ");
    refused(ask("/", "Transfer-Encoding: gzip, chunked\r\n"), "HTTP/1.1 501 ");
    struct stream *s = http_kit_connect();
    http_kit_say(s, "BREW / HTTP/1.1\r\nHost: x\r\n\r\n");
    refused(s, "HTTP/1.1 501 ");
    s = http_kit_connect();
    http_kit_say(s, "GET / HTTP/3.0\r\nHost: x\r\n\r\n");
    refused(s, "HTTP/1.1 505 ");
    s = http_kit_connect();
    http_kit_say(s, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 262145\r\n\r\n");
    refused(s, "HTTP/1.1 413 ");
}

static void a_proxy_says_whose_a_request_is(void **state)
{
    char why[200];
    struct peers *own = http_kit_server.c.peers, *proxied;
    assert_ok(peers_new(&(struct peers_settings){"192.0.2.0/24", "X-Forwarded-For", 1}, &proxied,
                        why, sizeof why));
    http_kit_server.c.peers = proxied;
    ask("/", "X-Forwarded-For: 198.51.100.9\r\n");
    assert_string_equal(asked_for->address, "198.51.100.9");
    struct http_request *first = asked_for;
    asked_for = NULL;
    struct stream *s = ask("/", "X-Forwarded-For: 198.51.100.9\r\n"); /* one at a time of each */
    assert_null(asked_for);
    assert_true(http_kit_has(s, "HTTP/1.1 429 "));
    asked_for = first;
    answer();
    ask("/", "X-Forwarded-For: 2001:db8::1\r\n");
    assert_string_equal(asked_for->address, "2001:db8::1");
    answer();
    http_kit_server.c.peers = own;
    peers_free(proxied);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(paths_are_decoded_but_for_slashes_and_nul),
        CASE(a_head_is_asked_as_a_get),
        CASE(headers_are_found_whatever_their_letters),
        CASE(parameters_are_known_and_come_once),
        CASE(what_cannot_be_read_is_refused),
        CASE(a_proxy_says_whose_a_request_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
