/* metrics: holds an atomic for each row of the table, and prints them in Prometheus' text format
 * (0.0.4).
 *
 * Times are observed in microseconds and printed in seconds; buckets are fixed: 100 µs … 100 s in
 * steps of 1, 2.5, 5, and 1 … 1024 for counts. Any thread; relaxed, since no other memory access
 * depends on their order. */
#include "base/metrics.h"

#include <stdatomic.h>
#include <string.h>

enum kind { COUNTER, GAUGE, GAUGE_MS, TIMES, COUNTS };
enum { BUCKETS = 20 };

static const struct {
    enum kind kind;
    const char *name, *labels, *help;
} table[] = {
#define X(id, kind, name, labels, help) {kind, name, labels, help},
    METRIC_LIST(X)
#undef X
};

static const int64_t bound_us[BUCKETS] = {
    100,    250,    500,     1000,    2500,    5000,     10000,    25000,    50000,    100000,
    250000, 500000, 1000000, 2500000, 5000000, 10000000, 15000000, 30000000, 60000000, 100000000};
static const int64_t bound_count[BUCKETS] = {1,     2,     4,     8,       16,      32,     64,
                                             128,   256,   512,   1024,    2048,    4096,   8192,
                                             16384, 32768, 65536, 1 << 17, 1 << 18, 1 << 19};

static struct {
    _Atomic int64_t value, sum; /* value: also a histogram's count */
    _Atomic int64_t bucket[BUCKETS];
} state[METRIC_COUNT_];

void metric_add(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&state[m].value, n, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t v)
{
    atomic_store_explicit(&state[m].value, v, memory_order_relaxed);
}

int64_t metric_get(enum metric m)
{
    return atomic_load_explicit(&state[m].value, memory_order_relaxed);
}

static void histogram_observe(enum metric m, int64_t v, const int64_t *bound)
{
    int i = 0;
    while (i < BUCKETS && v > bound[i])
        i++;
    if (i < BUCKETS)
        atomic_fetch_add_explicit(&state[m].bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&state[m].sum, v, memory_order_relaxed);
    metric_add(m, 1);
}

void metric_observe_us(enum metric m, int64_t us)
{
    ASSERT(table[m].kind == TIMES);
    histogram_observe(m, us < 0 ? 0 : us, bound_us);
}

void metric_observe(enum metric m, int64_t v)
{
    ASSERT(table[m].kind == COUNTS);
    histogram_observe(m, v, bound_count);
}

static void print_histogram(struct buf *out, size_t m)
{
    bool counts = table[m].kind == COUNTS;
    const int64_t *bound = counts ? bound_count : bound_us;
    double unit = counts ? 1 : 1e6;
    int64_t sum = 0, all = metric_get((enum metric)m);
    for (int i = 0; i < BUCKETS; i++) {
        sum += atomic_load_explicit(&state[m].bucket[i], memory_order_relaxed);
        buf_printf(out, "%s_bucket{le=\"%g\"} %lld\n", table[m].name, (double)bound[i] / unit,
                   (long long)sum);
    }
    if (all < sum) /* read while another thread was between its two additions */
        all = sum;
    buf_printf(out, "%s_bucket{le=\"+Inf\"} %lld\n", table[m].name, (long long)all);
    buf_printf(out, "%s_sum %.6f\n%s_count %lld\n", table[m].name,
               (double)atomic_load_explicit(&state[m].sum, memory_order_relaxed) / unit,
               table[m].name, (long long)all);
}

static void print_value(struct buf *out, size_t m)
{
    int64_t v = metric_get((enum metric)m);
    if (table[m].kind == GAUGE_MS)
        buf_printf(out, " %.3f\n", (double)v / 1000);
    else
        buf_printf(out, " %lld\n", (long long)v);
}

void metrics_print(struct buf *out)
{
    static const char *const type[] = {[COUNTER] = "counter",
                                       [GAUGE] = "gauge",
                                       [GAUGE_MS] = "gauge",
                                       [TIMES] = "histogram",
                                       [COUNTS] = "histogram"};
    for (size_t m = 0; m < METRIC_COUNT_; m++) {
        if (m == 0 || strcmp(table[m].name, table[m - 1].name))
            buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", table[m].name, table[m].help,
                       table[m].name, type[table[m].kind]);
        if (table[m].kind == TIMES || table[m].kind == COUNTS) {
            print_histogram(out, m);
            continue;
        }
        buf_puts(out, table[m].name);
        if (*table[m].labels)
            buf_printf(out, "{%s}", table[m].labels);
        print_value(out, m);
    }
}
