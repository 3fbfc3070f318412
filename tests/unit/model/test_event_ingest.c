/* What another PBX posts: what is taken, how it is written, and which field is named when not. */
#include "check.h"
#include "model/settings.h"

enum { NOW_MS = 1000000000 };

static struct field_error fault;

static enum err ingest(const char *text, struct event **ret)
{
    struct json *doc = NULL;
    assert_ok(json_parse(str_of(text), &doc, NULL, 0));
    enum err err = event_of_ingest(1, doc, (int64_t)NOW_MS * 1731, ret, &fault);
    json_free(doc);
    return err;
}

static void becomes(const char *text, const char *payload)
{
    struct event *e = NULL;
    if (ingest(text, &e) != OK)
        fail_msg("%s: %s: %s", text, fault.field, fault.why);
    assert_str(e->payload, payload);
    const struct event *gone = e;
    event_drop(&gone);
}

static void refused(const char *text, const char *field)
{
    struct event *e = NULL;
    if (ingest(text, &e) != ERR_INVALID)
        fail_msg("taken: %s", text);
    assert_string_equal(fault.field, field);
    assert_true(fault.why[0] != '\0');
}

static void a_call_is_written_in_our_order(void **state)
{
    becomes("{\"sip_status\":200,\"ended_by\":\"callee\",\"duration_sec\":7,\"end_reason\":"
            "\"completed\",\"answered\":true,\"ring_sec\":2,\"call_id\":\"c\",\"id\":\"x\","
            "\"caller_verified\":\"A\",\"timestamp\":\"2024-02-29T14:32:00Z\",\"caller_id\":"
            "\"anonymous\",\"did_number\":\"+447911123456\",\"event\":\"call_ended\","
            "\"destination\":\"sip:a@b\",\"sequence\":9}",
            "{\"event\":\"call_ended\",\"did_number\":\"+447911123456\",\"caller_id\":"
            "\"anonymous\",\"duration_sec\":7,\"timestamp\":\"2024-02-29T14:32:00Z\",\"id\":\"x\","
            "\"occurred_at\":\"2024-02-29T14:32:00.000Z\",\"api_version\":\"" EVENT_API_VERSION
            "\",\"call_id\":\"c\",\"caller_verified\":\"A\",\"answered\":true,\"ring_sec\":2,"
            "\"end_reason\":\"completed\",\"ended_by\":\"callee\",\"destination\":\"sip:a@b\","
            "\"sip_status\":200}");
}

static void times_are_those_of_rfc_3339_and_headers_come_last(void **state)
{
    becomes("{\"event\":\"incoming_call\",\"sip_header_x_account_id\":\"7\",\"sip_header_x_none\":"
            "null,\"trunk\":\"t\",\"timestamp\":\"2024-02-29T15:32:00.5+01:00\",\"caller_id\":"
            "\"anonymous\",\"did_number\":\"+447911123456\",\"id\":\"x\"}",
            "{\"event\":\"incoming_call\",\"did_number\":\"+447911123456\",\"caller_id\":"
            "\"anonymous\",\"timestamp\":\"2024-02-29T14:32:00Z\",\"id\":\"x\",\"occurred_at\":"
            "\"2024-02-29T14:32:00.500Z\",\"api_version\":\"" EVENT_API_VERSION
            "\",\"trunk\":\"t\",\"sip_header_x_account_id\":\"7\"}");
}

static void a_text_is_written_in_our_order(void **state)
{
    becomes("{\"event\":\"sms_received\",\"from\":\"ACME\",\"to\":\"+447911123456\",\"message\":"
            "\"\",\"id\":\"y\",\"occurred_at\":\"2024-11-15T14:32:00.987Z\",\"parts\":2,"
            "\"partial\":true,\"encoding\":\"ucs2\",\"message_id\":\"m\"}",
            "{\"event\":\"sms_received\",\"from\":\"ACME\",\"to\":\"+447911123456\",\"message\":"
            "\"\",\"timestamp\":\"2024-11-15T14:32:00Z\",\"id\":\"y\",\"occurred_at\":"
            "\"2024-11-15T14:32:00.987Z\",\"api_version\":\"" EVENT_API_VERSION
            "\",\"message_id\":\"m\",\"encoding\":\"ucs2\",\"parts\":2,\"partial\":true}");
}

#define CALL "\"did_number\":\"+447911123456\",\"caller_id\":\"+19175550100\""
#define TEXT "{\"event\":\"sms_received\",\"to\":\"+447911123456\",\"message\":\"m\","

