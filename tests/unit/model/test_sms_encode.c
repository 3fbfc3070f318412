/* What is encoded for a carrier is read back as it was. */
#include "check.h"
#include "model/sms.h"

static enum sms_alphabet alphabet;

static void round_trips(const char *text, enum sms_alphabet expected)
{
    struct buf b, out;
    bool lossy;
    buf_init(&b, 4096);
    buf_init(&out, SMS_TEXT_MAX);
    assert_ok(sms_encode(str_of(text), &b, &alphabet));
    assert_int_equal(alphabet, expected);
    struct sms_part p = {
        .coding = {.alphabet = alphabet}, .data = buf_str(&b), .parts = 1, .number = 1};
    const struct sms_part *list[] = {&p};
    assert_ok(sms_text(list, 1, &out, &lossy));
    assert_false(lossy);
    assert_str(buf_str(&out), text);
    buf_fini(&b);
    buf_fini(&out);
}

static void the_narrower_alphabet_is_taken(void **state)
{
    round_trips("", SMS_GSM7);
    round_trips("Hello @ 5 o'clock", SMS_GSM7);
    round_trips("\xE2\x82\xAC{[~]}|^\\", SMS_GSM7); /* of the extension table */
    round_trips("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F", SMS_GSM7);
    round_trips("\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82", SMS_UCS2);
    round_trips("a\xF0\x9F\x98\x80z", SMS_UCS2); /* a surrogate pair */
}

static void an_escape_costs_two_septets(void **state)
{
    struct buf b;
    buf_init(&b, 16);
    assert_ok(sms_encode(STR("a\xE2\x82\xAC"), &b, &alphabet));
    assert_int_equal(b.n, 3);
    assert_int_equal(b.p[1], 0x1B);
    buf_fini(&b);
}

/* A text that begins like a byte order mark keeps its first character. */
static void a_first_character_like_a_mark_stays(void **state)
{
    round_trips("\xEF\xBB\xBF\xD0\x9F", SMS_UCS2);
}

static void ill_formed_text_is_refused(void **state)
{
    struct buf b;
    buf_init(&b, 4);
    assert_err(sms_encode(STR("\xFF"), &b, &alphabet), ERR_INVALID);
    assert_err(sms_encode(STR("far too long for it"), &b, &alphabet), ERR_TOO_BIG);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_narrower_alphabet_is_taken),
        cmocka_unit_test(an_escape_costs_two_septets),
        cmocka_unit_test(a_first_character_like_a_mark_stays),
        cmocka_unit_test(ill_formed_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
