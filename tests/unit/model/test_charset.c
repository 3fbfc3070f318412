#include <iconv.h>

#include "check.h"
#include "model/charset.h"

/* The linker puts this in front of the C library's (tests/unit/model/meson.build). */
iconv_t __real_iconv_open(const char *to, const char *from);
iconv_t __wrap_iconv_open(const char *to, const char *from);

static bool is_missing;
static int opened;

iconv_t __wrap_iconv_open(const char *to, const char *from)
{
    opened++;
    return is_missing ? (iconv_t)-1 : __real_iconv_open(to, from);
}

static void assert_reads(enum charset set, struct str bytes, const char *due, bool lossy)
{
    struct text_out t;
    struct buf out;
    buf_init(&out, 65536);
    text_begin(&t, &out, 65536);
    charset_read(set, bytes, &t);
    text_end(&t);
    assert_str(buf_str(&out), due);
    assert_int_equal(t.lossy, lossy);
    buf_fini(&out);
}

static void a_missing_set_loses_every_octet(void **state)
{
    is_missing = true;
    assert_reads(CHARSET_EUC_KR, STR("\xC7\xD1"), "\uFFFD\uFFFD", true);
    is_missing = false;
}

static void a_set_is_loaded_once_and_stays(void **state)
{
    opened = 0;
    assert_reads(CHARSET_ISO_8859_5, STR("\xBF"), "П", false);
    assert_reads(CHARSET_ISO_8859_5, STR("\xE0"), "р", false);
    assert_int_equal(opened, 3); /* one that stays, one for each text */
}

static void what_is_no_character_is_lost_alone(void **state)
{
    assert_reads(CHARSET_SHIFT_JIS, STR("a\x82\xB1\xFF\x62"), "aこ\uFFFDb", true);
    assert_reads(CHARSET_EUC_JP, STR("\xC6\xFC\x41\xC6"), "日A\uFFFD", true);
    assert_reads(CHARSET_ISO_2022_JP, STR("\x1B$B\x46\x7C\x1B(B!"), "日!", false);
    assert_reads(CHARSET_ISO_8859_8, STR("\xE0\xFC"), "א\uFFFD", true);
}

static void long_ones_come_in_pieces(void **state)
{
    char bytes[2 * 2000], due[3 * 2000 + 1] = "";
    for (size_t i = 0; i < 2000; i++) {
        memcpy(bytes + 2 * i, "\xC6\xFC", 2);
        memcpy(due + 3 * i, "日", 4);
    }
    assert_reads(CHARSET_EUC_JP, str_of_bytes(bytes, sizeof bytes), due, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_set_loses_every_octet),
        cmocka_unit_test(a_set_is_loaded_once_and_stays),
        cmocka_unit_test(what_is_no_character_is_lost_alone),
        cmocka_unit_test(long_ones_come_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
