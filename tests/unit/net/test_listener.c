/* Accepting: who does not take the stream loses it, a port has one listener, and without
 * descriptors it comes back. */
#include <fcntl.h>
#include <sys/resource.h>

#include "stream_kit.h"

static struct listener *li;
static struct addr there;
static struct side accepted, other;
static unsigned accepts;
static bool take;

static void on_accept(void *arg, struct stream *s)
{
    accepts++;
    if (!take)
        return;
    accepted.s = s;
    stream_take(s, &side_events, &accepted);
}

static int begin(void **state)
{
    struct addr any;
    if (stream_kit_begin(state) != 0 || addr_parse(STR("127.0.0.1:0"), 0, &any) != OK ||
        listener_open(loop, &any, NULL, on_accept, NULL, &li) != OK)
        return -1;
    there = listener_local(li);
    accepts = 0;
    accepted = side_new();
    other = side_new();
    return 0;
}

static int end(void **state)
{
    side_end(&accepted);
    side_end(&other);
    listener_close(li);
    loop_turn(loop, 0);
    return stream_kit_end(state);
}

static void dial(struct side *x)
{
    assert_ok(
        stream_connect(loop, &there, NULL, (struct str){0}, PATIENCE_MS, &side_events, x, &x->s));
}

static void a_stream_that_is_taken_speaks(void **state)
{
    take = true;
    dial(&other);
    UNTIL(accepts == 1 && other.opened);
    side_write(&other, STR("hello"));
    UNTIL(accepted.got.n == 5);
    side_write(&accepted, STR("you"));
    UNTIL(other.got.n == 3);
    assert_int_equal(stream_peer(other.s).port, there.port);
}

static void a_stream_that_is_not_taken_is_closed(void **state)
{
    take = false;
    dial(&other);
    UNTIL(other.ends);
    assert_int_equal(accepts, 1);
}

static void a_port_has_one_listener(void **state)
{
    struct listener *second;
    assert_err(listener_open(loop, &there, NULL, on_accept, NULL, &second), ERR_EXISTS);
}

/* A closed listener accepts nobody, and its port is free. */
static void a_closed_listener_lets_its_port_go(void **state)
{
    listener_close(li);
    loop_turn(loop, 0);
    dial(&other);
    UNTIL(other.ends);
    assert_int_equal(accepts, 0);
    assert_ok(listener_open(loop, &there, NULL, on_accept, NULL, &li));
}

static void without_descriptors_it_waits_and_comes_back(void **state)
{
    struct rlimit old, none;
    take = true;
    dial(&other); /* has its descriptor already */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    int next = open("/dev/null", O_RDONLY);
    close(next);
    none = old;
    none.rlim_cur = (rlim_t)next; /* not one more */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 20; i++)
        loop_turn(loop, 5);
    unsigned meanwhile = accepts;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(meanwhile, 0);
    UNTIL(accepts == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_stream_that_is_taken_speaks, begin, end),
        cmocka_unit_test_setup_teardown(a_stream_that_is_not_taken_is_closed, begin, end),
        cmocka_unit_test_setup_teardown(a_port_has_one_listener, begin, end),
        cmocka_unit_test_setup_teardown(a_closed_listener_lets_its_port_go, begin, end),
        cmocka_unit_test_setup_teardown(without_descriptors_it_waits_and_comes_back, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
