#include "check.h"
#include "base/crypto.h"
#include "model/event.h"
#include "model/payload.h"

static const struct call_facts facts = {
    .account = 1,
    .call_id = {"call_x", 6},
    .did_number = {"+447911123456", 13},
    .caller_id = {"+19175550100", 12},
    .caller_name = {"Ann \"Lee\" & <Sons>", 18},
    .trunk = {"carrier", 7},
    .verified = 'A',
    .started_ms = 1731681120000,
    .answered_ms = 1731681125600,
    .ended_ms = 1731681150100,
    .destination = {"sip:agent@example.com", 21},
    .reason = END_COMPLETED,
    .by = ENDED_BY_CALLER,
    .sip_status = 200,
};

static void the_fixed_fields_come_first_and_in_order(void **state)
{
    struct event *e;
    struct buf b;
    buf_init(&b, 10000);
    assert_ok(event_of_call(EVENT_CALL_ENDED, &facts, facts.ended_ms, &e));
    assert_ok(payload_body(e->payload, BODY_JSON, 3, false, &b));
    assert_true(
        str_starts(buf_str(&b), STR("{\"event\":\"call_ended\",\"did_number\":\"+447911123456\","
                                    "\"caller_id\":\"+19175550100\",\"duration_sec\":24,"
                                    "\"timestamp\":\"2024-11-15T14:32:30Z\",\"id\":\"evt_")));
    assert_non_null(strstr(e->bytes, "\"ring_sec\":5"));
    assert_non_null(memmem(b.p, b.n, "\"call_id\":\"call_x\",\"sequence\":3,", 32));
    buf_fini(&b);
    const struct event *gone = e;
    event_drop(&gone);
}

static void a_form_says_the_same(void **state)
{
    struct event *e;
    struct buf b;
    buf_init(&b, 10000);
    assert_ok(event_of_call(EVENT_CALL_ENDED, &facts, facts.ended_ms, &e));
    assert_ok(payload_body(e->payload, BODY_FORM, 3, false, &b));
    assert_true(str_starts(buf_str(&b), STR("event=call_ended&did_number=%2B447911123456&caller_id="
                                            "%2B19175550100&duration_sec=24&")));
    assert_non_null(memmem(b.p, b.n, "caller_name=Ann+%22Lee%22+%26+%3CSons%3E&", 41));
    assert_non_null(memmem(b.p, b.n, "&answered=true&", 15));
    buf_fini(&b);
    const struct event *gone = e;
    event_drop(&gone);
}

static void sip_headers_are_for_those_who_ask(void **state)
{
    const struct str pair[] = {STR("X-Customer"), STR("42")};
    struct call_facts f = facts;
    struct event *e;
    struct buf b;
    buf_init(&b, 10000);
    f.sip_headers = pair;
    f.n_sip_headers = 1;
    assert_ok(event_of_call(EVENT_INCOMING_CALL, &f, f.started_ms, &e));
    assert_ok(payload_body(e->payload, BODY_JSON, 1, false, &b));
    assert_null(memmem(b.p, b.n, "sip_header", 10));
    buf_reset(&b);
    assert_ok(payload_body(e->payload, BODY_JSON, 1, true, &b));
    assert_non_null(memmem(b.p, b.n, "\"sip_header_x_customer\":\"42\"", 28));
    buf_fini(&b);
    const struct event *gone = e;
    event_drop(&gone);
}

static void the_same_call_gives_the_same_ids(void **state)
{
    struct event *a, *b, *c;
    assert_ok(event_of_call(EVENT_CALL_ENDED, &facts, 1, &a));
    assert_ok(event_of_call(EVENT_CALL_ENDED, &facts, 999999, &b));
    assert_ok(event_of_call(EVENT_CALL_ANSWERED, &facts, 1, &c));
    assert_true(str_eq(a->id, b->id));
    assert_false(str_eq(a->id, c->id));
    const struct event *gone[] = {a, b, c};
    for (int i = 0; i < 3; i++)
        event_drop(&gone[i]);
}

/* Every byte of ASCII and runes of two, three and four, as java.net.URLEncoder writes them: Spring
 * rebuilds a form so, and verifies that. */