static void what_receivers_go_by_is_strict(void **state)
{
    static const struct {
        const char *text, *field;
    } bad[] = {
        {"{\"event\":\"incoming_call\"," CALL ",\"caller_verified\":\"D\"}", "caller_verified"},
        {"{\"event\":\"incoming_call\"," CALL ",\"caller_verified\":true}", "caller_verified"},
        {"{\"event\":\"incoming_call\"," CALL ",\"end_reason\":\"busy\"}", "end_reason"},
        {"{\"event\":\"incoming_call\"," CALL ",\"duration_sec\":1}", "duration_sec"},
        {"{\"event\":\"incoming_call\"," CALL ",\"message\":\"m\"}", "message"},
        {"{\"event\":\"incoming_call\"," CALL ",\"timestamp\":\"2024-02-30T00:00:00Z\"}",
         "timestamp"},
        {"{\"event\":\"incoming_call\"," CALL ",\"sip_header_x_\":\"\"}", "sip_header_x_"},
        {"{\"event\":\"incoming_call\"," CALL ",\"sip_header_x_A\":\"\"}", "sip_header_x_A"},
        {"{\"event\":\"incoming_call\"," CALL ",\"sip_header_x_a\":5}", "sip_header_x_a"},
        {"{\"event\":\"incoming_call\"," CALL ",\"sip_header_y\":\"\"}", "sip_header_y"},
        {TEXT "\"from\":\"ACME\",\"sip_header_x_a\":\"\"}", "sip_header_x_a"},
        {"{\"event\":\"incoming_call\"," CALL ",\"occurred_at\":\"2023-02-29T00:00:00.000Z\"}",
         "occurred_at"},
        {"{\"event\":\"call_answered\"," CALL "}", "destination"},
        {"{\"event\":\"call_ended\"," CALL "}", "duration_sec"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":-1}", "duration_sec"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":1.5}", "duration_sec"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"answered\":false}",
         "duration_sec"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"end_reason\":\"hungup\"}",
         "end_reason"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"ended_by\":\"me\"}", "ended_by"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"ring_sec\":-1}", "ring_sec"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"sip_status\":99}", "sip_status"},
        {"{\"event\":\"call_ended\"," CALL ",\"duration_sec\":5,\"sip_status\":700}", "sip_status"},
        {"{\"event\":\"call_forward_failed\"," CALL ",\"reason\":\"tired\"}", "reason"},
        {"{\"event\":\"ping\"," CALL "}", "event"},
        {TEXT "\"from\":\"\"}", "from"},
        {TEXT "\"from\":\"A\\nB\"}", "from"},
        {TEXT "\"from\":\"ACME\",\"parts\":0}", "parts"},
        {TEXT "\"from\":\"ACME\",\"parts\":256}", "parts"},
        {TEXT "\"from\":\"ACME\",\"parts\":1,\"partial\":true}", "partial"},
        {TEXT "\"from\":\"ACME\",\"partial\":\"yes\"}", "partial"},
        {TEXT "\"from\":\"ACME\",\"encoding\":\"gsm7-packed\"}", "encoding"},
        {TEXT "\"from\":\"ACME\",\"encoding\":\"klingon\"}", "encoding"},
        {TEXT "\"from\":\"ACME\",\"call_id\":\"c\"}", "call_id"},
        {"{\"event\":\"sms_received\",\"to\":\"+447911123456\",\"from\":\"ACME\"}", "message"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused(bad[i].text, bad[i].field);
}

static void a_text_has_a_limit(void **state)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t n = 49152; n <= 49153; n++) {
        struct event *e = NULL;
        buf_reset(&b);
        buf_puts(&b, "{\"event\":\"sms_received\",\"to\":\"+447911123456\",\"from\":\"ACME\","
                     "\"message\":\"");
        for (size_t i = 0; i < n; i++)
            buf_putc(&b, 'x');
        buf_puts(&b, "\"}");
        buf_putc(&b, '\0');
        if (n == 49153) {
            refused(b.p, "message");
        } else {
            assert_ok(ingest(b.p, &e));
            const struct event *gone = e;
            event_drop(&gone);
        }
    }
    buf_reset(&b); /* short enough, but not when written: each becomes six bytes */
    buf_puts(&b, "{\"event\":\"sms_received\",\"to\":\"+447911123456\",\"from\":\"ACME\","
                 "\"message\":\"");
    for (size_t i = 0; i < 20000; i++)
        buf_puts(&b, "\\u0001");
    buf_puts(&b, "\"}");
    buf_putc(&b, '\0');
    refused(b.p, "body");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_written_in_our_order),
        cmocka_unit_test(times_are_those_of_rfc_3339_and_headers_come_last),
        cmocka_unit_test(a_text_is_written_in_our_order),
        cmocka_unit_test(what_receivers_go_by_is_strict),
        cmocka_unit_test(a_text_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
