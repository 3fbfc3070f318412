/* Streams on a real loop, over loopback; the other side is a plain socket. TLS: test_tls.c. */
#include "stream_kit.h"

/* A stream to a socket of ours, which is the result. */
static int connected(struct side *x, const struct stream_events *ev)
{
    *x = side_new();
    assert_ok(stream_connect(loop, &at, NULL, (struct str){0}, 5000, ev, x, &x->s));
    assert_int_equal(x->opened, 0); /* never inside the call */
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(fd >= 0);
    UNTIL(x->opened);
    return fd;
}

/* What is there to read: how many bytes; 0: its end; -1: nothing yet. */
static ssize_t read_some(int fd, struct buf *to)
{
    char bytes[32768];
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    assert_true(n >= 0 || errno == EAGAIN);
    if (n > 0)
        buf_put(to, bytes, (size_t)n);
    return n;
}

static void reset_socket(int fd)
{
    struct linger none = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
}

/* Numbers that count on from one call to the next: what is missing, twice or out of order shows. */
struct counter {
    uint32_t next, seen;
    size_t checked; /* bytes of what was read */
};

static size_t count_on(struct side *x, struct counter *c, size_t numbers)
{
    static uint32_t some[25000];
    assert_true(numbers <= 25000);
    for (size_t i = 0; i < numbers; i++)
        some[i] = c->next++;
    side_write(x, str_of_bytes((const char *)some, 4 * numbers));
    return 4 * numbers;
}

/* Until the socket takes no more: how many bytes. */
static size_t fill(struct side *x, struct counter *c)
{
    size_t n = 0;
    while (!stream_unsent(x->s)) {
        n += count_on(x, c, 25000);
        assert_true(n < 64 << 20);
    }
    return n;
}

/* Reads what is there, and looks at it. False at the end. */
static bool check_on(int fd, struct counter *c, struct buf *got)
{
    buf_cut(got, c->checked);
    c->checked = 0;
    bool more = read_some(fd, got) != 0;
    for (; got->n - c->checked >= 4; c->checked += 4) {
        uint32_t v;
        memcpy(&v, got->p + c->checked, 4);
        assert_int_equal(v, c->seen++);
    }
    return more;
}

/* ---- writing ---- */

static void both_ways(void **state)
{
    struct side x;
    struct buf got;
    int fd = connected(&x, &side_events);
    struct addr peer = stream_peer(x.s), local = stream_local(x.s);
    assert_true(addr_eq(&peer, &at));
    assert_true(addr_eq_host(&local, &at) && local.port);
    buf_init(&got, 1024);
    side_write(&x, STR("hello"));
    UNTIL(read_some(fd, &got) > 0);
    assert_str(buf_str(&got), "hello");
    assert_int_equal(send(fd, "world", 5, 0), 5);
    UNTIL(x.got.n == 5);
    side_assert_got(&x, "world");
    UNTIL(stream_unacked(x.s) == 0);
    assert_int_equal(x.sent, 0); /* nothing had to be kept */
    buf_fini(&got);
    close(fd);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_CLOSED);
    side_write(&x, STR("nobody wants to know"));
    idle();
    assert_int_equal(x.ends, 1);
    side_end(&x);
}

static void written_before_it_is_open_goes_out_first(void **state)
{
    struct side x = side_new();
    struct buf got;
    buf_init(&got, 1024);
    assert_ok(stream_connect(loop, &at, NULL, (struct str){0}, 5000, &side_events, &x, &x.s));
    side_write(&x, STR("early "));
    side_write(&x, STR("bird"));
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    UNTIL(read_some(fd, &got) >= 0 && got.n == 10);
    assert_str(buf_str(&got), "early bird");
    buf_fini(&got);
    close(fd);
    side_end(&x);
}

