/* The event of a text message: its fields in their order, what is missing, raw bytes, and that it
 * always fits. */
#include "check.h"
#include "base/json.h"
#include "model/event.h"
#include "model/payload.h"
#include "model/sms.h"

static const int64_t now = INT64_C(1731681120000);

static const struct event *event_with(const struct sms_facts *more, const struct sms_part *part,
                                      size_t n)
{
    const struct sms_part *list[SMS_PARTS_MAX];
    struct sms_facts f = *more;
    struct event *e = NULL;
    for (size_t i = 0; i < n; i++)
        list[i] = &part[i];
    f.account = 1;
    f.from = STR("+19175550100");
    f.to = STR("+447911123456");
    f.message_id = STR("m1");
    f.link = STR("lnk_1");
    assert_ok(event_of_parts(&f, list, n, now, &e));
    assert_true(str_is_utf8(e->payload));
    return e;
}

/* The payload without its id, which is derived. */
static void expect(const struct event *e, const char *before_id, const char *after_id)
{
    char text[4096];
    struct buf b;
    buf_wrap(&b, text, sizeof text);
    buf_printf(&b, "%s\"id\":\"%.*s\"%s", before_id, STR_FMT(e->id), after_id);
    if (!str_eq(buf_str(&b), e->payload))
        fail_msg("%.*s\nis not\n%.*s", STR_FMT(e->payload), STR_FMT(buf_str(&b)));
    event_drop(&e);
}

static void a_whole_one(void **state)
{
    struct sms_part part = {.data = STR("Hello"), .parts = 1, .number = 1};
    expect(event_with(&(struct sms_facts){.parts = 1}, &part, 1),
           "{\"event\":\"sms_received\",\"from\":\"+19175550100\",\"to\":\"+447911123456\","
           "\"message\":\"Hello\",\"timestamp\":\"2024-11-15T14:32:00Z\",",
           ",\"occurred_at\":\"2024-11-15T14:32:00.000Z\",\"api_version\":\"" EVENT_API_VERSION
           "\",\"message_id\":\"m1\",\"encoding\":\"gsm7\",\"parts\":1,\"partial\":false}");
}

static void a_partial_one_with_bytes(void **state)
{
    const struct sms_part part[] = {
        {.data = {"\xff", 1}, .number = 2, .coding.alphabet = SMS_BINARY, .data_coding = 4},
        {.data = STR("ok"), .number = 5}};
    struct sms_facts f = {.parts = 6, .partial = true, .simulated = true};
    f.arrived_at_ms = now - 60000;
    expect(event_with(&f, part, 2),
           "{\"event\":\"sms_received\",\"from\":\"+19175550100\",\"to\":\"+447911123456\","
           "\"message\":\"\xc3\xbfok\",\"timestamp\":\"2024-11-15T14:31:00Z\",",
           ",\"occurred_at\":\"2024-11-15T14:32:00.000Z\",\"api_version\":\"" EVENT_API_VERSION
           "\",\"message_id\":\"m1\",\"encoding\":\"mixed\",\"parts\":6,\"partial\":true,"
           "\"parts_missing\":\"1,3,4,6\",\"simulated\":true,\"data_coding\":4,"
           "\"raw\":\"ff,6f6b\"}");
}

static void both_bodies_carry_it(void **state)
{
    const struct sms_part part = {
        .data = {"\0\x01", 2}, .number = 1, .coding.alphabet = SMS_BINARY, .data_coding = 4};
    const struct event *e = event_with(&(struct sms_facts){.parts = 1}, &part, 1);
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_ok(payload_body(e->payload, BODY_FORM, 0, false, &b));
    buf_putc(&b, 0);
    assert_non_null(strstr(b.p, "&message=%EF%BF%BD%01&"));
    assert_non_null(strstr(b.p, "&partial=false&data_coding=4&raw=0001"));
    buf_fini(&b);
    event_drop(&e);
}

/* Control characters take six octets each in JSON: 48 KiB of them are more than a payload holds. */
static void the_longest_one_fits(void **state)
{
    static char octets[SMS_DATA_MAX];
    static struct sms_part part[3];
    for (int control = 0; control <= 1; control++) {
        memset(octets, control ? 1 : 'x', sizeof octets);
        for (unsigned i = 0; i < 3; i++)
            part[i] = (struct sms_part){.data = str_of_bytes(octets, sizeof octets),
                                        .number = i + 1,
                                        .coding.alphabet = SMS_LATIN1};
        const struct event *e = event_with(&(struct sms_facts){.parts = 3}, part, 3);
        struct json *o = NULL;
        struct str message = {0}, raw = {0};
        bool truncated = false, raw_truncated = false;
        assert_ok(json_parse(e->payload, &o, NULL, 0));
        assert_true(json_str(json_get(o, "message"), &message));
        assert_true(json_str(json_get(o, "raw"), &raw));
        json_bool(json_get(o, "message_truncated"), &truncated);
        json_bool(json_get(o, "raw_truncated"), &raw_truncated);
        assert_true(truncated && raw_truncated);
        assert_int_equal(message.n, control ? 8192 : SMS_TEXT_MAX);
        assert_int_equal(raw.n, 2 * 4096);
        json_free(o);
        event_drop(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_one),
        cmocka_unit_test(a_partial_one_with_bytes),
        cmocka_unit_test(both_bodies_carry_it),
        cmocka_unit_test(the_longest_one_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
