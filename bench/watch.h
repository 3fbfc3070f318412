/* Watches the daemon from outside during a long run: its resources (/proc, /metrics, its files) at
 * each sample, one line each minute, and whether any of them grew. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum watch_gauge {                 /* in the order in which they are printed */
                   WATCH_RESIDENT, /* KiB */
                   WATCH_FILES,    /* descriptors, those of the trace apart */
                   WATCH_WAL,      /* KiB */
                   WATCH_STORE,    /* KiB */
                   WATCH_TRANSACTIONS,
                   WATCH_LOOKUPS,
                   WATCH_CALLS,
                   WATCH_PENDING, /* deliveries */
                   WATCH_GAUGES
};
struct watch_sample {
    double v[WATCH_GAUGES];
};

enum { WATCH_TALLIES = 6 };
struct watch_tally { /* since the start */
    const char *name;
    size_t sent, accepted, delivered;
};

struct watch {
    int pid, http;
    const char *dir; /* the daemon's data_dir */
    struct watch_sample *sample;
    size_t n, cap;
    struct watch_tally before[WATCH_TALLIES];
    struct buf metrics;
};

void watch_init(struct watch *w, int pid, int http, const char *dir);
void watch_fini(struct watch *w);
void watch_look(struct watch *w, struct watch_sample *ret); /* now; kept nowhere */
void watch_take(struct watch *w);                           /* now; kept */
/* Prints the last sample, and the tallies since the line before. */
void watch_say_minute(struct watch *w, unsigned minute, const struct watch_tally *tally, size_t n);
/* Prints lines for memory and the write-ahead log: the last third of the samples against the
 * middle one. True when neither grew. */
bool watch_say_flat(const struct watch *w);
/* Compares descriptors, transactions and the rest with those of the idle daemon before the load;
 * none may be above. */
bool watch_is_idle(const struct watch_sample *before, const struct watch_sample *now);
bool watch_say_idle(const struct watch_sample *before, const struct watch_sample *after);