static void what_is_not_taken_is_kept_and_leaves_in_order(void **state)
{
    struct side x;
    struct buf got;
    struct counter c = {0};
    int fd = connected(&x, &side_events);
    buf_init(&got, 1 << 20);
    fill(&x, &c);
    size_t unsent = stream_unsent(x.s);
    assert_int_equal(count_on(&x, &c, 25000), 100000); /* goes behind it */
    assert_int_equal(stream_unsent(x.s), unsent + 100000);
    assert_true(stream_unacked(x.s) > stream_unsent(x.s));
    idle();
    assert_int_equal(x.sent, 0);
    UNTIL(check_on(fd, &c, &got) && c.seen == c.next);
    UNTIL(x.sent);
    assert_int_equal(x.sent, 1);
    assert_int_equal(stream_unsent(x.s), 0);
    count_on(&x, &c, 1); /* and it goes on as before */
    UNTIL(check_on(fd, &c, &got) && c.seen == c.next);
    assert_int_equal(x.sent, 1);
    buf_fini(&got);
    close(fd);
    side_end(&x);
}

static void a_mebibyte_is_kept_at_the_most(void **state)
{
    static char some[100000];
    struct side x;
    enum err err = OK;
    int fd = connected(&x, &side_events);
    for (int i = 0; i < 1000 && err == OK; i++)
        err = stream_write(x.s, str_of_bytes(some, sizeof some));
    assert_err(err, ERR_FULL);
    assert_true(stream_unsent(x.s) <= STREAM_MAX_UNSENT);
    assert_true(stream_unsent(x.s) > STREAM_MAX_UNSENT - sizeof some);
    assert_err(stream_write(x.s, STR("x")), ERR_FULL); /* nothing may be left out in between */
    assert_int_equal(x.ends, 0);
    close(fd);
    side_end(&x);
}

/* ---- ends ---- */

static void one_half_may_end_before_the_other(void **state)
{
    struct side x;
    struct buf got;
    int fd = connected(&x, &side_half_events);
    buf_init(&got, 1024);
    assert_int_equal(send(fd, "last", 4, 0), 4);
    shutdown(fd, SHUT_WR);
    UNTIL(x.eofs);
    side_assert_got(&x, "last");
    idle();
    assert_int_equal(x.eofs, 1);
    assert_int_equal(x.ends, 0);
    side_write(&x, STR("answer"));
    UNTIL(read_some(fd, &got) > 0);
    assert_str(buf_str(&got), "answer");
    stream_shut(x.s);
    stream_shut(x.s);
    UNTIL(read_some(fd, &got) == 0);
    buf_fini(&got);
    close(fd);
    side_end(&x);
}

static void who_does_not_care_for_halves_hears_the_end(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    assert_int_equal(send(fd, "last", 4, 0), 4);
    shutdown(fd, SHUT_WR);
    UNTIL(x.ends);
    side_assert_got(&x, "last");
    assert_int_equal(x.why, ERR_CLOSED);
    close(fd);
    side_end(&x);
}

static void shut_comes_behind_what_is_unsent(void **state)
{
    struct side x;
    struct buf got;
    struct counter c = {0};
    int fd = connected(&x, &side_events);
    buf_init(&got, 1 << 20);
    fill(&x, &c);
    stream_shut(x.s);
    UNTIL(!check_on(fd, &c, &got));
    assert_int_equal(c.seen, c.next);
    assert_int_equal(x.sent, 0); /* who shuts wants nothing more */
    assert_int_equal(send(fd, "still heard", 11, 0), 11);
    UNTIL(x.got.n == 11);
    buf_fini(&got);
    close(fd);
    UNTIL(x.ends);
    side_end(&x);
}

static void a_reset_is_told_behind_the_bytes(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    assert_int_equal(send(fd, "before", 6, 0), 6);
    reset_socket(fd);
    UNTIL(x.ends);
    side_assert_got(&x, "before");
    assert_int_equal(x.why, ERR_RESET);
    side_end(&x);
}

/* A peer that closes both ways and gets something more answers with a reset: no half of it is left
 * that one could write to. */
