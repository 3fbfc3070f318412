/* A client's connection: one request after another, bytes that come before their turn, and how long
 * each state may last, to the millisecond. */
#include "http_kit.h"

#define GET "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"

static struct http_request *asked_for; /* what the handler keeps; NULL: it answers at once */
static bool keeps;
static unsigned handled;

static void answer(struct http_request *r)
{
    r->status = 200;
    buf_puts(&r->out, r->path);
    buf_put_str(&r->out, buf_str(&r->body));
    http_done(r);
}

static void handle(struct http_request *r)
{
    handled++;
    asked_for = r;
    if (!keeps)
        answer(r);
}

static int set_up(void **state)
{
    keeps = false;
    handled = 0;
    http_kit_begin(handle);
    return 0;
}

static int tear_down(void **state)
{
    http_kit_end();
    return 0;
}

static void requests_come_one_after_another(void **state)
{
    struct stream *s = http_kit_connect();
    for (int i = 0; i < 3; i++) {
        http_kit_say(s, GET);
        assert_non_null(strstr(http_kit_heard(s), "\r\n\r\n/a"));
    }
    assert_int_equal(handled, 3);
    assert_int_equal(http_kit_over, 3);
    assert_false(s->is_closed || s->is_shut);
}

static void what_comes_before_its_turn_waits(void **state)
{
    struct stream *s = http_kit_connect();
    keeps = true;
    http_kit_say(s, GET "GET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c");
    assert_int_equal(handled, 1);
    assert_true(s->is_paused); /* nothing more is read meanwhile */
    assert_int_equal(s->heard.n, 0);
    answer(asked_for);
    http_kit_later(0);
    assert_true(http_kit_has(s, "/a"));
    assert_int_equal(handled, 2);
    answer(asked_for);
    http_kit_later(0);
    assert_true(http_kit_has(s, "\r\n\r\n/b"));
    assert_false(s->is_paused);
    keeps = false;
    http_kit_say(s, " HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(http_kit_has(s, "\r\n\r\n/c"));
    assert_int_equal(http_kit_over, 3);
}

static void more_than_may_wait_ends_the_connection(void **state)
{
    static char piece[65536];
    struct stream *s = http_kit_connect();
    memset(piece, 'x', sizeof piece - 1);
    keeps = true;
    http_kit_say(s, GET);
    for (int i = 0; i < 5 && !s->is_closed; i++)
        http_kit_say(s, piece);
    assert_true(s->is_closed);
    assert_int_equal(http_kit_over, 0); /* it is the other thread's until that has answered */
    answer(asked_for);
    http_kit_later(0);
    assert_int_equal(http_kit_over, 1);
}

static void many_at_once_give_others_a_turn(void **state)
{
    static char text[100 * sizeof GET];
    struct stream *s = http_kit_connect();
    for (int i = 0; i < 100; i++)
        strcat(text, GET);
    http_kit_say(s, text);
    assert_in_range(handled, 32, 40);
    for (int i = 0; i < 5; i++)
        http_kit_later(1);
    assert_int_equal(handled, 100);
    assert_false(s->is_closed);
}

/* Exactly when the state's time is over, and not before. */
static void ends_after(struct stream *s, int64_t ms, const char *says)
{
    http_kit_later(ms - 1);
    assert_int_equal(s->heard.n, 0);
    assert_false(s->is_closed);
    http_kit_later(1);
    if (!says) {
        assert_true(s->is_closed);
        return;
    }
    assert_true(http_kit_has(s, says));
    assert_true(s->is_shut);
    http_kit_later(1999);
    assert_false(s->is_closed); /* so that the client can read why */
    http_kit_later(1);
    assert_true(s->is_closed);
}

static void heads_have_ten_seconds(void **state)
{
    ends_after(http_kit_connect(), 10000, NULL); /* nothing came: nothing is said */
    struct stream *s = http_kit_connect();
    http_kit_later(9000);
    http_kit_say(s, "GET /a HT");
    ends_after(s, 1000, "HTTP/1.1 408 Request Timeout");
    s = http_kit_connect();
    http_kit_say(s, GET);
    http_kit_heard(s);
    http_kit_later(50000);
    http_kit_say(s, "G"); /* the next head has its own ten */
    ends_after(s, 10000, "HTTP/1.1 408 Request Timeout");
}

static void idle_ones_have_a_minute(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_say(s, GET);
    http_kit_heard(s);
    ends_after(s, 60000, NULL);
}

#define POST "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"

static void a_body_has_twenty_seconds_between_pieces_and_a_minute(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_say(s, POST "x");
    ends_after(s, 20000, "408");
    s = http_kit_connect();
    http_kit_say(s, POST "x");
    for (int i = 0; i < 4; i++) { /* it drips */
        http_kit_later(15000);
        assert_int_equal(s->heard.n, 0);
        http_kit_say(s, "x");
    }
    http_kit_later(1);
    http_kit_say(s, "x");
    assert_true(http_kit_has(s, "408"));
    assert_int_equal(handled, 0);
}

static void a_refusal_ends_what_may_follow(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_say(s, "GET /a HTTP/1.1\r\nno colon\r\n\r\n" GET);
    assert_true(http_kit_has(s, "HTTP/1.1 400 Bad Request"));
    assert_true(http_kit_has(s, "Connection: close"));
    assert_true(s->is_shut);
    http_kit_say(s, GET); /* thrown away */
    assert_int_equal(handled, 0);
    assert_int_equal(http_kit_over, 1);
}

static void expecting_clients_are_told_to_go_on(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_say(
        s, "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    assert_string_equal(http_kit_heard(s), "HTTP/1.1 100 Continue\r\n\r\n");
    http_kit_say(s, "ok");
    assert_true(http_kit_has(s, "\r\n\r\n/aok"));
}

static void a_client_that_shuts_its_side_gets_its_answers(void **state)
{
    struct stream *s = http_kit_connect();
    keeps = true;
    http_kit_say(s, GET);
    s->events.on_eof(s, s->arg);
    http_kit_later(0);
    assert_false(s->is_closed);
    answer(asked_for);
    http_kit_later(0);
    assert_true(http_kit_has(s, "\r\n\r\n/a"));
    assert_true(s->is_closed);
    s = http_kit_connect();
    s->events.on_eof(s, s->arg); /* and one that asked nothing is gone */
    http_kit_later(0);
    assert_true(s->is_closed);
}

static void a_stopping_server_takes_nothing_new(void **state)
{
    struct stream *s = http_kit_connect();
    http_kit_worker.stopping = true;
    http_kit_say(s, GET);
    assert_true(http_kit_has(s, "HTTP/1.1 503 Service Unavailable"));
    assert_true(http_kit_has(s, "stopping"));
    assert_true(s->is_shut);
    assert_int_equal(handled, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(requests_come_one_after_another),
        CASE(what_comes_before_its_turn_waits),
        CASE(more_than_may_wait_ends_the_connection),
        CASE(many_at_once_give_others_a_turn),
        CASE(heads_have_ten_seconds),
        CASE(idle_ones_have_a_minute),
        CASE(a_body_has_twenty_seconds_between_pieces_and_a_minute),
        CASE(a_refusal_ends_what_may_follow),
        CASE(expecting_clients_are_told_to_go_on),
        CASE(a_client_that_shuts_its_side_gets_its_answers),
        CASE(a_stopping_server_takes_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
