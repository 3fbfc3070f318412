/* The door for text messages: whole ones, and parts in every order and twice. */
#include "base/clock.h"
#include "base/crypto.h"
#include "parts_kit.h"

static const int64_t start = INT64_C(1731681120000);
static struct got got[64];

static int set_up(void **state)
{
    clock_fake(start);
    kit_begin(NULL);
    return 0;
}

static int tear_down(void **state)
{
    kit_close();
    clock_real();
    return 0;
}

static void expect_one(const char *message, bool partial)
{
    assert_int_equal(kit_events(got, 64), 1);
    assert_string_equal(got[0].message, message);
    assert_int_equal(got[0].partial, partial);
    assert_int_equal(got[0].n_deliveries, 1);
}

/* ---- whole ---- */

static void a_whole_message_is_an_event_at_once(void **state)
{
    struct sent s = kit_take(kit_text("Hello, is this line active?"));
    assert_false(s.duplicate);
    expect_one("Hello, is this line active?", false);
    assert_string_equal(got[0].message_id, s.message_id);
    assert_string_equal(got[0].encoding, "gsm7");
    assert_int_equal(got[0].parts, 1);
    assert_int_equal(got[0].at_ms, start);
    assert_int_equal(got[0].data_coding, -1);
    assert_int_equal(kit.told, 1);
}

static void without_an_id_each_is_its_own(void **state)
{
    struct sent a = kit_take(kit_text("same")), b = kit_take(kit_text("same"));
    assert_string_not_equal(a.message_id, b.message_id);
    assert_int_equal(kit_events(got, 64), 2);
}

static void the_carriers_id_makes_a_repeat_the_same(void **state)
{
    struct message_in in = kit_text("once");
    in.message_id = STR("carrier-1");
    assert_string_equal(kit_take(in).message_id, "carrier-1");
    assert_true(kit_take(in).duplicate);
    in.link = STR("lnk_2"); /* another carrier's ids are his own */
    assert_false(kit_take(in).duplicate);
    in.part.data = STR("twice"); /* ids are used again */
    assert_false(kit_take(in).duplicate);
    assert_int_equal(kit_events(got, 64), 3);
    assert_int_equal(kit.told, 3);
}

static void what_is_no_text_comes_with_its_bytes(void **state)
{
    struct message_in in = kit_text("");
    in.part.data = (struct str){"\xd8\x3d\x00\x41", 4};
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data_coding = 8;
    kit_take(in);
    expect_one("\xef\xbf\xbd"
               "A",
               false);
    assert_string_equal(got[0].raw, "d83d0041");
    assert_int_equal(got[0].data_coding, 8);
    assert_string_equal(got[0].encoding, "ucs2");
}

static void bytes_of_a_message_are_bounded(void **state)
{
    static char big[5000];
    struct message_in in = kit_text("");
    memset(big, 0x80, sizeof big);
    in.part.data = str_of_bytes(big, sizeof big);
    in.part.coding.alphabet = SMS_BINARY;
    in.part.data_coding = 4;
    kit_take(in);
    assert_int_equal(kit_events(got, 64), 1);
    assert_int_equal(strlen(got[0].message), 2 * sizeof big); /* read as Latin-1 */
    assert_int_equal(strlen(got[0].raw), 2 * 4096);
    assert_true(got[0].raw_truncated);
    assert_int_equal(got[0].data_coding, 4);
}

static void what_is_too_long_or_no_text_is_refused(void **state)
{
    static char big[70000];
    struct message_in in = kit_text("x");
    in.part.data = str_of_bytes(big, sizeof big);
    assert_err(kit_send(&in).err, ERR_INVALID);
    in = kit_text("x");
    in.from = str_of_bytes(big, 300);
    assert_err(kit_send(&in).err, ERR_INVALID);
    in = kit_part(2, 1, "x");
    in.from = (struct str){"a\0b", 3};
    assert_err(kit_send(&in).err, ERR_INVALID);
    assert_int_equal(kit_events(got, 64), 0);
}

/* ---- joined ---- */

static const char *const piece[] = {"one ", "two ", "three ", "four"};