static void a_reset_behind_an_end_is_no_half(void **state)
{
    struct side x;
    int fd = connected(&x, &side_half_events);
    shutdown(fd, SHUT_WR);
    reset_socket(fd);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_RESET);
    assert_int_equal(x.eofs, 0);
    side_end(&x);
}

static void a_write_to_who_is_gone_ends_it_later(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    stream_read_pause(x.s, true);
    reset_socket(fd);
    for (int i = 0; i < 100; i++) /* the reset is there at once over loopback */
        assert_ok(stream_write(x.s, STR("x")));
    assert_int_equal(x.ends, 0); /* never inside the call */
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_RESET);
    assert_true(x.reason[0]);
    side_end(&x);
}

/* ---- reading ---- */

static void a_pause_keeps_bytes_and_the_end(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    stream_read_pause(x.s, true);
    assert_int_equal(send(fd, "later", 5, 0), 5);
    close(fd);
    idle();
    assert_int_equal(x.got.n, 0);
    assert_int_equal(x.ends, 0);
    stream_read_pause(x.s, false);
    UNTIL(x.ends);
    side_assert_got(&x, "later");
    assert_int_equal(x.why, ERR_CLOSED);
    side_end(&x);
}

static void a_pause_stops_no_writing(void **state)
{
    struct side x;
    struct buf got;
    struct counter c = {0};
    int fd = connected(&x, &side_events);
    buf_init(&got, 1 << 20);
    stream_read_pause(x.s, true);
    fill(&x, &c);
    UNTIL(check_on(fd, &c, &got) && c.seen == c.next);
    UNTIL(x.sent);
    buf_fini(&got);
    close(fd);
    side_end(&x);
}

static void no_more_is_read_than_is_allowed(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    stream_read_at_most(x.s, 10);
    assert_int_equal(send(fd, "0123456789", 10, 0), 10);
    UNTIL(x.got.n == 10);
    idle();
    assert_int_equal(x.ends, 0);
    stream_read_at_most(x.s, 3); /* so many more */
    assert_int_equal(send(fd, "abcd", 4, 0), 4);
    UNTIL(x.ends);
    side_assert_got(&x, "0123456789abc");
    assert_int_equal(x.why, ERR_TOO_BIG);
    close(fd);
    side_end(&x);
}

static void an_end_within_what_is_allowed_is_an_end(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    stream_read_at_most(x.s, 3);
    assert_int_equal(send(fd, "abc", 3, 0), 3);
    close(fd);
    UNTIL(x.ends);
    side_assert_got(&x, "abc");
    assert_int_equal(x.why, ERR_CLOSED);
    side_end(&x);
}

/* ---- connecting ---- */

static void nobody_listens(void **state)
{
    struct side x = side_new();
    close(listening);
    listening = -1;
    assert_ok(stream_connect(loop, &at, NULL, (struct str){0}, 5000, &side_events, &x, &x.s));
    assert_int_equal(x.ends, 0);
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_UNREACHABLE);
    assert_string_equal(x.reason, "Connection refused");
    assert_int_equal(x.opened, 0);
    idle();
    assert_int_equal(x.ends, 1);
    side_end(&x);
}

/* The queue of whom nobody accepts is full: the kernel lets the next one wait. */
static void nobody_answers(void **state)
{
    struct sockaddr_storage sa;
    struct side x = side_new();
    int waiting[4];
    socklen_t n = addr_to_sockaddr(&at, &sa);
    assert_int_equal(listen(listening, 0), 0);
    for (int i = 0; i < 4; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(waiting[i], (struct sockaddr *)&sa, n);
    }
    int64_t began_ms = clock_mono_ms();
    assert_ok(stream_connect(loop, &at, NULL, (struct str){0}, 50, &side_events, &x, &x.s));
    UNTIL(x.ends);
    assert_int_equal(x.why, ERR_TIMEOUT);
    assert_int_equal(x.opened, 0);
    assert_true(clock_mono_ms() - began_ms >= 50);
    for (int i = 0; i < 4; i++)
        close(waiting[i]);
    side_end(&x);
}

/* ---- closing inside callbacks ---- */

