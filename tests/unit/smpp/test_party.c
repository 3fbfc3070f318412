#include "check.h"
#include "smpp/party.h"

static const struct number_rules british = {.country = "44", .national = "0", .bare_is_e164 = true};

static void check(uint8_t ton, struct str digits, const struct number_rules *r, const char *want)
{
    char mem[256];
    struct buf out;
    struct smpp_address a = {ton, 1, digits};
    buf_wrap(&out, mem, sizeof mem);
    party_print_source(&a, r, &out);
    if (!str_eq(buf_str(&out), str_of(want)))
        fail_msg("%u \"%.*s\": \"%.*s\" is not \"%s\"", ton, STR_FMT(digits),
                 STR_FMT(buf_str(&out)), want);
}

static void numbers(void **state)
{
    const struct number_rules none = {0}, bare = {.bare_is_e164 = true};
    check(1, STR("19175550100"), &none, "+19175550100");
    check(1, STR("+19175550100"), &none, "+19175550100");
    check(1, STR("0019175550100"), &none, "+19175550100");
    check(2, STR("7700900123"), &british, "+447700900123");
    check(2, STR("07700900123"), &british, "+447700900123");
    check(2, STR("7700900123"), &none, "7700900123"); /* of which country? */
    check(2, STR("447700900123"), &british, "+447700900123");
    check(2, STR("447700900123"), &bare, "+447700900123");
    check(0, STR("+44 (0)7700 900123"), &none, "+447700900123");
    check(1, STR("tel:+44-7700-900123"), &none, "+447700900123");
    check(5, STR("+44 (0)7700 900123"), &none, "+44 (0)7700 900123"); /* letters, as sent */
    check(0, STR("whatsapp:+447700900123"), &none, "whatsapp:+447700900123");
    check(0, STR("07700900123"), &british, "+447700900123");
    check(0, STR("447700900123"), &british, "+447700900123");
    check(0, STR("+447700900123"), &none, "+447700900123");
    check(3, STR("123456789"), &british, "123456789");
    check(6, STR("123456789"), &british, "123456789");
    check(1, STR("12345678901234567890"), &none, "12345678901234567890");
}

static void short_codes_and_nobody(void **state)
{
    check(1, STR("70500"), &british, "70500");
    check(0, STR("123456"), &british, "123456");
    check(2, STR("0800"), &british, "0800");
    check(0, STR(""), &british, "unknown");
    check(5, STR(""), &british, "unknown");
}

static void letters(void **state)
{
    check(5, STR("My Bank"), &british, "My Bank");
    check(5, STR("123"), &british, "123");
    check(5, STR("A_B@C"), &british, "A_B@C");
    check(1, STR("WhatsApp"), &british, "WhatsApp");
    check(0, STR("+"), &british, "+");
    check(5, STR("\x01 off"), &british, "\xc2\xa3 off");   /* GSM 7 bit: £ */
    check(5, STR("Caf\xe9"), &british, "Caf\xc3\xa9");     /* Latin-1 */
    check(5, STR("Caf\xc3\xa9"), &british, "Caf\xc3\xa9"); /* UTF-8 */
    check(5, STR("\x1b"), &british, "\xef\xbf\xbd");       /* half of an escape */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(short_codes_and_nobody),
        cmocka_unit_test(letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
