#include "check.h"
#include "model/delivery.h"
#include "model/retry.h"

enum { HOUR_MS = 3600000 };
#define MIDDLE (1ull << 63)

static void the_default_schedule(void **state)
{
    static const int64_t due_sec[] = {1,    5,    30,    120,   600,   1800,
                                      3600, 7200, 14400, 28800, 43200, 43200};
    for (unsigned i = 0; i < 12; i++)
        for (uint64_t r = 0; r < 50; r++) {
            int64_t w = retry_wait_ms(&retry_default, i + 1, 0, -1, r * 0x123456789abcdefull);
            assert_in_range(w, due_sec[i] * 800, due_sec[i] * 1200);
        }
}

static void jitter_reaches_both_sides(void **state)
{
    int64_t least = INT64_MAX, most = 0;
    for (uint64_t r = 0; r < 1000; r++) {
        int64_t w = retry_wait_ms(&retry_default, 5, 0, -1, r * 0x9e3779b97f4a7c15ull);
        least = w < least ? w : least;
        most = w > most ? w : most;
    }
    assert_true(least < 600 * 850 && most > 600 * 1150);
}

static void gives_up_after_72_hours(void **state)
{
    assert_true(retry_wait_ms(&retry_default, 14, 71ll * HOUR_MS, -1, MIDDLE) != -1 ||
                retry_wait_ms(&retry_default, 14, 59ll * HOUR_MS, -1, MIDDLE) != -1);
    assert_int_equal(retry_wait_ms(&retry_default, 14, 72ll * HOUR_MS, -1, MIDDLE), -1);
}

static void retry_after_is_honoured_up_to_a_day(void **state)
{
    assert_true(retry_wait_ms(&retry_default, 1, 0, 60, MIDDLE) >= 60000);
    assert_true(retry_wait_ms(&retry_default, 1, 0, 1000000, MIDDLE) <= 24ll * HOUR_MS * 12 / 10);
}

static void verdicts(void **state)
{
    const struct {
        int status;
        enum err err;
        enum verdict_kind kind;
        bool disable;
    } table[] = {{200, OK, VERDICT_DELIVERED, 0},   {204, OK, VERDICT_DELIVERED, 0},
                 {299, OK, VERDICT_DELIVERED, 0},   {301, OK, VERDICT_RETRY, 0},
                 {400, OK, VERDICT_RETRY, 0},       {410, OK, VERDICT_GIVE_UP, 1},
                 {500, OK, VERDICT_RETRY, 0},       {0, ERR_TIMEOUT, VERDICT_RETRY, 0},
                 {200, ERR_RESET, VERDICT_RETRY, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct outcome o = {.status = table[i].status, .err = table[i].err, .retry_after_sec = -1};
        struct verdict v = verdict_of(&o, &retry_default, 1, 0, MIDDLE);
        assert_int_equal(v.kind, table[i].kind);
        assert_int_equal(v.disable_endpoint, table[i].disable);
    }
    struct outcome asked = {.status = 503, .retry_after_sec = 120};
    assert_true(verdict_of(&asked, &retry_default, 1, 0, MIDDLE).wait_ms >= 120000);
    asked.status = 500; /* only 429 and 503 may ask (CONTRACT §3) */
    assert_true(verdict_of(&asked, &retry_default, 1, 0, MIDDLE).wait_ms < 2000);
}

static void a_schedule_of_ones_own(void **state)
{
    struct json *doc;
    struct retry r;
    const char *field, *why = NULL;
    assert_ok(json_parse(STR("{\"schedule_s\":[2,3],\"give_up_after_s\":60}"), &doc, NULL, 0));
    assert_ok(retry_of_json(doc, &r, &field, &why));
    json_free(doc);
    assert_in_range(retry_wait_ms(&r, 9, 0, -1, MIDDLE), 2400, 3600); /* the last one repeats */
    assert_int_equal(retry_wait_ms(&r, 9, 60000, -1, MIDDLE), -1);
    assert_ok(json_parse(STR("{\"schedule_s\":[]}"), &doc, NULL, 0));
    assert_err(retry_of_json(doc, &r, &field, &why), ERR_INVALID);
    assert_non_null(why);
    json_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_schedule),
        cmocka_unit_test(jitter_reaches_both_sides),
        cmocka_unit_test(gives_up_after_72_hours),
        cmocka_unit_test(retry_after_is_honoured_up_to_a_day),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(a_schedule_of_ones_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
