#include "../check.h"
#include "model/sms.h"

#define HEX_MAX 512

/* "48 65" or "4865": octets into mem, which the answer points into. */
static struct str hex(const char *text, char mem[HEX_MAX])
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned octet;
        if (*text == ' ')
            continue;
        assert_true(n < HEX_MAX && sscanf(text, "%2x", &octet) == 1);
        mem[n++] = (char)octet;
        text++;
    }
    return str_of_bytes(mem, n);
}

struct said {
    struct buf text;
    bool lossy;
};

static struct said say_parts(const struct sms_part *parts, size_t n)
{
    const struct sms_part *list[SMS_PARTS_MAX];
    struct said s = {0};
    for (size_t i = 0; i < n; i++)
        list[i] = &parts[i];
    buf_init(&s.text, SMS_TEXT_MAX);
    assert_ok(sms_text(list, n, &s.text, &s.lossy));
    assert_true(str_is_utf8(buf_str(&s.text)));
    return s;
}

static void assert_said(struct sms_coding coding, struct str data, const char *due, bool lossy)
{
    struct sms_part p = {.coding = coding, .data = data, .parts = 1, .number = 1};
    struct said s = say_parts(&p, 1);
    assert_str(buf_str(&s.text), due);
    assert_int_equal(s.lossy, lossy);
    buf_fini(&s.text);
}

static void each_alphabet_is_read(void **state)
{
    static const struct {
        enum sms_alphabet alphabet;
        const char *octets, *due;
        bool lossy;
    } table[] = {
        {SMS_GSM7, "48656C6C6F", "Hello", false},
        {SMS_GSM7, "00 01 02 03 1B65 1B28 1B29", "@£$¥€{}", false},
        {SMS_GSM7, "0A 0D 1B0A 09", "\n\r\fÇ", false},
        {SMS_GSM7, "1B41 1B1B 1B0D", "A \r", false}, /* §6.2.1.1: the base character */
        {SMS_GSM7, "41 80 FF", "A\uFFFD\uFFFD", true},
        {SMS_GSM7, "41 1B", "A\uFFFD", true},
        {SMS_GSM7, "1BFF 41", "\uFFFDA", true},
        {SMS_ASCII, "48690A7F", "Hi\n\x7F", false},
        {SMS_ASCII, "48 E9 00", "H\uFFFD\uFFFD", true},
        {SMS_LATIN1, "48E9FF", "Héÿ", false},
        {SMS_LATIN1, "80 9F", "\xC2\x80\xC2\x9F", false},
        {SMS_LATIN1, "41 00", "A\uFFFD", true},
        {SMS_UCS2, "0048 20AC D83D DE00", "H€😀", false},
        {SMS_UCS2, "FEFF 0048", "H", false},
        {SMS_UCS2, "FFFE 4800 3DD8 00DE", "H😀", false},
        {SMS_UCS2, "0048 FEFF", "H\uFEFF", false},
        {SMS_UCS2, "D83D 0048", "\uFFFDH", true},
        {SMS_UCS2, "DE00 D83D", "\uFFFD\uFFFD", true},
        {SMS_UCS2, "D83D D83D DE00", "\uFFFD😀", true},
        {SMS_UCS2, "0048 00", "H\uFFFD", true},
        {SMS_UCS2, "00", "\uFFFD", true},
        {SMS_UCS2, "0000", "\uFFFD", true},
        {SMS_UTF8, "48C3A9F09F9880", "Hé😀", false},
        {SMS_UTF8, "61 F18080 E180 C2 62 80 63 80 BF 64", /* Unicode 15, table 3-8 */
         "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd", true},
        {SMS_UTF8, "C0AF E080BF F08182 41", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA",
         true},
        {SMS_UTF8, "EDA080 F490 41", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA", true},
        {SMS_UTF8, "41 00 42", "A\uFFFDB", true},
        {SMS_BINARY, "48C3A9", "Hé", true},
        {SMS_BINARY, "48E9", "Hé", true},
        {SMS_CYRILLIC, "BFE0D8D2D5E2", "Привет", false},
        {SMS_HEBREW, "F9ECE5ED", "שלום", false},
        {SMS_HEBREW, "F9 A1 41", "ש\uFFFDA", true},
        {SMS_JIS, "82B182F182C982BF82CD", "こんにちは", false},
        {SMS_JIS, "B1 8740 5C", "ｱ①\\", false},
        {SMS_JIS, "82B1 82", "こ\uFFFD", true},
        {SMS_ISO2022JP, "1B2442 467C 4B5C 1B2842 41", "日本A", false},
        {SMS_EUCJP, "C6FCCBDC", "日本", false},
        {SMS_KSC5601, "C7D1B1DB", "한글", false},
        {SMS_KSC5601, "41 00", "A\uFFFD", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char mem[HEX_MAX];
        assert_said((struct sms_coding){.alphabet = table[i].alphabet}, hex(table[i].octets, mem),
                    table[i].due, table[i].lossy);
    }
    for (int a = 0; a < SMS_ALPHABET_COUNT; a++)
        assert_said((struct sms_coding){.alphabet = (enum sms_alphabet)a}, (struct str){0}, "",
                    false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_alphabet_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
