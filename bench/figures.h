/* Reads and prints the figures of the benchmarks: /proc, the daemon's /metrics, percentiles, and
 * the line that says whether a bar was met. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Finds "name=value" among the program's arguments. */
const char *arg_text(char **argv, const char *name, const char *fallback);
int64_t arg_int(char **argv, const char *name, int64_t fallback);

/* ---- CPU time of a process by thread name ---- */
enum { THREAD_NAMES_MAX = 32 };
struct cpu {
    size_t n;
    struct {
        char name[16];
        double us;
    } thread[THREAD_NAMES_MAX];
    double busy_us, whole_us; /* of all cores of the machine */
};
void cpu_take(int pid, struct cpu *ret);
/* Returns the CPU time that threads with names that begin so used between two samples; "" means
 * all. */
double cpu_between(const struct cpu *a, const struct cpu *b, const char *prefix);
double cpu_of_this_thread_us(void);
double cpu_of_process_us(int pid); /* all its threads, those that ended too; 0 when it is gone */
long resident_kb(int pid);         /* VmRSS; -1 when it is gone */

/* ---- /metrics ---- */
enum { BUCKETS_MAX = 32 };
struct histogram {
    size_t n;
    double bound[BUCKETS_MAX], count[BUCKETS_MAX]; /* cumulative, as Prometheus has them */
    double sum, all;
};
double metric_value(struct str metrics, const char *name_and_labels); /* 0 when absent */
void histogram_read(struct str metrics, const char *name, struct histogram *ret);
void histogram_minus(struct histogram *h, const struct histogram *before);
double histogram_quantile(const struct histogram *h, double q); /* within a bucket: a line */
double histogram_mean(const struct histogram *h);

/* ---- percentiles of what was measured one by one ---- */
double quantile(uint32_t *sorted, size_t n, double q);
void sort_u32(uint32_t *v, size_t n);

/* ---- lines ---- */
void say_title(const char *fmt, ...) PRINTF_LIKE(1, 2);
void say(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);
void say_at_least(const char *name, double value, double bar, const char *unit);
void say_at_most(const char *name, double value, double bar, const char *unit);
