/* The lines in front of an answer's body, from what the handler left. */
#include "http_kit.h"

static struct http_request left; /* the handler gives this answer */

static void handle(struct http_request *r)
{
    struct buf out = r->out;
    r->status = left.status;
    r->content_type = left.content_type ? left.content_type : r->content_type;
    memcpy(r->etag, left.etag, sizeof r->etag);
    memcpy(r->allow, left.allow, sizeof r->allow);
    memcpy(r->location, left.location, sizeof r->location);
    r->rate = left.rate;
    r->retry_after_s = left.retry_after_s;
    r->challenge = left.challenge;
    r->more_header = left.more_header;
    r->out = out;
    buf_puts(&r->out, "{}");
    http_done(r);
}

static int set_up(void **state)
{
    left = (struct http_request){.status = 200, .rate.allowed = true};
    http_kit_begin(handle);
    return 0;
}

static int tear_down(void **state)
{
    http_kit_end();
    return 0;
}

static const char *head(void)
{
    struct stream *s = http_kit_connect();
    http_kit_say(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    return http_kit_heard(s);
}

static bool has(const char *text, const char *line)
{
    return strstr(text, line);
}

static void each_answer_says_what_it_is(void **state)
{
    const char *text = head();
    assert_ptr_equal(strstr(text, "HTTP/1.1 200 OK\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n"),
                     text);
    assert_true(has(text, "\r\nContent-Length: 2\r\n"));
    assert_true(has(text, "\r\nContent-Type: application/json\r\n"));
    assert_true(has(text, "\r\nCache-Control: no-store\r\n"));
    assert_true(has(text, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_true(has(text, "\r\n\r\n{}"));
    assert_false(has(text, "Connection:") || has(text, "ETag") || has(text, "Allow") ||
                 has(text, "RateLimit") || has(text, "Retry-After") || has(text, "WWW-"));
    http_kit_later(1000); /* the date is printed anew each second */
    assert_true(has(head(), "Date: Tue, 14 Nov 2023 22:13:21 GMT\r\n"));
}

static void a_handler_may_say_more(void **state)
{
    left = (struct http_request){.status = 201,
                                 .content_type = "text/plain",
                                 .etag = "\"3\"",
                                 .allow = "GET",
                                 .location = "/v1/a",
                                 .rate.allowed = true,
                                 .more_header = "Idempotent-Replayed: true"};
    const char *text = head();
    assert_true(has(text, "HTTP/1.1 201 Created\r\n"));
    assert_true(has(text, "\r\nContent-Type: text/plain\r\n"));
    assert_true(has(text, "\r\nETag: \"3\"\r\n"));
    assert_true(has(text, "\r\nAllow: GET\r\n"));
    assert_true(has(text, "\r\nLocation: /v1/a\r\n"));
    assert_true(has(text, "\r\nIdempotent-Replayed: true\r\n"));
}

static void limits_say_when_to_come_again(void **state)
{
    left.rate = (struct rate){.allowed = true, .per_sec = 10, .remaining = 4, .full_in_sec = 2};
    const char *text = head();
    assert_true(has(text, "\r\nRateLimit-Limit: 10\r\n"));
    assert_true(has(text, "\r\nRateLimit-Remaining: 4\r\n"));
    assert_true(has(text, "\r\nRateLimit-Reset: 2\r\n"));
    assert_false(has(text, "Retry-After"));
    left.status = 429;
    left.rate.allowed = false;
    left.rate.retry_in_sec = 1;
    text = head();
    const char *again = strstr(text, "\r\nRetry-After: 1\r\n");
    assert_non_null(again);
    assert_null(strstr(again + 3, "Retry-After")); /* once */
    left.rate = (struct rate){.allowed = true};
    assert_true(has(head(), "\r\nRetry-After: 5\r\n"));
    left.retry_after_s = 17;
    assert_true(has(head(), "\r\nRetry-After: 17\r\n"));
    left.retry_after_s = 0;
    left.status = 507;
    assert_true(has(head(), "\r\nRetry-After: 5\r\n"));
}

static void a_credential_is_asked_for(void **state)
{
    left.status = 401;
    assert_true(has(head(), "\r\nWWW-Authenticate: Bearer\r\n"));
    left.challenge = "Basic realm=\"x\", Bearer";
    assert_true(has(head(), "\r\nWWW-Authenticate: Basic realm=\"x\", Bearer\r\n"));
}

static void answers_without_a_body(void **state)
{
    left.status = 304;
    strcpy(left.etag, "\"3\"");
    const char *text = head();
    assert_true(has(text, "HTTP/1.1 304 Not Modified\r\n"));
    assert_true(has(text, "\r\nETag: \"3\"\r\n"));
    assert_false(has(text, "\r\nContent-Length") || has(text, "\r\nContent-Type") ||
                 has(text, "{}"));
}

static void each_status_has_its_words(void **state)
{
    assert_string_equal(http_reason(413), "Content Too Large");
    assert_string_equal(http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_reason(500), "Internal Server Error");
    assert_string_equal(http_reason(599), "Internal Server Error");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_answer_says_what_it_is),   CASE(a_handler_may_say_more),
        CASE(limits_say_when_to_come_again), CASE(a_credential_is_asked_for),
        CASE(answers_without_a_body),        CASE(each_status_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
