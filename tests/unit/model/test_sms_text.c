#include "check.h"
#include "model/sms.h"

#define HEX_MAX 512

/* "48 65" or "4865": octets into mem, which the answer points into. */
static struct str hex(const char *text, char mem[HEX_MAX])
{
    size_t n = 0;
    for (; *text; text++) {
        unsigned octet = 0;
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

static struct sms_coding coding_of(enum sms_alphabet a)
{
    return (struct sms_coding){.alphabet = a};
}

/* Every text in every two pieces, and in three where it is short: the border changes nothing. */
static void borders_change_nothing(void **state)
{
    static const struct {
        enum sms_alphabet alphabet;
        const char *octets;
    } table[] = {
        {SMS_GSM7, "41 1B65 1B1B 1B41 00 1B3C 1B"},
        {SMS_ASCII, "48 69 80 00 41"},
        {SMS_LATIN1, "E9 41 FF 00"},
        {SMS_UCS2, "FEFF D83D DE00 0041 D83D D83D DE00 DE00 00"},
        {SMS_UCS2, "FFFE 3DD8 00DE 4100 3DD8"},
        {SMS_UTF8, "C3A9 F09F9880 E180 41 F09F98 E28AA0 C2"},
        {SMS_BINARY, "C3A9 F09F9880"},
        {SMS_BINARY, "C3A9 E9 F09F9880"},
        {SMS_CYRILLIC, "BFE0D8D2D5E2"},
        {SMS_JIS, "82B182F1 8740 41 82"},
        {SMS_ISO2022JP, "1B2442 467C 4B5C 1B2842 41"},
        {SMS_EUCJP, "C6FC CBDC 41"},
        {SMS_KSC5601, "C7D1 B1DB 41"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char mem[HEX_MAX];
        struct str all = hex(table[i].octets, mem);
        struct sms_part p[3] = {{.coding = coding_of(table[i].alphabet), .data = all}};
        for (unsigned k = 0; k < 3; k++) {
            p[k].coding = p[0].coding;
            p[k].parts = 3;
            p[k].number = k + 1;
        }
        struct said whole = say_parts(p, 1);
        for (size_t a = 0; a <= all.n; a++)
            for (size_t b = a; b <= all.n; b++) {
                p[0].data = str_slice(all, 0, a);
                p[1].data = str_slice(all, a, b - a);
                p[2].data = str_from(all, b);
                struct said cut = say_parts(p, 3);
                if (!str_eq(buf_str(&whole.text), buf_str(&cut.text)))
                    fail_msg("%s cut at %zu and %zu: %.*s", table[i].octets, a, b,
                             STR_FMT(buf_str(&cut.text)));
                assert_int_equal(whole.lossy, cut.lossy);
                buf_fini(&cut.text);
            }
        buf_fini(&whole.text);
    }
}

static void where_a_part_is_missing_halves_stay_halves(void **state)
{
    struct sms_part p[2] = {
        {.coding = coding_of(SMS_GSM7), .data = STR("A\x1B"), .parts = 3, .number = 1},
        {.coding = coding_of(SMS_GSM7), .data = STR("eB"), .parts = 3, .number = 3},
    };
    struct said s = say_parts(p, 2);
    assert_str(buf_str(&s.text), "A\uFFFDeB");
    assert_true(s.lossy);
    buf_fini(&s.text);

    p[0].coding = p[1].coding = coding_of(SMS_UCS2); /* the order of octets is known from before */
    p[0].data = STR("\xFF\xFEH\0");
    p[1].data = STR("i\0");
    s = say_parts(p, 2);
    assert_str(buf_str(&s.text), "Hi");
    assert_false(s.lossy);
    buf_fini(&s.text);
}

static void parts_may_have_different_codings(void **state)
{
    struct sms_part p[4] = {
        {.coding = coding_of(SMS_GSM7), .data = STR("A\x1B"), .number = 1},
        {.coding = coding_of(SMS_UCS2), .data = STR("\x20\xAC"), .number = 2},
        {.coding = {SMS_GSM7, 1, 0, 0}, .data = STR("\x1Bs"), .number = 3},
        {.coding = {SMS_GSM7, 0, 1, 0}, .data = STR("@"), .number = 4},
    };
    struct said s = say_parts(p, 4);
    assert_str(buf_str(&s.text), "A\uFFFD€şİ");
    buf_fini(&s.text);
}

/* A message as a phone sends it: a header of six octets, one fill bit, 153 septets, an escape
 * across the border. Behind a header of seven octets there is no fill. */
static void packed_parts_join(void **state)
{
    static const struct {
        struct str header;
        uint8_t fill;
    } heads[] = {
        {{"\x05\x00\x03\x2A\x02\x01", 6}, 1},
        {{"\x06\x08\x04\x00\x2A\x02\x01", 7}, 0},
        {{"\x09\x00\x03\x2A\x02\x01\x70\x02xx", 10}, 4},
    };
    for (size_t k = 0; k < sizeof heads / sizeof *heads; k++) {
        unsigned char octets[2][140] = {{0}};
        struct sms_part p[2];
        for (unsigned part = 0; part < 2; part++) {
            static const char text[2][5] = {"Hi \x1B", "e!ok"};
            size_t bit = heads[k].header.n * 8 + heads[k].fill;
            memcpy(octets[part], heads[k].header.p, heads[k].header.n);
            octets[part][heads[k].header.n == 7 ? 6 : 5] = (unsigned char)(part + 1);
            for (size_t i = 0; i < 4; i++)
                for (unsigned b = 0; b < 7; b++, bit++)
                    octets[part][bit / 8] |=
                        (unsigned char)(((unsigned)text[part][i] >> b & 1) << (bit % 8));
            p[part] = (struct sms_part){.coding = coding_of(SMS_GSM7_PACKED),
                                        .data = str_of_bytes(octets[part], (bit + 7) / 8)};
            assert_ok(sms_header_parse(&p[part]));
            assert_int_equal(p[part].coding.fill, heads[k].fill);
            assert_int_equal(p[part].number, part + 1);
        }
        struct said s = say_parts(p, 2);
        assert_str(buf_str(&s.text), "Hi €!ok");
        assert_false(s.lossy);
        buf_fini(&s.text);
        p[1].coding = coding_of(SMS_GSM7); /* the same alphabet, another wrapping */
        p[1].data = STR("e!");
        s = say_parts(p, 2);
        assert_str(buf_str(&s.text), "Hi €!");
        buf_fini(&s.text);
    }
}

static void long_texts_end_with_a_whole_character(void **state)
{
    static char data[4][SMS_DATA_MAX];
    struct sms_part p[4];
    for (size_t i = 0; i < 4; i++) {
        memset(data[i], 'a', sizeof data[i]);
        p[i] = (struct sms_part){.coding = coding_of(SMS_GSM7),
                                 .data = str_of_bytes(data[i], sizeof data[i]),
                                 .number = (unsigned)i + 1};
    }
    struct said s = say_parts(p, 4);
    assert_int_equal(s.text.n, SMS_TEXT_MAX);
    assert_true(s.lossy);
    buf_fini(&s.text);

    p[0].data.n = SMS_TEXT_MAX; /* just fits */
    s = say_parts(p, 1);
    assert_int_equal(s.text.n, SMS_TEXT_MAX);
    assert_false(s.lossy);
    buf_fini(&s.text);

    for (size_t i = 0; i + 1 < sizeof data[0]; i += 2) { /* euro signs, three octets each */
        data[0][i] = 0x1B;
        data[0][i + 1] = 'e';
    }
    data[0][0] = data[0][1] = 'x';
    p[0].data.n = 40000;
    s = say_parts(p, 1);
    assert_int_equal(s.text.n, SMS_TEXT_MAX - 1);
    assert_true(s.lossy);
    buf_fini(&s.text);

    for (int a = 0; a < SMS_ALPHABET_COUNT; a++) { /* each reader ends at the limit */
        for (size_t i = 0; i < 4; i++)
            p[i].coding = coding_of((enum sms_alphabet)a);
        p[0].data.n = SMS_DATA_MAX;
        s = say_parts(p, 4);
        assert_true(s.text.n <= SMS_TEXT_MAX && s.text.n > SMS_TEXT_MAX - 4);
        assert_true(s.lossy);
        buf_fini(&s.text);
    }
}

static void a_small_buffer_says_so(void **state)
{
    char mem[3];
    struct buf out;
    bool lossy;
    struct sms_part p = {.coding = coding_of(SMS_GSM7), .data = STR("abcd")};
    const struct sms_part *one = &p;
    buf_wrap(&out, mem, sizeof mem);
    assert_err(sms_text(&one, 1, &out, &lossy), ERR_TOO_BIG);
}

/* xorshift64: the same in every run from the seed that was printed. */
static uint64_t random_next(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static uint64_t random_seed(void)
{
    const char *given = getenv("SEED");
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)(uintptr_t)&given ^ 0x9E3779B97F4A;
    print_message("SEED=0x%llx\n", (unsigned long long)seed);
    return seed ? seed : 1;
}

static void random_octets_are_always_utf8(void **state)
{
    uint64_t x = random_seed();
    for (int round = 0; round < 20000; round++) {
        char data[4][64];
        struct sms_part p[4];
        size_t n = 1 + random_next(&x) % 4;
        enum sms_alphabet a = (enum sms_alphabet)(random_next(&x) % SMS_ALPHABET_COUNT);
        for (size_t i = 0; i < n; i++) {
            size_t octets = random_next(&x) % sizeof data[i];
            for (size_t k = 0; k < octets; k++)
                data[i][k] = (char)random_next(&x);
            if (random_next(&x) % 4 == 0)
                a = (enum sms_alphabet)(random_next(&x) % SMS_ALPHABET_COUNT);
            p[i] = (struct sms_part){.coding = {a, (uint8_t)(random_next(&x) % 16),
                                                (uint8_t)(random_next(&x) % 16),
                                                (uint8_t)(random_next(&x) % 7)},
                                     .data = str_of_bytes(data[i], octets),
                                     .number = (unsigned)(i + 1 + random_next(&x) % 2)};
            if (random_next(&x) % 2)
                assert_in_set(sms_header_parse(&p[i]), ((LargestIntegralType[]){OK, ERR_INVALID}),
                              2);
        }
        struct said s = say_parts(p, n); /* looks whether it is UTF-8 */
        assert_null(memchr(s.text.p ? s.text.p : "", '\0', s.text.n));
        buf_fini(&s.text);
    }
}

static void put_scalar(struct buf *b, uint32_t c)
{
    if (c < 0x80)
        buf_putc(b, (char)c);
    else if (c < 0x800) {
        buf_putc(b, (char)(0xC0 | c >> 6));
        buf_putc(b, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_putc(b, (char)(0xE0 | c >> 12));
        buf_putc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_putc(b, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_putc(b, (char)(0xF0 | c >> 18));
        buf_putc(b, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_putc(b, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_putc(b, (char)(0x80 | (c & 0x3F)));
    }
}

static void assert_comes_back(struct str text, const enum sms_alphabet *due)
{
    struct buf coded;
    enum sms_alphabet alphabet;
    buf_init(&coded, 4 * SMS_TEXT_MAX);
    assert_ok(sms_encode(text, &coded, &alphabet));
    if (due)
        assert_string_equal(sms_alphabet_name(alphabet), sms_alphabet_name(*due));
    struct sms_part p = {.coding = coding_of(alphabet), .data = buf_str(&coded)};
    struct said s = say_parts(&p, 1);
    assert_true(str_eq(buf_str(&s.text), text));
    assert_false(s.lossy);
    buf_fini(&s.text);
    buf_fini(&coded);
}

static void what_is_encoded_comes_back(void **state)
{
    static const enum sms_alphabet gsm7 = SMS_GSM7, ucs2 = SMS_UCS2;
    uint64_t x = random_seed();
    assert_comes_back(STR("Hello, is this line active? {[~]} | \\ ^ € @ ñ \r\n\f"), &gsm7);
    assert_comes_back(STR("Привет"), &ucs2);
    assert_comes_back(STR("a`b"), &ucs2);
    assert_comes_back(STR("\x1B"), &ucs2);
    assert_comes_back(STR("\uFEFFa"), &ucs2);
    assert_comes_back(STR("\uFFFEa"), &ucs2);
    assert_comes_back(STR("a\uFEFF"), &ucs2);
    assert_comes_back(STR("\U0010FFFF\U00010000\uFFFF\xED\x9F\xBF\xEE\x80\x80"), &ucs2);
    assert_comes_back((struct str){0}, &gsm7);
    for (int round = 0; round < 20000; round++) {
        static const uint32_t limit[] = {0x80, 0x100, 0x800, 0x10000, 0x110000};
        struct buf text;
        uint32_t most = limit[random_next(&x) % 5];
        buf_init(&text, 4096);
        for (size_t n = random_next(&x) % 200; n; n--) {
            uint32_t c = (uint32_t)(1 + random_next(&x) % (most - 1));
            put_scalar(&text, c >= 0xD800 && c <= 0xDFFF ? 0xFEFF : c);
        }
        assert_comes_back(buf_str(&text), NULL);
        buf_fini(&text);
    }
}

static void what_cannot_be_encoded(void **state)
{
    struct buf out;
    char mem[4];
    enum sms_alphabet alphabet;
    buf_wrap(&out, mem, sizeof mem);
    assert_err(sms_encode(STR("\xFF"), &out, &alphabet), ERR_INVALID);
    assert_err(sms_encode(STR("abcde"), &out, &alphabet), ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_alphabet_is_read),
        cmocka_unit_test(borders_change_nothing),
        cmocka_unit_test(where_a_part_is_missing_halves_stay_halves),
        cmocka_unit_test(parts_may_have_different_codings),
        cmocka_unit_test(packed_parts_join),
        cmocka_unit_test(long_texts_end_with_a_whole_character),
        cmocka_unit_test(a_small_buffer_says_so),
        cmocka_unit_test(random_octets_are_always_utf8),
        cmocka_unit_test(what_is_encoded_comes_back),
        cmocka_unit_test(what_cannot_be_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
