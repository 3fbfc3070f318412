/* The page that Prometheus reads: what promtool's rules ask of names, units and families. */
#include "check.h"
#include "base/map.h"
#include "base/metrics.h"

static bool ends(struct str s, const char *with)
{
    struct str w = str_of(with);
    return s.n >= w.n && str_eq(str_from(s, s.n - w.n), w);
}

/* Each family opens once, with help and a type; counters end in _total and nothing else does;
 * times are in seconds; no sample comes twice. */
static void the_page_is_well_formed(void **state)
{
    struct buf page;
    struct str rest, line, family = {0}, type = {0};
    struct map *families = map_new(), *samples = map_new();
    void *before;
    buf_init(&page, 1 << 20);
    metrics_print(&page);
    assert_ok(page.err);
    for (rest = buf_str(&page); rest.n;) {
        struct str name, value;
        str_cut(rest, '\n', &line, &rest);
        if (str_starts(line, STR("# HELP "))) {
            assert_true(str_cut(str_from(line, 7), ' ', &family, &value));
            assert_true(value.n > 0);
            assert_ok(map_put(families, family, &page, &before));
            assert_null(before);
        } else if (str_starts(line, STR("# TYPE "))) {
            assert_true(str_cut(str_from(line, 7), ' ', &name, &type));
            assert_true(str_eq(name, family));
            assert_int_equal(ends(name, "_total"), str_eq(type, STR("counter")));
            assert_false(ends(name, "_ms") || ends(name, "_us"));
        } else {
            assert_true(str_starts(line, family));
            size_t n = line.n;
            while (n && line.p[n - 1] != ' ')
                n--;
            assert_ok(map_put(samples, str_slice(line, 0, n), &page, &before));
            assert_null(before);
        }
    }
    assert_true(map_count(families) > 20);
    map_free(families);
    map_free(samples);
    buf_fini(&page);
}

static bool page_has(const char *line)
{
    struct buf page;
    buf_init(&page, 1 << 20);
    metrics_print(&page);
    buf_putc(&page, 0);
    bool has = strstr(page.p, line) != NULL;
    buf_fini(&page);
    return has;
}

static void units_and_buckets(void **state)
{
    metric_set(METRIC_OLDEST_PENDING_AGE, 1500);
    assert_true(page_has("\nhookswitch_deliveries_oldest_pending_seconds 1.500\n"));
    metric_observe_us(METRIC_ATTEMPT_TIME, 2000);
    assert_true(page_has("\nhookswitch_attempt_seconds_bucket{le=\"0.001\"} 0\n"));
    assert_true(page_has("\nhookswitch_attempt_seconds_bucket{le=\"0.0025\"} 1\n"));
    assert_true(page_has("\nhookswitch_attempt_seconds_sum 0.002000\n"));
    /* a histogram of counts has its bounds before the first is observed, too */
    assert_true(page_has("\nhookswitch_store_batch_jobs_bucket{le=\"64\"} 0\n"));
    metric_observe(METRIC_COMMIT_JOBS, 33);
    assert_true(page_has("\nhookswitch_store_batch_jobs_bucket{le=\"32\"} 0\n"));
    assert_true(page_has("\nhookswitch_store_batch_jobs_bucket{le=\"64\"} 1\n"));
    assert_true(page_has("\nhookswitch_store_batch_jobs_count 1\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_well_formed),
        cmocka_unit_test(units_and_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
