/* Text messages, pings and switched-off endpoints as events: their payloads, byte for byte, and the
 * room that a long text has. */
#include "check.h"
#include "base/crypto.h"
#include "base/json.h"
#include "model/event.h"

enum { NOW_MS = 1731681120 };

static struct sms_facts facts(void)
{
    return (struct sms_facts){.account = 7,
                              .from = STR("+19175550100"),
                              .to = STR("+447911123456"),
                              .message = STR("Hi \"you\""),
                              .message_id = STR("m1"),
                              .link = STR("lnk_1"),
                              .encoding = STR("gsm7"),
                              .parts = 1};
}

static void a_message_is_the_documented_payload(void **state)
{
    struct sms_facts f = facts();
    struct event *e;
    assert_ok(event_of_sms(&f, NOW_MS * INT64_C(1000), &e));
    char want[512];
    snprintf(
        want, sizeof want,
        "{\"event\":\"sms_received\",\"from\":\"+19175550100\",\"to\":\"+447911123456\","
        "\"message\":\"Hi \\\"you\\\"\",\"timestamp\":\"2024-11-15T14:32:00Z\",\"id\":\"%.*s\","
        "\"occurred_at\":\"2024-11-15T14:32:00.000Z\",\"api_version\":\"" EVENT_API_VERSION "\","
        "\"message_id\":\"m1\",\"encoding\":\"gsm7\",\"parts\":1,\"partial\":false}",
        STR_FMT(e->id));
    assert_str(e->payload, want);
    assert_int_equal(e->kind, EVENT_SMS_RECEIVED);
    assert_int_equal(e->account, 7);
    assert_str(e->number, "+447911123456");
    assert_str(e->peer, "+19175550100");
    const struct event *held = e;
    event_drop(&held);
}

static void ids_of(const struct sms_facts *f, char out[ID_SIZE])
{
    struct event *e;
    assert_ok(event_of_sms(f, NOW_MS, &e));
    assert_ok(str_copy(e->id, out, ID_SIZE));
    const struct event *held = e;
    event_drop(&held);
}

/* A repeat has the id of the first; whatever makes it another message gives another id. */
static void the_id_is_made_of_what_the_message_is(void **state)
{
    char first[ID_SIZE], other[ID_SIZE];
    struct sms_facts f = facts();
    ids_of(&f, first);
    ids_of(&f, other);
    assert_string_equal(first, other);
    struct str *const part[] = {&f.link, &f.from, &f.to, &f.message_id, &f.message};
    for (size_t i = 0; i < 5; i++) {
        f = facts();
        *part[i] = STR("+15550001");
        ids_of(&f, other);
        assert_string_not_equal(first, other);
    }
}

/* Each octet of the text may cost six in JSON: the payload always fits, cut between characters. */
static void a_text_that_is_too_long_is_cut_and_says_so(void **state)
{
    static char text[2 * EVENT_PAYLOAD_MAX];
    static const char *const unit[] = {"\x01", "\xE2\x82\xAC", "x", "\""};
    for (size_t u = 0; u < 4; u++) {
        size_t k = strlen(unit[u]), n = 0;
        for (; n + k < sizeof text; n += k)
            memcpy(text + n, unit[u], k);
        struct sms_facts f = facts();
        f.message = str_of_bytes(text, n);
        struct event *e;
        struct json *doc;
        struct str message;
        bool truncated;
        assert_ok(event_of_sms(&f, NOW_MS, &e));
        assert_true(e->payload.n <= EVENT_PAYLOAD_MAX);
        assert_ok(json_parse(e->payload, &doc, NULL, 0));
        assert_true(json_str(json_get(doc, "message"), &message));
        assert_true(message.n > 0 && message.n % k == 0);
        assert_true(str_eq(message, str_of_bytes(text, message.n)));
        assert_true(json_bool(json_get(doc, "message_truncated"), &truncated) && truncated);
        json_free(doc);
        const struct event *held = e;
        event_drop(&held);
    }
}

static void an_endpoint_that_is_switched_off_is_told_with_the_reason(void **state)
{
    struct event *e;
    assert_ok(event_of_endpoint_disabled(7, STR("ep_1"), STR("https://a.example/"), STR("gone"),
                                         NOW_MS * INT64_C(1000), &e));
    assert_int_equal(e->kind, EVENT_ENDPOINT_DISABLED);
    assert_true(str_starts(e->payload, STR("{\"event\":\"endpoint_disabled\",\"endpoint\":\"ep_1\","
                                           "\"url\":\"https://a.example/\",\"reason\":\"gone\","
                                           "\"timestamp\":\"2024-11-15T14:32:00Z\"")));
    const struct event *held = e;
    event_drop(&held);
}

/* Two pings are two events. */
static void a_ping_has_an_id_of_its_own(void **state)
{
    struct event *a, *b;
    assert_ok(event_of_ping(7, STR("ep_1"), NOW_MS, &a));
    assert_ok(event_of_ping(7, STR("ep_1"), NOW_MS, &b));
    assert_false(str_eq(a->id, b->id));
    assert_true(
        str_starts(a->payload, STR("{\"event\":\"ping\",\"endpoint\":\"ep_1\",\"timestamp\"")));
    const struct event *held = a;
    event_drop(&held);
    held = b;
    event_drop(&held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_the_documented_payload),
        cmocka_unit_test(the_id_is_made_of_what_the_message_is),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_and_says_so),
        cmocka_unit_test(an_endpoint_that_is_switched_off_is_told_with_the_reason),
        cmocka_unit_test(a_ping_has_an_id_of_its_own),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
