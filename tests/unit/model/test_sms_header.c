#include "check.h"
#include "model/sms.h"

static struct sms_part part_of(struct str data, enum sms_alphabet alphabet)
{
    return (struct sms_part){.coding.alphabet = alphabet, .data = data};
}

static void concatenations_are_read(void **state)
{
    struct sms_part p = part_of(STR("\x05\x00\x03\xA7\x03\x02"
                                    "rest"),
                                SMS_GSM7);
    assert_ok(sms_header_parse(&p));
    assert_str(p.data, "rest");
    assert_int_equal(p.reference, 0xA7);
    assert_int_equal(p.parts, 3);
    assert_int_equal(p.number, 2);
    assert_false(p.wide);

    p = part_of(STR("\x06\x08\x04\x12\x34\xFF\xFF"), SMS_UCS2);
    assert_ok(sms_header_parse(&p));
    assert_int_equal(p.data.n, 0);
    assert_int_equal(p.reference, 0x1234);
    assert_int_equal(p.parts, 255);
    assert_int_equal(p.number, 255);
    assert_true(p.wide);
}

static void shifts_and_ports_are_read(void **state)
{
    struct sms_part p =
        part_of(STR("\x10\x24\x01\x01\x25\x01\x06\x05\x04\x0B\x84\x23\xF0\x70\x02xxA"), SMS_GSM7);
    assert_ok(sms_header_parse(&p));
    assert_str(p.data, "A");
    assert_int_equal(p.coding.single_shift, 1);
    assert_int_equal(p.coding.locking_shift, 6);
    assert_int_equal(p.port_to, 2948);
    assert_int_equal(p.port_from, 9200);
    assert_int_equal(p.parts, 1);
    assert_int_equal(p.number, 1);

    p = part_of(STR("\x0A\x04\x02\xF0\xF1\x24\x01\x0E\x25\x01\xFF"), SMS_GSM7);
    assert_ok(sms_header_parse(&p)); /* reserved languages are the default */
    assert_int_equal(p.coding.single_shift, 0);
    assert_int_equal(p.coding.locking_shift, 0);
    assert_int_equal(p.port_to, 0xF0);
    assert_int_equal(p.port_from, 0xF1);
}

static void what_is_no_concatenation(void **state)
{
    static const struct str heads[] = {
        {"\x05\x00\x03\x01\x00\x01", 6},     {"\x05\x00\x03\x01\x02\x00", 6},
        {"\x05\x00\x03\x01\x02\x03", 6},     {"\x04\x00\x02\x01\x02", 5},
        {"\x06\x00\x04\x01\x02\x03\x01", 7}, {"\0", 1},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct sms_part p = part_of(heads[i], SMS_GSM7);
        assert_ok(sms_header_parse(&p));
        assert_int_equal(p.data.n, 0);
        assert_int_equal(p.parts, 1);
        assert_int_equal(p.number, 1);
        assert_int_equal(p.reference, 0);
    }
}

static void the_last_of_a_kind_counts(void **state)
{
    struct sms_part p = part_of(STR("\x0A\x00\x03\x01\x02\x01\x00\x03\x09\x04\x03"), SMS_GSM7);
    assert_ok(sms_header_parse(&p));
    assert_int_equal(p.reference, 9);
    assert_int_equal(p.parts, 4);
    assert_int_equal(p.number, 3);
    p = part_of(STR("\x0A\x00\x03\x09\x04\x03\x00\x03\x01\x02\x07"), SMS_GSM7);
    assert_ok(sms_header_parse(&p)); /* a broken one does not undo the one before */
    assert_int_equal(p.reference, 9);
}

static void lengths_that_lie(void **state)
{
    static const struct str bad[] = {
        {NULL, 0},
        {"\x01", 1},
        {"\x05\x00\x03\x01\x02", 5},
        {"\x05\x00\x04\x01\x02\x01", 6},
        {"\x06\x00\x03\x01\x02\x01\x00", 7},
        {"\xFF\x00\x03\x01\x02\x01", 6},
        {"\x02\x70\xFF", 3},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sms_part p = part_of(bad[i], SMS_GSM7_PACKED), before = p;
        assert_err(sms_header_parse(&p), ERR_INVALID);
        assert_memory_equal(&p, &before, sizeof p);
    }
}

static void what_tlvs_said_stays(void **state)
{
    struct sms_part p = part_of(STR("\x03\x24\x01\x02"), SMS_GSM7);
    p.parts = 4;
    p.number = 2;
    p.reference = 77;
    p.wide = true;
    assert_ok(sms_header_parse(&p));
    assert_int_equal(p.parts, 4);
    assert_int_equal(p.number, 2);
    assert_int_equal(p.reference, 77);
    assert_true(p.wide);
}

/* Each length of header, by the sum of its bits and the fill being whole septets. */
static void septets_begin_at_a_border(void **state)
{
    for (unsigned n = 0; n < 256; n++) {
        char data[256] = {(char)n};
        if (n == 1)
            continue;
        if (n) {
            data[1] = 0x70;
            data[2] = (char)(n - 2);
        }
        struct sms_part p = part_of(str_of_bytes(data, n + 1), SMS_GSM7_PACKED);
        assert_ok(sms_header_parse(&p));
        assert_true(p.coding.fill < 7);
        assert_int_equal((8 * (n + 1) + p.coding.fill) % 7, 0);
        p = part_of(str_of_bytes(data, n + 1), SMS_GSM7);
        assert_ok(sms_header_parse(&p));
        assert_int_equal(p.coding.fill, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(concatenations_are_read),   cmocka_unit_test(shifts_and_ports_are_read),
        cmocka_unit_test(what_is_no_concatenation),  cmocka_unit_test(the_last_of_a_kind_counts),
        cmocka_unit_test(lengths_that_lie),          cmocka_unit_test(what_tlvs_said_stays),
        cmocka_unit_test(septets_begin_at_a_border),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
