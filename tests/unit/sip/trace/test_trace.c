/* Copies of messages leave for the trace in batches. */
#include "check.h"
#include "base/clock.h"
#include "base/id.h"
#include "sip/trace/trace.h"
#include "still.h"

static struct loop *loop;
static struct transport *tp;
static struct trace *t;

static unsigned batches;
static struct trace_batch *last; /* the test's */

/* In the place of the log's own. */
void trace_log_put(struct trace_log *l, struct trace_batch **batch)
{
    batches++;
    free(last);
    last = *batch;
    *batch = NULL;
}

static void on_message(void *arg, const struct path *from, char *bytes, size_t n, int64_t waited_ms)
{
}

static bool may_connect(void *arg, const struct addr *from)
{
    return true;
}

static void on_gone(void *arg, handle conn, const char *why)
{
}

static int set_up(void **state)
{
    struct sip_listens c = {0};
    const struct transport_user user = {
        .on_message = on_message, .may_connect = may_connect, .on_gone = on_gone};
    const char *fault;
    char why[128];
    clock_fake(1000000);
    batches = 0;
    if (loop_new(&loop, "test", 64) != OK || sip_listen_parse("udp:5.0.0.1:5060", &c, &fault) != OK)
        return -1;
    return transport_new(loop, NULL, &c, &user, &tp, why, sizeof why) == OK &&
                   trace_new(loop, tp, NULL, &t) == OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    trace_free(t);
    transport_free(tp);
    loop_turn(loop, 0);
    loop_free(loop);
    still_reset();
    free(last);
    last = NULL;
    clock_real();
    return 0;
}

static struct trace_label call_of(char leg)
{
    struct trace_label whose = {.leg = leg};
    char id[ID_SIZE];
    const struct str part = STR("x");
    id_derive("call", &part, 1, id);
    assert_true(trace_id_parse(str_of(id), &whose.call));
    return whose;
}

static struct path path_to(const char *peer)
{
    struct path p = {.transport = SIP_UDP};
    assert_ok(addr_parse(str_of(peer), 5060, &p.peer));
    return p;
}

static void put(struct str message)
{
    const struct trace_label whose = call_of('b');
    const struct path path = path_to("5.0.1.1:5070");
    trace_put(t, &whose, true, &path, message);
}

static void a_message_is_kept_with_whose_and_whence_it_is(void **state)
{
    struct trace_record r;
    put(STR("INVITE"));
    assert_int_equal(batches, 0);
    clock_advance(9);
    loop_turn(loop, 0);
    assert_int_equal(batches, 0);
    clock_advance(1); /* so old it leaves */
    loop_turn(loop, 0);
    assert_int_equal(batches, 1);
    assert_int_equal(last->count, 1);
    memcpy(&r, last->bytes, sizeof r);
    assert_int_equal(r.magic, TRACE_MAGIC);
    assert_int_equal(r.size, trace_record_size(6));
    assert_int_equal(last->n, r.size);
    assert_int_equal(r.n, 6);
    assert_int_equal(r.whole, 6);
    assert_int_equal(r.at_ms, 1000000);
    assert_int_equal(r.leg, 'b');
    assert_true(r.sent);
    assert_int_equal(r.transport, SIP_UDP);
    assert_int_equal(r.local.port, 5060);
    assert_int_equal(r.remote.port, 5070);
    const uint8_t peer[] = {5, 0, 1, 1};
    assert_memory_equal(r.remote.ip, peer, 4);
    assert_memory_equal(last->bytes + sizeof r, "INVITE", 6);
    clock_advance(1000);
    loop_turn(loop, 0);
    assert_int_equal(batches, 1); /* nothing waits */
}

static void a_long_one_is_cut(void **state)
{
    static char text[TRACE_MESSAGE_MAX + 100];
    struct trace_record r;
    put(str_of_bytes(text, sizeof text));
    trace_flush(t);
    memcpy(&r, last->bytes, sizeof r);
    assert_int_equal(r.n, TRACE_MESSAGE_MAX);
    assert_int_equal(r.whole, sizeof text);
}

static void a_full_batch_leaves_at_once(void **state)
{
    static char text[TRACE_MESSAGE_MAX];
    unsigned fit = TRACE_BATCH_BYTES / trace_record_size(sizeof text);
    for (unsigned i = 0; i < fit; i++)
        put(str_of_bytes(text, sizeof text));
    assert_int_equal(batches, 0);
    put(str_of_bytes(text, sizeof text));
    assert_int_equal(batches, 1);
    assert_int_equal(last->count, fit);
    trace_flush(t);
    assert_int_equal(batches, 2);
    assert_int_equal(last->count, 1);
    trace_flush(t);
    assert_int_equal(batches, 2);
}

static void what_is_no_call_s_is_not_kept(void **state)
{
    const struct trace_label nobody = {0}, whose = call_of('a');
    const struct path path = path_to("5.0.1.1");
    trace_put(t, &nobody, false, &path, STR("OPTIONS"));
    trace_put(NULL, &whose, false, &path, STR("INVITE"));
    trace_flush(t);
    trace_flush(NULL);
    trace_free(NULL);
    assert_int_equal(batches, 0);
}

static void what_was_not_handed_over_is_dropped(void **state)
{
    put(STR("INVITE"));
    trace_free(t);
    t = NULL;
    clock_advance(100);
    loop_turn(loop, 0);
    assert_int_equal(batches, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_kept_with_whose_and_whence_it_is),
        TEST(a_long_one_is_cut),
        TEST(a_full_batch_leaves_at_once),
        TEST(what_is_no_call_s_is_not_kept),
        TEST(what_was_not_handed_over_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
