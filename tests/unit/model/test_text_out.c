/* Bounded text: whole characters only, and nothing ill-formed gets through. */
#include "check.h"
#include "model/text_out.h"

static struct text_out t;
static struct buf b;

static void text_is(const char *expected, bool lossy)
{
    text_end(&t);
    assert_str(buf_str(&b), expected);
    assert_int_equal(t.lossy, lossy);
    assert_int_equal(b.err, OK);
    buf_reset(&b);
}

static void characters_have_one_to_four_octets(void **state)
{
    text_begin(&t, &b, 100);
    text_put(&t, 'a');
    text_put(&t, 0x7F);
    text_put(&t, 0x80);
    text_put(&t, 0x7FF);
    text_put(&t, 0x800);
    text_put(&t, 0xFFFF);
    text_put(&t, 0x10000);
    text_put(&t, 0x10FFFF);
    text_is("a\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", false);
}

static void no_scalar_value_becomes_the_replacement(void **state)
{
    static const uint32_t none[] = {0, 0xD800, 0xDFFF, 0x110000};
    for (size_t i = 0; i < 4; i++) {
        text_begin(&t, &b, 100);
        text_put(&t, none[i]);
        text_is("\xEF\xBF\xBD", true);
    }
}

/* U+FFFD for each maximal subpart: the examples of Unicode 15, table 3-8 to 3-11. */
static void ill_formed_octets_are_replaced_by_subparts(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"\xC0\xAF\xE0\x80\xBF\x41",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41"},
        {"\xED\xA0\x80\x41", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41"},
        {"\xF4\x91\x92\x93\xFF\x41",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41"},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41",
         "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\x41"},
        {"a\xC3\xA9", "a\xC3\xA9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        text_begin(&t, &b, 100);
        text_put_utf8(&t, str_of(cases[i].in));
        text_is(cases[i].out, i < 4);
    }
}

static void the_limit_cuts_between_characters(void **state)
{
    text_begin(&t, &b, 3);
    text_put_utf8(&t, STR("ab\xC3\xA9"
                          "c"));
    assert_true(t.full);
    text_is("ab", true); /* nothing comes behind what did not fit */
    text_begin(&t, &b, 4);
    text_put_utf8(&t, STR("ab\xC3\xA9"));
    assert_false(t.full);
    text_is("ab\xC3\xA9", false);
    text_begin(&t, &b, 2);
    text_put(&t, 'a');
    text_put(&t, 'b');
    text_put(&t, 'c');
    text_is("ab", true);
}

/* The chunk's border lies anywhere in a text. */
static void a_text_over_many_chunks_is_whole(void **state)
{
    static char in[3 * TEXT_CHUNK + 4], want[sizeof in];
    for (size_t shift = 0; shift < 3; shift++) {
        size_t n = shift;
        memset(in, 'x', shift);
        while (n + 3 < 3 * TEXT_CHUNK) {
            memcpy(in + n, "\xE2\x82\xAC", 3);
            n += 3;
        }
        in[n] = '\0';
        memcpy(want, in, n + 1);
        text_begin(&t, &b, sizeof in);
        text_put_utf8(&t, str_of(in));
        text_is(want, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_have_one_to_four_octets),
        cmocka_unit_test(no_scalar_value_becomes_the_replacement),
        cmocka_unit_test(ill_formed_octets_are_replaced_by_subparts),
        cmocka_unit_test(the_limit_cuts_between_characters),
        cmocka_unit_test(a_text_over_many_chunks_is_whole),
    };
    buf_init(&b, 1 << 16);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&b);
    return failed;
}
