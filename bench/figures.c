/* figures: reads /proc and /metrics, and prints one figure a line, beside its bar. A line that
 * misses its bar says so; no figure is rounded in its favour. */
#include "figures.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *arg_text(char **argv, const char *name, const char *fallback)
{
    size_t n = strlen(name);
    for (; *argv; argv++)
        if (!strncmp(*argv, name, n) && (*argv)[n] == '=')
            return *argv + n + 1;
    return fallback;
}

int64_t arg_int(char **argv, const char *name, int64_t fallback)
{
    const char *text = arg_text(argv, name, NULL);
    return text ? atoll(text) : fallback;
}

/* ---- CPU ---- */

static bool read_line(const char *path, char *out, int cap)
{
    FILE *f = fopen(path, "r");
    bool got = f && fgets(out, cap, f);
    if (f)
        fclose(f);
    return got;
}

/* Reads the time of all cores since the start, in ticks: user nice system idle iowait irq softirq
 * steal. */
static void machine_take(struct cpu *ret)
{
    char line[256];
    double tick_us = 1e6 / (double)sysconf(_SC_CLK_TCK);
    char *at = line + 4;
    if (!read_line("/proc/stat", line, sizeof line))
        return;
    for (int i = 0; i < 8; i++) {
        double us = strtod(at, &at) * tick_us;
        ret->whole_us += us;
        ret->busy_us += i == 3 || i == 4 ? 0 : us;
    }
}

void cpu_take(int pid, struct cpu *ret)
{
    char path[320], name[64], line[128];
    struct dirent *e;
    *ret = (struct cpu){0};
    machine_take(ret);
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    while (d && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", pid, e->d_name);
        if (!read_line(path, name, sizeof name))
            continue;
        name[strcspn(name, "\n")] = '\0';
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", pid, e->d_name);
        if (!read_line(path, line, sizeof line))
            continue;
        size_t i = 0;
        while (i < ret->n && strcmp(ret->thread[i].name, name) != 0)
            i++;
        if (i == THREAD_NAMES_MAX)
            continue;
        if (i == ret->n)
            snprintf(ret->thread[ret->n++].name, sizeof ret->thread[i].name, "%.15s", name);
        ret->thread[i].us += strtod(line, NULL) / 1000; /* nanoseconds on a core */
    }
    if (d)
        closedir(d);
}

static double cpu_sum(const struct cpu *c, const char *prefix)
{
    double us = 0;
    for (size_t i = 0; i < c->n; i++)
        if (!strncmp(c->thread[i].name, prefix, strlen(prefix)))
            us += c->thread[i].us;
    return us;
}

double cpu_between(const struct cpu *a, const struct cpu *b, const char *prefix)
{
    return cpu_sum(b, prefix) - cpu_sum(a, prefix);
}

double cpu_of_this_thread_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double cpu_of_process_us(int pid)
{
    char path[64], line[512];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const char *after = read_line(path, line, sizeof line) ? strrchr(line, ')') : NULL;
    if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) != 2)
        return 0;
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

long resident_kb(int pid)
{
    char path[64], line[256];
    long kb = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

/* ---- /metrics ---- */

/* Finds the next line that begins with `start`, after *at; returns the rest of it. */
static bool metrics_line(struct str text, const char *start, size_t *at, const char **ret_rest)
{
    size_t n = strlen(start);
    while (*at < text.n) {
        struct str line = str_from(text, *at);
        *at += str_find(line, '\n') + 1;
        if (line.n > n && !memcmp(line.p, start, n)) {
            *ret_rest = line.p + n;
            return true;
        }
    }
    return false;
}

double metric_value(struct str metrics, const char *name)
{
    char start[160];
    size_t at = 0;
    const char *rest;
    snprintf(start, sizeof start, "%s ", name);
    return metrics_line(metrics, start, &at, &rest) ? strtod(rest, NULL) : 0;
}

void histogram_read(struct str metrics, const char *name, struct histogram *ret)
{
    char start[160];
    size_t at = 0;
    const char *rest;
    *ret = (struct histogram){0};
    snprintf(start, sizeof start, "%s_bucket{le=\"", name);
    while (ret->n < BUCKETS_MAX && metrics_line(metrics, start, &at, &rest)) {
        char *end;
        ret->bound[ret->n] = strtod(rest, &end); /* "+Inf" is a number to it */
        ret->count[ret->n++] = strtod(end + 2, NULL);
    }
    snprintf(start, sizeof start, "%s_sum", name);
    ret->sum = metric_value(metrics, start);
    snprintf(start, sizeof start, "%s_count", name);
    ret->all = metric_value(metrics, start);
}

void histogram_minus(struct histogram *h, const struct histogram *before)
{
    for (size_t i = 0; i < h->n && i < before->n; i++)
        h->count[i] -= before->count[i];
    h->sum -= before->sum;
    h->all -= before->all;
}

double histogram_quantile(const struct histogram *h, double q)
{
    double want = h->all * q;
    for (size_t i = 0; i < h->n; i++) {
        double low = i ? h->bound[i - 1] : 0, below = i ? h->count[i - 1] : 0;
        if (h->count[i] < want)
            continue;
        if (i + 1 == h->n)
            return low; /* beyond the last bound */
        double in = h->count[i] - below;
        return in > 0 ? low + (h->bound[i] - low) * (want - below) / in : h->bound[i];
    }
    return 0;
}

double histogram_mean(const struct histogram *h)
{
    return h->all > 0 ? h->sum / h->all : 0;
}

/* ---- percentiles ---- */

static int compare_us(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void sort_u32(uint32_t *v, size_t n)
{
    qsort(v, n, sizeof *v, compare_us);
}

double quantile(uint32_t *sorted, size_t n, double q)
{
    size_t i = (size_t)((double)n * q);
    return n ? sorted[i < n ? i : n - 1] : 0;
}

/* ---- lines ---- */

void say_title(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fputs("-- ", stdout);
    vprintf(fmt, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
}

void say(const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("  %-44s ", name);
    vprintf(fmt, args);
    putchar('\n');
    fflush(stdout);
    va_end(args);
}

static const char *verdict_word(bool met)
{
    return met ? "met" : "NOT met";
}

void say_at_least(const char *name, double value, double bar, const char *unit)
{
    int digits = bar >= 100 ? 0 : 2;
    say(name, "%.*f %s (bar: at least %g): %s", digits, value, unit, bar,
        verdict_word(value >= bar));
}

void say_at_most(const char *name, double value, double bar, const char *unit)
{
    int digits = bar >= 100 ? 0 : 2;
    say(name, "%.*f %s (bar: at most %g): %s", digits, value, unit, bar,
        verdict_word(value <= bar));
}
