/* The use of a server between two moments: CPU by thread, and for our daemon the counts of its
 * /metrics. Any thread, one at a time. */
#pragma once
#include "base/buf.h"
#include "figures.h"

struct meter {
    int pid, http; /* http: the daemon's port; 0: it is none of ours */
    struct buf before, after;
    struct cpu cpu_before, cpu_after;
};

void meter_init(struct meter *m, int pid, int http);
void meter_fini(struct meter *m);
void meter_begin(struct meter *m);
void meter_end(struct meter *m);

double meter_cpu_us(const struct meter *m, const char *thread); /* names that begin so; "": all */
double meter_counted(const struct meter *m, const char *name);
void meter_histogram(const struct meter *m, const char *name, struct histogram *ret);

void meter_say_commits(const struct meter *m);
/* Prints how busy the machine was: with the server and `own_us` of the benchmark, and with others.
 */
void meter_say_cores(const struct meter *m, double own_us);
