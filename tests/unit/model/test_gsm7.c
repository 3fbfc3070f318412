#include "check.h"
#include "gsm7_charts.h"
#include "model/gsm7.h"
#include "model/sms.h"

/* A cell of a chart: its code point, 0 for none. */
static uint32_t cell_value(const char *cell, size_t n)
{
    static const struct {
        const char *mark;
        uint32_t c;
    } marks[] = {{"SP", ' '}, {"LF", '\n'}, {"CR", '\r'}, {"1)", ' '}, {"3)", '\f'}, {"4)", 0}};
    const unsigned char *p = (const unsigned char *)cell;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (n == 2 && memcmp(cell, marks[i].mark, 2) == 0)
            return marks[i].c;
    if (n == 4)
        return (uint32_t)strtoul(cell, NULL, 16);
    switch (n) {
    case 1: return p[0];
    case 2: return (p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu);
    default: return (p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu);
    }
}

static void tables_are_as_printed(void **state)
{
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof gsm7_charts / sizeof *gsm7_charts; i++) {
        const struct gsm7_chart *chart = &gsm7_charts[i];
        const uint16_t *table =
            chart->locking ? gsm7_locking[chart->language] : gsm7_single[chart->language];
        for (int low = 0; low < 16; low++) {
            const char *p = chart->line[low];
            for (int high = 0; high < 8; high++) {
                size_t n = strcspn(p, " ");
                if (table[high * 16 + low] != cell_value(p, n))
                    fail_msg("%s 0x%X%X: %04X, not %.*s", chart->name, high, low,
                             table[high * 16 + low], (int)n, p);
                p += n + (p[n] == ' ');
                seen++;
            }
            assert_int_equal(*p, '\0');
        }
    }
    assert_int_equal(seen, 27 * GSM7_SIZE); /* 14 single shifts, 13 locking ones */
    assert_ptr_equal(gsm7_locking[2], gsm7_locking[0]);
}

static void unknown_languages_are_the_default(void **state)
{
    struct gsm7 none = gsm7_tables(0, 0), unknown = gsm7_tables(14, 255);
    assert_ptr_equal(none.locking, unknown.locking);
    assert_ptr_equal(none.single, unknown.single);
}

/* The packing of the standard's figure (§6.1.2.1.1), written from it and not from the reader. */
static size_t pack(const unsigned char *septets, size_t n, unsigned fill, unsigned char *to)
{
    size_t bit = fill;
    memset(to, 0, (fill + n * 7 + 7) / 8);
    for (size_t i = 0; i < n; i++)
        for (unsigned k = 0; k < 7; k++, bit++)
            to[bit / 8] |= (unsigned char)((septets[i] >> k & 1) << (bit % 8));
    return (bit + 7) / 8;
}

static void assert_unpacks(struct str packed, unsigned fill, struct str due)
{
    char mem[512];
    struct buf out;
    buf_wrap(&out, mem, sizeof mem);
    gsm7_unpack(packed, fill, &out);
    assert_ok(out.err);
    assert_int_equal(out.n, due.n);
    if (due.n)
        assert_memory_equal(mem, due.p, due.n);
}

static void known_strings_unpack(void **state)
{
    assert_unpacks(STR("\xE8\x32\x9B\xFD\x46\x97\xD9\xEC\x37"), 0, STR("hellohello"));
    assert_unpacks(STR("\x54\x74\x7A\x0E\x4A\xCF\x41\x61\x10\xBD\x3C\xA7\x83\xDA\xE5\xF9\x3C\x7C"
                       "\x2E\x03"),
                   0, STR("This is a test message"));
    assert_unpacks(STR("\xC8\x32\x9B\xFD\x06"), 0, STR("Hello"));
    assert_unpacks((struct str){0}, 0, (struct str){0});
    assert_unpacks(STR("\x7F"), 6, (struct str){0});
    assert_unpacks(STR("\x31"), 0, STR("1"));
    assert_unpacks(STR("\x31"), 7 * 11, STR("1"));
    assert_unpacks(STR("\x31"), 255, (struct str){0});
}

static void filler_is_taken_off(void **state)
{
    assert_unpacks(STR("\x31\xD9\x8C\x56\xB3\xDD\x1A"), 0, STR("1234567")); /* CR behind it */
    assert_unpacks(STR("\x31\xD9\x8C\x56\xB3\xDD\x00"), 0, STR("1234567"));
    assert_unpacks(STR("\x31\xD9\x8C\x56\xB3\xDD\x70"), 0, STR("12345678"));
    assert_unpacks(STR("\x31\xD9\x8C\x56\xB3\x35\x00"), 0,
                   STR("123456\r")); /* no border: it is meant */
    assert_unpacks(STR("\x00\x00"), 0, (struct str){"\0\0", 2});
}

