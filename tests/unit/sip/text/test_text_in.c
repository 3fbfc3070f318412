/* A MESSAGE outside of any call becomes a text: answered after the commit, once, or refused. */
#include "check.h"
#include "base/metrics.h"
#include "line.h"

static struct line sender;

static void say(const char *number, const char *type, const char *body)
{
    char headers[128];
    snprintf(headers, sizeof headers, "Content-Type: %s\r\n", type);
    line_new(&sender, CARRIER, number, number);
    line_request(&sender, &(struct request){.method = "MESSAGE", .headers = headers, .body = body});
}

/* The only answer that was sent. */
static const struct sip_msg *answer(int status)
{
    assert_int_equal(edge_kit_packets(), 1);
    const struct edge_packet *p = edge_kit_packet(0);
    assert_int_equal(p->status, status);
    assert_int_equal(p->method, SIP_MESSAGE);
    return packet_parse(p);
}

static void a_text_is_answered_after_the_commit(void **state)
{
    edge_kit_begin(1);
    int64_t stored = metric_get(METRIC_SIP_TEXTS_STORED);
    edge_kit.store_held = true;
    say("+447911120001", "text/plain", "Hello");
    assert_int_equal(edge_kit_packets(), 0);
    edge_kit.store_held = false;
    edge_kit_turn();
    answer(202);
    assert_int_equal(metric_get(METRIC_SIP_TEXTS_STORED), stored + 1);
    assert_int_equal(edge_kit_told(), 1);
    edge_kit_end();
}

static void the_same_again_is_answered_again_and_stored_once(void **state)
{
    edge_kit_begin(1);
    say("+447911120001", "text/plain", "Hello");
    edge_kit_send(&sender.at, 0, line_last_sent());
    assert_int_equal(edge_kit_packet(0)->repeats, 1); /* the transaction's own answer */
    assert_int_equal(edge_kit_told(), 1);
    assert_ok(edge_kit_restart());
    int64_t repeated = metric_get(METRIC_SIP_TEXTS_REPEATED);
    struct str again = line_last_sent();
    edge_kit_send(&sender.at, 0, again);
    assert_int_equal(edge_kit_last(CARRIER, "202")->repeats + edge_kit_packets(), 3);
    assert_int_equal(metric_get(METRIC_SIP_TEXTS_REPEATED), repeated + 1);
    edge_kit_end();
}

static void who_never_counts_loses_nothing(void **state)
{
    edge_kit_begin(1);
    say("+447911120001", "text/plain", "one");
    line_new(&sender, CARRIER, "+447911120001", "+447911120001"); /* Call-ID, tag, CSeq as before */
    line_request(&sender, &(struct request){.method = "MESSAGE",
                                            .branch = "z9hG4bKother",
                                            .headers = "Content-Type: text/plain\r\n",
                                            .body = "two"});
    assert_int_equal(edge_kit_told(), 2);
    edge_kit_end();
}

static void a_number_must_be_there(void **state)
{
    edge_kit_begin(1);
    int64_t refused = metric_get(METRIC_SIP_TEXTS_NOT_OURS);
    say("+447911129999", "text/plain", "Hello");
    answer(404);
    assert_int_equal(metric_get(METRIC_SIP_TEXTS_NOT_OURS), refused + 1);
    assert_int_equal(edge_kit_told(), 0);
    edge_kit_end();
}

static void what_is_no_text_is_refused(void **state)
{
    edge_kit_begin(1);
    int64_t refused = metric_get(METRIC_SIP_TEXTS_REFUSED);
    say("+447911120001", "image/png", "PNG");
    assert_true(sip_value(answer(415), SIP_H_ACCEPT).n > 0);
    assert_int_equal(metric_get(METRIC_SIP_TEXTS_REFUSED), refused + 1);
    assert_int_equal(edge_kit_told(), 0);
    edge_kit_end();
}

/* It says that somebody read what we never sent (RFC 5438): taken, and nothing comes of it. */
static void a_notice_is_no_text(void **state)
{
    edge_kit_begin(1);
    say("+447911120001", "message/imdn+xml", "<imdn/>");
    answer(200);
    assert_int_equal(edge_kit_told(), 0);
    edge_kit_end();
}

static void a_drain_takes_no_more(void **state)
{
    edge_kit_begin(1);
    edge_kit_drain(60000);
    say("+447911120001", "text/plain", "Hello");
    assert_str(sip_value(answer(503), SIP_H_RETRY_AFTER), "5");
    assert_int_equal(edge_kit_told(), 0);
    edge_kit_stop();
    edge_kit_close();
}

/* A drain is over when the last text is. */
static void a_drain_waits_for_the_commit(void **state)
{
    edge_kit_begin(1);
    edge_kit.store_held = true;
    say("+447911120001", "text/plain", "Hello");
    edge_kit_drain(60000);
    assert_false(edge_kit.idle);
    edge_kit.store_held = false;
    edge_kit_turn();
    assert_true(edge_kit.idle);
    answer(202);
    edge_kit_stop();
    edge_kit_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_answered_after_the_commit),
        cmocka_unit_test(the_same_again_is_answered_again_and_stored_once),
        cmocka_unit_test(who_never_counts_loses_nothing),
        cmocka_unit_test(a_number_must_be_there),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(a_notice_is_no_text),
        cmocka_unit_test(a_drain_takes_no_more),
        cmocka_unit_test(a_drain_waits_for_the_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
