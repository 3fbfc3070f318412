/* Events of calls: what there is no room for, and why a call ended. */
#include "check.h"
#include "base/crypto.h"
#include "base/json.h"
#include "model/event.h"

static struct call_facts facts = {
    .account = 1,
    .call_id = {"call_x", 6},
    .did_number = {"+447911123456", 13},
    .caller_id = {"+19175550100", 12},
    .trunk = {"carrier", 7},
    .verified = 'n',
    .started_ms = 1731681120000,
    .ended_ms = 1731681150100,
    .reason = END_FAILED,
    .by = ENDED_BY_SYSTEM,
    .sip_status = 500,
};

/* The event as a document. */
static struct json *made_of(enum event_kind kind, const struct call_facts *f)
{
    struct event *e;
    struct json *doc;
    assert_ok(event_of_call(kind, f, f->ended_ms, &e));
    assert_true(e->payload.n <= EVENT_PAYLOAD_MAX);
    assert_ok(json_parse(e->payload, &doc, NULL, 0));
    const struct event *gone = e;
    event_drop(&gone);
    return doc;
}

static struct str text_of(const struct json *doc, const char *key)
{
    struct str s = {0};
    json_str(json_get(doc, key), &s);
    return s;
}

static bool is_truncated(const struct json *doc)
{
    bool yes = false;
    json_bool(json_get(doc, "truncated"), &yes);
    return yes;
}

static void an_end_says_why_where_the_reason_does_not(void **state)
{
    struct call_facts f = facts;
    f.detail = STR("a call looks at 64 targets");
    struct json *doc = made_of(EVENT_CALL_ENDED, &f);
    assert_str(text_of(doc, "detail"), "a call looks at 64 targets");
    json_free(doc);
    doc = made_of(EVENT_INCOMING_CALL, &f);
    assert_null(json_get(doc, "detail"));
    json_free(doc);
    doc = made_of(EVENT_CALL_ENDED, &facts);
    assert_null(json_get(doc, "detail"));
    assert_null(json_get(doc, "truncated"));
    json_free(doc);
}

static void headers_that_do_not_fit_are_left_out_and_the_event_says_so(void **state)
{
    static char control[1024];
    struct str pair[2 * 32];
    struct call_facts f = facts;
    memset(control, 1, sizeof control); /* \u0001: six bytes each */
    for (size_t i = 0; i < 31; i++) {
        static char name[31][8];
        snprintf(name[i], sizeof name[i], "x_%zu", i);
        pair[2 * i] = str_of(name[i]);
        pair[2 * i + 1] = str_of_bytes(control, sizeof control);
    }
    pair[62] = STR("X-Last");
    pair[63] = STR("42");
    f.sip_headers = pair;
    f.n_sip_headers = 32;
    struct json *doc = made_of(EVENT_CALL_ENDED, &f);
    assert_true(is_truncated(doc));
    assert_str(text_of(doc, "sip_header_x_last"), "42");
    assert_str(text_of(doc, "end_reason"), "failed");
    assert_non_null(json_get(doc, "sip_header_x_0"));
    assert_null(json_get(doc, "sip_header_x_30"));
    json_free(doc);
}

static void a_value_is_cut_between_characters(void **state)
{
    static char value[1100];
    struct call_facts f = facts;
    memset(value, 'v', sizeof value);
    memcpy(value + 1023, "\xc3\xa4", 2);
    const struct str pair[] = {STR("X-A"), {value, sizeof value}};
    f.sip_headers = pair;
    f.n_sip_headers = 1;
    struct json *doc = made_of(EVENT_INCOMING_CALL, &f);
    assert_int_equal(text_of(doc, "sip_header_x_a").n, 1023);
    assert_true(is_truncated(doc));
    json_free(doc);
}

static void what_was_cut_before_is_said_with_every_event(void **state)
{
    struct call_facts f = facts;
    f.sip_headers_cut = true;
    struct json *doc = made_of(EVENT_CALL_ENDED, &f);
    assert_true(is_truncated(doc));
    json_free(doc);
}

static void the_longest_facts_fit(void **state)
{
    static char text[2048];
    struct call_facts f = facts;
    memset(text, 1, sizeof text);
    f.caller_name = f.trunk = str_of_bytes(text, sizeof text);
    f.destination = str_of_bytes(text, 512);
    f.caller_id = str_of_bytes(text, 63);
    f.answered_ms = f.started_ms;
    static const enum event_kind kind[] = {EVENT_INCOMING_CALL, EVENT_CALL_ANSWERED,
                                           EVENT_CALL_ENDED, EVENT_CALL_RINGING,
                                           EVENT_CALL_FORWARD_FAILED};
    for (size_t i = 0; i < 5; i++)
        json_free(made_of(kind[i], &f));
}

static void a_long_name_ends_with_a_whole_character(void **state)
{
    char name[601];
    struct call_facts f = facts;
    for (size_t i = 1; i < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa4", 2);
    name[0] = 'x';
    f.caller_name = str_of_bytes(name, 255); /* whole */
    struct json *doc = made_of(EVENT_INCOMING_CALL, &f);
    assert_true(str_eq(text_of(doc, "caller_name"), f.caller_name));
    json_free(doc);
    f.caller_name = str_of_bytes(name, sizeof name);
    doc = made_of(EVENT_INCOMING_CALL, &f);
    assert_true(str_eq(text_of(doc, "caller_name"), str_of_bytes(name, 255)));
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_says_why_where_the_reason_does_not),
        cmocka_unit_test(headers_that_do_not_fit_are_left_out_and_the_event_says_so),
        cmocka_unit_test(a_value_is_cut_between_characters),
        cmocka_unit_test(what_was_cut_before_is_said_with_every_event),
        cmocka_unit_test(the_longest_facts_fit),
        cmocka_unit_test(a_long_name_ends_with_a_whole_character),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