static void a_form_is_written_as_url_encoders_write_it(void **state)
{
    static const char payload[] =
        "{\"text\":\"\\u0001\\b\\t\\n\\f\\r\\u001f !\\\"#$%&'()*+,-./09:;<=>?@AZ[\\\\]^_`az{|}~\x7f"
        "\xC3\xA9\xE2\x82\xAC\xF0\x9F\xA6\x8A\",\"a\":\"\",\"n\":null,\"b\":true,\"i\":-12}";
    static const char form[] =
        "text=%01%08%09%0A%0C%0D%1F+%21%22%23%24%25%26%27%28%29*%2B%2C-.%2F09%3A%3B%3C%3D%3E%3F%"
        "40AZ"
        "%5B%5C%5D%5E_%60az%7B%7C%7D%7E%7F%C3%A9%E2%82%AC%F0%9F%A6%8A&a=&n=&b=true&i=-12";
    struct buf b;
    buf_init(&b, 10000);
    assert_ok(payload_body(str_of(payload), BODY_FORM, 0, false, &b));
    assert_str(buf_str(&b), form);
    buf_fini(&b);
}

static bool str_ends(struct str s, struct str end)
{
    return s.n >= end.n && str_eq(str_from(s, s.n - end.n), end);
}

static size_t form_of(const char *rune, size_t n, const char *more, struct buf *form)
{
    struct buf p;
    buf_init(&p, 200000);
    buf_puts(&p, "{\"event\":\"sms_received\",\"message\":\"");
    for (size_t i = 0; i < n; i++)
        buf_puts(&p, rune);
    buf_printf(&p, "\"%s,\"id\":\"evt_1\"}", more);
    assert_ok(p.err);
    buf_reset(form);
    assert_ok(payload_body(buf_str(&p), BODY_FORM, 0, false, form));
    buf_fini(&p);
    return form->n;
}

static void a_form_too_large_is_cut_between_characters(void **state)
{
    enum { FIXED = sizeof "event=sms_received&message=&id=evt_1" - 1 };
    struct buf b;
    buf_init(&b, 400000);
    assert_int_equal(form_of("a", FORM_BODY_MAX - FIXED, "", &b), FORM_BODY_MAX);
    assert_null(memmem(b.p, b.n, "truncated", 9));
    assert_int_equal(form_of("a", FORM_BODY_MAX - FIXED + 1, "", &b), FORM_BODY_MAX);
    assert_true(str_ends(buf_str(&b), STR("a&id=evt_1&truncated=true")));
    size_t n = form_of("\xF0\x9F\xA6\x8A", 16000, "", &b); /* 12 bytes each */
    assert_in_range(n, FORM_BODY_MAX - 11, FORM_BODY_MAX);
    assert_true(str_ends(buf_str(&b), STR("%F0%9F%A6%8A&id=evt_1&truncated=true")));
    n = form_of("\\n", 60000, ",\"truncated\":false", &b);
    assert_in_range(n, FORM_BODY_MAX - 2, FORM_BODY_MAX);
    assert_true(str_ends(buf_str(&b), STR("%0A&truncated=true&id=evt_1"))); /* each name once */
    buf_fini(&b);
}

static void what_is_no_flat_object_is_refused(void **state)
{
    static const char *const bad[] = {"",         "{",         "[]",         "{\"a\":{}}",
                                      "{\"a\":1", "{\"a\" 1}", "{\"a\":\"x}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf b;
        buf_init(&b, 1000);
        if (payload_body(str_of(bad[i]), BODY_FORM, 0, true, &b) == OK)
            fail_msg("%s", bad[i]);
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fixed_fields_come_first_and_in_order),
        cmocka_unit_test(a_form_says_the_same),
        cmocka_unit_test(sip_headers_are_for_those_who_ask),
        cmocka_unit_test(the_same_call_gives_the_same_ids),
        cmocka_unit_test(a_form_is_written_as_url_encoders_write_it),
        cmocka_unit_test(a_form_too_large_is_cut_between_characters),
        cmocka_unit_test(what_is_no_flat_object_is_refused),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
