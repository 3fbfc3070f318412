/* What clients hold of a place: it comes back whole, opens for nobody else, and says nothing. */
#include "check.h"
#include "api/core/cursor.h"

static const uint8_t key[CURSOR_KEY_SIZE] = {1, 2, 3}, other_key[CURSOR_KEY_SIZE] = {1, 2, 4};

static char *text_of(enum cursor_of of, uint64_t owner, int64_t n, uint32_t salt,
                     char out[CURSOR_SIZE])
{
    struct cursor c = {.of = of, .owner = owner, .n = n, .salt = salt};
    cursor_print(key, &c, out);
    assert_int_equal(strlen(out), CURSOR_SIZE - 1);
    return out;
}

static void a_place_comes_back(void **state)
{
    static const int64_t places[] = {0, 1, 1024, 1000000, INT64_C(1) << 40, INT64_MAX};
    char text[CURSOR_SIZE];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct cursor c = {.of = CURSOR_CALLS, .owner = 7};
        text_of(CURSOR_CALLS, 7, places[i], (uint32_t)i, text);
        assert_ok(cursor_parse(key, str_of(text), &c));
        assert_int_equal(c.n, places[i]);
        assert_int_equal(c.salt, i);
    }
}

/* What clients hold outlives the daemon, so the text is the same in every version. */
static void the_text_stays_the_same(void **state)
{
    char text[CURSOR_SIZE];
    assert_string_equal(text_of(CURSOR_EVENTS, 4, 1000000, 0, text), "6dqj3bgr7vr4h2tvtmm714h42d");
}

static void it_opens_for_its_owner_in_its_list_alone(void **state)
{
    char text[CURSOR_SIZE];
    struct cursor c = {.of = CURSOR_EVENTS, .owner = 7};
    text_of(CURSOR_EVENTS, 7, 4711, 0, text);
    assert_err(cursor_parse(other_key, str_of(text), &c), ERR_INVALID);
    c.owner = 8;
    assert_err(cursor_parse(key, str_of(text), &c), ERR_INVALID);
    c = (struct cursor){.of = CURSOR_EVENTS};
    assert_err(cursor_parse(key, str_of(text), &c), ERR_INVALID);
    c = (struct cursor){.of = CURSOR_STREAM, .owner = 7};
    assert_err(cursor_parse(key, str_of(text), &c), ERR_INVALID);
}

static void what_is_broken_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "n123",
                                      "t5.3",
                                      "0000000000000000000000000",
                                      "000000000000000000000000000",
                                      "00000000000000000000000000",
                                      "zzzzzzzzzzzzzzzzzzzzzzzzzz",
                                      "0000000000000000000000000U",
                                      "0000000000000000000000000\xff"};
    char text[CURSOR_SIZE], changed[CURSOR_SIZE];
    struct cursor c = {.of = CURSOR_EVENTS, .owner = 7};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(cursor_parse(key, str_of(bad[i]), &c), ERR_INVALID);
    text_of(CURSOR_EVENTS, 7, 4711, 0, text);
    for (size_t i = 0; i < CURSOR_SIZE - 1; i++)
        for (int v = 0; v < 256; v++) {
            memcpy(changed, text, sizeof text);
            changed[i] = (char)v;
            if (changed[i] != text[i])
                assert_err(cursor_parse(key, (struct str){changed, CURSOR_SIZE - 1}, &c),
                           ERR_INVALID);
        }
}

/* Neighbours differ as strangers do: of 130 bits about half, wherever they are, and no character
 * stays where it was more often than chance has it. */
static void places_have_nothing_to_do_with_each_other(void **state)
{
    enum { N = 4000 };
    unsigned same = 0;
    char a[CURSOR_SIZE], b[CURSOR_SIZE];
    for (int64_t n = 0; n < N; n++) {
        text_of(CURSOR_EVENTS, 7, n, 0, a);
        text_of(CURSOR_EVENTS, 7, n + 1 + n % 3, 0, b);
        for (size_t i = 1; i < CURSOR_SIZE - 1; i++)
            same += a[i] == b[i];
    }
    assert_in_range(same, N * 25 / 32 * 8 / 10, N * 25 / 32 * 12 / 10);
    for (uint32_t salt = 0; salt < N; salt++) { /* the same place, another text */
        text_of(CURSOR_STREAM, 7, 5, salt, a);
        text_of(CURSOR_STREAM, 7, 5, salt + 1, b);
        assert_string_not_equal(a, b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_comes_back),
        cmocka_unit_test(the_text_stays_the_same),
        cmocka_unit_test(it_opens_for_its_owner_in_its_list_alone),
        cmocka_unit_test(what_is_broken_is_refused),
        cmocka_unit_test(places_have_nothing_to_do_with_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
