/* Answers on their way into a connection: whole, in pieces, as a stream that sleeps and is woken;
 * and clients that take nothing. */
#include "http_kit.h"

enum { LARGE = 200000, PIECE = 64 * 1024, BLOCK = 16 * 1024 };

static struct http_request *asked_for;
static unsigned ended;

static long on_read(struct http_request *r, char *out, size_t cap)
{
    struct asked *a = (struct asked *)r;
    assert_int_equal(cap, BLOCK);
    if (a->n == 0)
        return STREAM_SLEEPS;
    if (a->n == 1000)
        return STREAM_ENDS;
    if (a->n >= 100) { /* more than a client takes */
        a->n++;
        memset(out, 'x', cap);
        return (long)cap;
    }
    a->n--;
    out[0] = 'o';
    out[1] = 'k';
    return 2;
}

static void on_end(struct http_request *r)
{
    ended++;
}

static void handle(struct http_request *r)
{
    asked_for = r;
    r->status = 200;
    if (!strcmp(r->path, "/stream")) {
        http_stream(r, on_read, on_end);
        return;
    }
    if (!strcmp(r->path, "/large"))
        for (int i = 0; i < LARGE; i++)
            buf_putc(&r->out, 'x');
    else if (!strcmp(r->path, "/none"))
        r->status = 204;
    else
        buf_puts(&r->out, "small");
    http_done(r);
}

static int set_up(void **state)
{
    ended = 0;
    http_kit_begin(handle);
    return 0;
}

static int tear_down(void **state)
{
    http_kit_end();
    return 0;
}

static struct stream *ask(const char *method, const char *path, const char *version)
{
    char text[200];
    struct stream *s = http_kit_connect();
    snprintf(text, sizeof text, "%s %s HTTP/%s\r\nHost: x\r\n\r\n", method, path, version);
    http_kit_say(s, text);
    return s;
}

static void a_head_asks_for_no_body(void **state)
{
    struct stream *s = ask("HEAD", "/", "1.1");
    const char *heard = http_kit_heard(s);
    assert_non_null(strstr(heard, "Content-Length: 5\r\n"));
    assert_null(strstr(heard, "small"));
    s = ask("GET", "/none", "1.1");
    heard = http_kit_heard(s);
    assert_non_null(strstr(heard, "HTTP/1.1 204 No Content\r\n"));
    assert_null(strstr(heard, "Content-Length"));
    assert_null(strstr(heard, "\r\nContent-Type"));
    http_kit_say(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); /* the connection goes on */
    assert_true(http_kit_has(s, "small"));
}

static void an_old_client_is_answered_and_left(void **state)
{
    struct stream *s = ask("GET", "/", "1.0");
    assert_true(http_kit_has(s, "Connection: close\r\n"));
    assert_true(http_kit_has(s, "small"));
    assert_true(s->is_shut);
}

static void a_large_answer_goes_in_pieces(void **state)
{
    struct stream *s = ask("GET", "/large", "1.1");
    assert_true(s->heard.n > LARGE); /* a client that takes all at once */
    s = http_kit_connect();
    s->unsent = 1; /* this one takes a piece when the test says so */
    http_kit_say(s, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    size_t head = s->heard.n;
    assert_in_range(head, 100, 1000);
    for (size_t left = LARGE; left; left -= left < PIECE ? left : PIECE) {
        size_t before = s->heard.n;
        s->unsent = 0;
        http_kit_later(59999); /* it may take a minute for each */
        assert_false(s->is_closed);
        s->unsent = 0;
        s->events.on_sent(s, s->arg);
        assert_true(s->heard.n > before);
        if (s->heard.n - head == LARGE)
            break;
    }
    http_kit_later(0);
    assert_int_equal(s->heard.n - head, LARGE);
    assert_int_equal(http_kit_over, 2);
}

static void a_client_that_takes_nothing_is_left(void **state)
{
    struct stream *s = http_kit_connect();
    s->unsent = 1;
    http_kit_say(s, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    http_kit_later(59999);
    assert_false(s->is_closed);
    http_kit_later(1);
    assert_true(s->is_closed);
    assert_int_equal(http_kit_over, 1);
}

static void say_more(unsigned n)
{
    ((struct asked *)asked_for)->n = n;
    http_wake(asked_for);
    http_kit_later(0);
}

static void a_stream_sleeps_until_it_is_woken(void **state)
{
    struct stream *s = ask("GET", "/stream", "1.1");
    const char *heard = http_kit_heard(s);
    assert_non_null(strstr(heard, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(heard, "X-Accel-Buffering: no\r\n"));
    http_kit_later(3600000); /* it may be silent for ever */
    assert_int_equal(s->heard.n, 0);
    assert_false(s->is_closed);
    say_more(2);
    assert_string_equal(http_kit_heard(s), "2\r\nok\r\n2\r\nok\r\n");
    http_wake(asked_for); /* for nothing */
    http_kit_later(0);
    assert_int_equal(s->heard.n, 0);
    say_more(1000);
    assert_string_equal(http_kit_heard(s), "0\r\n\r\n");
    assert_int_equal(ended, 1);
    assert_int_equal(http_kit_over, 1);
    http_kit_say(s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(http_kit_has(s, "small"));
}

static void a_stream_of_an_old_client_has_no_chunks(void **state)
{
    struct stream *s = ask("GET", "/stream", "1.0");
    assert_null(strstr(http_kit_heard(s), "chunked"));
    say_more(1);
    assert_string_equal(http_kit_heard(s), "ok");
    say_more(1000);
    assert_int_equal(s->heard.n, 0);
    assert_true(s->is_shut);
}

static void a_stream_gives_others_their_turn(void **state)
{
    struct stream *s = ask("GET", "/stream", "1.1");
    http_kit_heard(s);
    ((struct asked *)asked_for)->n = 100;
    http_wake(asked_for);
    http_kit_later(0);
    assert_in_range(s->heard.n, 1 << 20, (1 << 20) + 3 * BLOCK);
    size_t before = s->heard.n;
    http_kit_later(1);
    assert_true(s->heard.n > before);
}

static void a_reader_that_stalls_is_cut_off(void **state)
{
    struct stream *s = ask("GET", "/stream", "1.1");
    s->unsent = 1;
    say_more(1);
    http_kit_later(29999); /* stall_s */
    assert_false(s->is_closed);
    http_kit_later(1);
    assert_true(s->is_closed);
    assert_int_equal(ended, 1);
    assert_int_equal(http_kit_over, 1);
}

static void a_client_that_leaves_a_sleeping_stream(void **state)
{
    struct stream *s = ask("GET", "/stream", "1.1");
    s->events.on_eof(s, s->arg);
    http_kit_later(0);
    assert_true(s->is_closed);
    assert_int_equal(ended, 0); /* it may be woken still: it ends then */
    http_wake(asked_for);
    http_kit_later(0);
    assert_int_equal(ended, 1);
    assert_int_equal(http_kit_over, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_head_asks_for_no_body),
        CASE(an_old_client_is_answered_and_left),
        CASE(a_large_answer_goes_in_pieces),
        CASE(a_client_that_takes_nothing_is_left),
        CASE(a_stream_sleeps_until_it_is_woken),
        CASE(a_stream_of_an_old_client_has_no_chunks),
        CASE(a_stream_gives_others_their_turn),
        CASE(a_reader_that_stalls_is_cut_off),
        CASE(a_client_that_leaves_a_sleeping_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
