/* meter: reads /proc and /metrics twice, and gives the difference. */
#include "meter.h"

#include "tenants.h"

enum { METRICS_MAX = 1 << 20 };

void meter_init(struct meter *m, int pid, int http)
{
    *m = (struct meter){.pid = pid, .http = http};
    buf_init(&m->before, METRICS_MAX);
    buf_init(&m->after, METRICS_MAX);
}

void meter_fini(struct meter *m)
{
    buf_fini(&m->before);
    buf_fini(&m->after);
}

void meter_begin(struct meter *m)
{
    if (m->http)
        metrics_take(m->http, &m->before);
    cpu_take(m->pid, &m->cpu_before);
}

void meter_end(struct meter *m)
{
    cpu_take(m->pid, &m->cpu_after);
    if (m->http)
        metrics_take(m->http, &m->after);
}

double meter_cpu_us(const struct meter *m, const char *thread)
{
    return cpu_between(&m->cpu_before, &m->cpu_after, thread);
}

double meter_counted(const struct meter *m, const char *name)
{
    return metric_value(buf_str(&m->after), name) - metric_value(buf_str(&m->before), name);
}

void meter_histogram(const struct meter *m, const char *name, struct histogram *ret)
{
    struct histogram before;
    histogram_read(buf_str(&m->before), name, &before);
    histogram_read(buf_str(&m->after), name, ret);
    histogram_minus(ret, &before);
}

void meter_say_commits(const struct meter *m)
{
    struct histogram jobs, time;
    meter_histogram(m, "hookswitch_store_batch_jobs", &jobs);
    meter_histogram(m, "hookswitch_store_commit_seconds", &time);
    say("commits", "%.0f; jobs in one: mean %.0f, p50 %.0f; ms: mean %.1f, p50 %.1f, p99 %.1f",
        jobs.all, histogram_mean(&jobs), histogram_quantile(&jobs, 0.5),
        histogram_mean(&time) * 1e3, histogram_quantile(&time, 0.5) * 1e3,
        histogram_quantile(&time, 0.99) * 1e3);
}

void meter_say_cores(const struct meter *m, double own_us)
{
    double all = meter_cpu_us(m, "") + own_us;
    double whole = m->cpu_after.whole_us - m->cpu_before.whole_us;
    double others = m->cpu_after.busy_us - m->cpu_before.busy_us - all;
    say("  the machine's cores meanwhile", "%.0f %% with all this, %.0f %% with others",
        100 * all / whole, others > 0 ? 100 * others / whole : 0);
}