static void it_may_be_closed_in_any_callback(void **state)
{
    struct side x = side_new();
    x.close_on_open = true;
    assert_ok(stream_connect(loop, &at, NULL, (struct str){0}, 5000, &side_events, &x, &x.s));
    UNTIL(x.opened);
    x.s = NULL;
    idle();
    assert_int_equal(x.ends, 0);
    side_end(&x);
    close(accept4(listening, NULL, NULL, SOCK_CLOEXEC));

    int fd = connected(&x, &side_events);
    x.close_on_bytes = true;
    assert_int_equal(send(fd, "once", 4, 0), 4);
    close(fd);
    UNTIL(x.got.n);
    x.s = NULL;
    idle();
    assert_int_equal(x.ends, 0); /* nothing comes after it */
    side_end(&x);

    fd = connected(&x, &side_events);
    x.close_on_end = true;
    close(fd);
    UNTIL(x.ends);
    x.s = NULL;
    idle();
    assert_int_equal(x.ends, 1);
    side_end(&x);
    stream_close(NULL);
}

/* An end that is due is not told to who has closed meanwhile. */
static void an_end_that_is_due_is_forgotten_with_it(void **state)
{
    struct side x;
    int fd = connected(&x, &side_events);
    stream_read_pause(x.s, true);
    reset_socket(fd);
    for (int i = 0; i < 100; i++)
        assert_ok(stream_write(x.s, STR("x")));
    side_end(&x);
    idle();
    assert_int_equal(x.ends, 0);
}

/* ---- listeners ---- */

static struct side taken;
static unsigned accepted;

static void on_accept_first(void *arg, struct stream *s)
{
    if (accepted++)
        return; /* not taken: closed */
    taken.s = s;
    stream_take(s, &side_events, &taken);
}

static void who_is_not_taken_is_closed(void **state)
{
    struct listener *li, *again;
    struct side first = side_new(), second = side_new();
    struct addr own;
    taken = side_new();
    accepted = 0;
    assert_ok(addr_parse(STR("127.0.0.1:0"), 0, &own));
    assert_ok(listener_open(loop, &own, NULL, on_accept_first, NULL, &li));
    own = listener_local(li);
    assert_err(listener_open(loop, &own, NULL, on_accept_first, NULL, &again), ERR_EXISTS);
    assert_ok(
        stream_connect(loop, &own, NULL, (struct str){0}, 5000, &side_events, &first, &first.s));
    UNTIL(first.opened && accepted == 1);
    assert_ok(
        stream_connect(loop, &own, NULL, (struct str){0}, 5000, &side_events, &second, &second.s));
    UNTIL(second.ends);
    assert_int_equal(first.ends, 0);
    side_write(&first, STR("heard"));
    UNTIL(taken.got.n == 5);
    side_end(&first);
    side_end(&second);
    side_end(&taken);
    listener_close(li);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, stream_kit_begin, stream_kit_end)
    const struct CMUnitTest tests[] = {
        TEST(both_ways),
        TEST(written_before_it_is_open_goes_out_first),
        TEST(what_is_not_taken_is_kept_and_leaves_in_order),
        TEST(a_mebibyte_is_kept_at_the_most),
        TEST(one_half_may_end_before_the_other),
        TEST(who_does_not_care_for_halves_hears_the_end),
        TEST(shut_comes_behind_what_is_unsent),
        TEST(a_reset_is_told_behind_the_bytes),
        TEST(a_reset_behind_an_end_is_no_half),
        TEST(a_write_to_who_is_gone_ends_it_later),
        TEST(a_pause_keeps_bytes_and_the_end),
        TEST(a_pause_stops_no_writing),
        TEST(no_more_is_read_than_is_allowed),
        TEST(an_end_within_what_is_allowed_is_an_end),
        TEST(nobody_listens),
        TEST(nobody_answers),
        TEST(it_may_be_closed_in_any_callback),
        TEST(an_end_that_is_due_is_forgotten_with_it),
        TEST(who_is_not_taken_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