static void any_length_and_fill_unpacks(void **state)
{
    for (size_t n = 0; n <= 160; n++)
        for (unsigned fill = 0; fill < 7; fill++) {
            unsigned char septets[160], packed[160];
            for (size_t i = 0; i < n; i++)
                septets[i] = (unsigned char)(0x20 + (i * 7 + fill) % 0x5F);
            size_t octets = n ? pack(septets, n, fill, packed) : 0;
            assert_unpacks(str_of_bytes(packed, octets), fill, str_of_bytes(septets, n));
        }
}

static void characters_have_their_septets(void **state)
{
    assert_int_equal(gsm7_septet('@'), 0x00);
    assert_int_equal(gsm7_septet('A'), 0x41);
    assert_int_equal(gsm7_septet(' '), 0x20);
    assert_int_equal(gsm7_septet('$'), 0x02);
    assert_int_equal(gsm7_septet('_'), 0x11);
    assert_int_equal(gsm7_septet(0xA1), 0x40);
    assert_int_equal(gsm7_septet(0x20AC), 0x1B65);
    assert_int_equal(gsm7_septet('['), 0x1B3C);
    assert_int_equal(gsm7_septet('\f'), 0x1B0A);
    static const uint32_t none[] = {0, 0x1B, '`', 0xE7, 0x3B1, 0x0151, 0xFFFD, 0x1F600, '\t'};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(gsm7_septet(none[i]), -1);
}

/* What others wrote with the national tables, read through sms_text. */
static void national_texts_are_read(void **state)
{
    static const struct {
        uint8_t locking, single;
        struct str septets;
        const char *due;
    } table[] = {
        {0, 1, {"\x1BIstanbul, \x1Bsi\x1Bs", 16}, "İstanbul, şiş"},
        {1, 0, {"@stanbul \x1DI\x1D \x04", 14}, "İstanbul şIş €"},
        {1, 1, {"\x60\x1B\x63\x07\x1B\x69\x0B\x0C", 8}, "ççııĞğ"},
        {0, 2, {"Buenos d\x1Bias, se\x7Dor", 19}, "Buenos días, señor"},
        {3, 3, {"S\x7Bo, cora\x09\x7Bo", 12}, "São, coração"},
        {0, 3, {"S\x1B\x7Bo", 4}, "São"},
        {6, 6, {"\x2F\x42\x4C\x5F\x27\x59 \x1B\x1D", 9}, "नमस्ते १"},
        {13, 13, {"\x3D\x4D\x00\x4E", 4}, "سلام"},
        /* by npm smpp 0.6 */
        {0,
         0,
         {"\x47\x72\x7e\x1e\x65\x20\x1b\x28\x1b\x3c\x1b\x65\x1b\x3e\x1b\x29\x20\x1b\x2f\x20"
          "\x00\x20\x15",
          23},
         "Grüße {[€]} \\ @ Ω"},
        {1, 1, {"\x49\x0c\x64\x07\x72\x20\x1d\x69\x1d\x20\x01\x20\x40", 13}, "Iğdır şiş £ İ"},
        {0,
         2,
         {"\x60\x53\x65\x7d\x61\x6c\x20\x44\x1b\x69\x61\x20\x1b\x09\x20\x1b\x41\x20\x1b\x65\x20"
          "\x1b\x28\x78\x1b\x29",
          26},
         "¿Señal Día ç Á € {x}"},
        {3,
         3,
         {"\x53\x7b\x6f\x2c\x20\x63\x6f\x72\x61\x09\x7b\x6f\x20\x1b\x12\x20\x04\x20\x1b\x14\x20"
          "\x18",
          22},
         "São, coração Φ ê ^ €"},
        {2, 0, {"@\x00", 2}, "¡@"},
        {6, 0, {"\x1B\x05", 2}, "इ"}, /* means nothing: the locking table's character */
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sms_part p = {.coding = {SMS_GSM7, table[i].single, table[i].locking, 0},
                             .data = table[i].septets,
                             .parts = 1,
                             .number = 1};
        const struct sms_part *one = &p;
        struct buf out;
        bool lossy;
        buf_init(&out, SMS_TEXT_MAX);
        assert_ok(sms_text(&one, 1, &out, &lossy));
        assert_str(buf_str(&out), table[i].due);
        assert_false(lossy);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_as_printed),
        cmocka_unit_test(unknown_languages_are_the_default),
        cmocka_unit_test(known_strings_unpack),
        cmocka_unit_test(filler_is_taken_off),
        cmocka_unit_test(any_length_and_fill_unpacks),
        cmocka_unit_test(characters_have_their_septets),
        cmocka_unit_test(national_texts_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