static void four_parts_in_every_order(void **state)
{
    unsigned made = 0;
    for (unsigned a = 0; a < 256; a++) {
        unsigned order[4] = {a & 3, a >> 2 & 3, a >> 4 & 3, a >> 6}, seen = 0;
        for (int i = 0; i < 4; i++)
            seen |= 1u << order[i];
        if (seen != 15)
            continue;
        char id[300] = "";
        for (int i = 0; i < 4; i++) {
            struct message_in in = kit_part(4, order[i] + 1, piece[order[i]]);
            in.part.reference = a;
            struct sent s = kit_take(in);
            assert_false(s.duplicate);
            assert_true(i == 0 || !strcmp(id, s.message_id)); /* told from the first part on */
            memcpy(id, s.message_id, sizeof id);
            assert_int_equal(kit.told, made + (i == 3));
        }
        made++;
        assert_int_equal(kit_events(got, 64), made);
        assert_string_equal(got[0].message, "one two three four");
        assert_string_equal(got[0].message_id, id);
        assert_int_equal(got[0].parts, 4);
        assert_false(got[0].partial);
    }
    assert_int_equal(made, 24);
    struct rows r = kit_rows();
    assert_int_equal(r.waiting, 0);
    assert_int_equal(r.done, 24);
    assert_int_equal(r.parts, 0);
}

static void a_part_again_is_absorbed(void **state)
{
    struct sent first = kit_take(kit_part(2, 1, "a"));
    struct sent again = kit_take(kit_part(2, 1, "a"));
    assert_true(again.duplicate);
    assert_string_equal(first.message_id, again.message_id);
    kit_take(kit_part(2, 2, "b"));
    expect_one("ab", false);
    for (unsigned number = 1; number <= 2; number++) { /* when it went out long since, too */
        again = kit_take(kit_part(2, number, number == 1 ? "a" : "b"));
        assert_true(again.duplicate);
        assert_string_equal(first.message_id, again.message_id);
    }
    expect_one("ab", false);
    assert_int_equal(kit.told, 1);
}

static void what_makes_a_set(void **state)
{
    struct message_in in = kit_part(2, 1, "a"), other = kit_part(2, 2, "b");
    kit_take(in);
    other.part.wide = true;
    kit_take(other);
    other = kit_part(2, 2, "b");
    other.part.reference = 8;
    kit_take(other);
    other = kit_part(2, 2, "b");
    other.link = STR("lnk_2");
    kit_take(other);
    other = kit_part(2, 2, "b");
    other.from = STR("+19175550101");
    kit_take(other);
    other = kit_part(2, 2, "b");
    other.to = STR("+447911123457");
    kit_take(other);
    other = kit_part(2, 2, "b");
    other.account++;
    kit_take(other);
    kit_take(kit_part(3, 2, "b")); /* another total: a contradiction that time resolves */
    assert_int_equal(kit_events(got, 64), 0);
    assert_int_equal(kit_rows().waiting, 8);
    kit_take(kit_part(2, 2, "b"));
    expect_one("ab", false);
}

static void a_character_may_lie_across_a_border(void **state)
{
    struct message_in in = kit_part(2, 2, "");
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data = (struct str){"\xde\x00", 2};
    kit_take(in);
    in.part.number = 1;
    in.part.data = (struct str){"\xd8\x3d", 2};
    kit_take(in);
    expect_one("\xf0\x9f\x98\x80", false);
    assert_string_equal(got[0].raw, "");
}

static void alphabets_may_differ_and_nul_is_a_byte(void **state)
{
    struct message_in in = kit_part(3, 3, "");
    in.part.coding.alphabet = SMS_UCS2;
    in.part.data_coding = 8;
    in.part.data = (struct str){"\0A\0\0\x04\x16", 6};
    kit_take(in);
    in = kit_part(3, 1, "");
    in.part.data = (struct str){"\0\x02", 2}; /* @ and $ in GSM 7 bit */
    kit_take(in);
    kit_take(kit_part(3, 2, ""));
    expect_one("@$A\xef\xbf\xbd\xd0\x96", false);
    assert_string_equal(got[0].encoding, "mixed");
    assert_string_equal(got[0].raw, "0002,,004100000416");
    assert_int_equal(got[0].data_coding, 0);
}

static void two_hundred_and_fifty_five_parts(void **state)
{
    for (unsigned i = 255; i >= 1; i--)
        kit_take(kit_part(255, i, i % 2 ? "x" : "y"));
    assert_int_equal(kit_events(got, 64), 1);
    assert_int_equal(strlen(got[0].message), 255);
    assert_string_equal(got[0].message + 251, "yxyx");
    kit_rows();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_message_is_an_event_at_once),
        TEST(without_an_id_each_is_its_own),
        TEST(the_carriers_id_makes_a_repeat_the_same),
        TEST(what_is_no_text_comes_with_its_bytes),
        TEST(bytes_of_a_message_are_bounded),
        TEST(what_is_too_long_or_no_text_is_refused),
        TEST(four_parts_in_every_order),
        TEST(a_part_again_is_absorbed),
        TEST(what_makes_a_set),
        TEST(a_character_may_lie_across_a_border),
        TEST(alphabets_may_differ_and_nul_is_a_byte),
        TEST(two_hundred_and_fifty_five_parts),
    };
    assert_ok(crypto_start());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
