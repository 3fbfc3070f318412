/* watch: samples one process and compares the means of the thirds of the run. The first third
 * warms caches up; a leak shows between the other two. */
#include "watch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "tenants.h"

enum { METRICS_MAX = 1 << 20, KIB = 1024 };
/* How far memory may be above the middle third: by share, or by so many KiB where that is more. */
static const double memory_share = 0.02, memory_slack_kb = 1024, wal_share = 0.25,
                    wal_slack_kb = 4096;

static const struct {
    const char *title, *metric;
    int width, digits;
    double unit;
} column[WATCH_GAUGES] = {
    [WATCH_RESIDENT] = {"resident", NULL, 8, 1, KIB},
    [WATCH_FILES] = {"files", NULL, 6, 0, 1},
    [WATCH_WAL] = {"WAL", NULL, 6, 1, KIB},
    [WATCH_STORE] = {"store", NULL, 8, 1, KIB},
    [WATCH_TRANSACTIONS] = {"trans.", "hookswitch_sip_transactions", 7, 0, 1},
    [WATCH_LOOKUPS] = {"look-ups", "hookswitch_lookups", 9, 0, 1},
    [WATCH_CALLS] = {"calls", "hookswitch_calls_active", 6, 0, 1},
    [WATCH_PENDING] = {"pending", "hookswitch_deliveries_pending", 8, 0, 1},
};

void watch_init(struct watch *w, int pid, int http, const char *dir)
{
    *w = (struct watch){.pid = pid, .http = http, .dir = dir};
    buf_init(&w->metrics, METRICS_MAX);
}

void watch_fini(struct watch *w)
{
    free(w->sample);
    buf_fini(&w->metrics);
}

/* Counts descriptors without those of the trace's files, which the daemon opens one by one as its
 * ring fills. */
static double descriptors(const struct watch *w)
{
    char path[320], trace[512], target[512];
    double n = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", w->pid);
    int trace_n = snprintf(trace, sizeof trace, "%.400s/trace/", w->dir);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%.20s", w->pid, e->d_name);
        ssize_t k = readlink(path, target, sizeof target);
        n += k > 0 && (k < trace_n || memcmp(target, trace, (size_t)trace_n) != 0);
    }
    if (d)
        closedir(d);
    return n;
}

static double file_kb(const char *dir, const char *name)
{
    char path[512];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &st) == 0 ? (double)st.st_size / KIB : 0;
}

void watch_look(struct watch *w, struct watch_sample *ret)
{
    metrics_take(w->http, &w->metrics);
    ret->v[WATCH_RESIDENT] = (double)resident_kb(w->pid);
    ret->v[WATCH_FILES] = descriptors(w);
    ret->v[WATCH_WAL] = file_kb(w->dir, "hookswitch.db-wal");
    ret->v[WATCH_STORE] = file_kb(w->dir, "hookswitch.db");
    for (size_t g = 0; g < WATCH_GAUGES; g++)
        if (column[g].metric)
            ret->v[g] = metric_value(buf_str(&w->metrics), column[g].metric);
}

void watch_take(struct watch *w)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 256;
        w->sample = realloc(w->sample, w->cap * sizeof *w->sample);
        if (!w->sample) {
            fprintf(stderr, "no memory for samples\n");
            exit(1);
        }
    }
    watch_look(w, &w->sample[w->n++]);
}

/* ---- lines ---- */

static void say_head(const struct watch_tally *tally, size_t n)
{
    fputs("  min", stdout);
    for (size_t g = 0; g < WATCH_GAUGES; g++)
        printf(" %*s", column[g].width, column[g].title);
    for (size_t i = 0; i < n; i++)
        printf(" | %20s", tally[i].name);
    putchar('\n');
}

void watch_say_minute(struct watch *w, unsigned minute, const struct watch_tally *tally, size_t n)
{
    const struct watch_sample *s = &w->sample[w->n - 1];
    if (!w->before[0].name)
        say_head(tally, n);
    printf("  %3u", minute);
    for (size_t g = 0; g < WATCH_GAUGES; g++)
        printf(" %*.*f", column[g].width, column[g].digits, s->v[g] / column[g].unit);
    for (size_t i = 0; i < n; i++) {
        struct watch_tally *b = &w->before[i];
        char text[64];
        snprintf(text, sizeof text, "%zu %zu %zu", tally[i].sent - b->sent,
                 tally[i].accepted - b->accepted, tally[i].delivered - b->delivered);
        printf(" | %20s", text);
        *b = tally[i];
    }
    putchar('\n');
    fflush(stdout);
}

static double mean(const struct watch *w, enum watch_gauge g, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += w->sample[i].v[g];
    return to > from ? sum / (double)(to - from) : 0;
}

static bool say_third(const struct watch *w, const char *name, enum watch_gauge g, double share,
                      double slack_kb)
{
    double middle = mean(w, g, w->n / 3, w->n * 2 / 3), last = mean(w, g, w->n * 2 / 3, w->n);
    double more = middle * share > slack_kb ? middle * share : slack_kb;
    bool flat = last <= middle + more;
    say(name, "%s (MiB, mean of the middle third %.1f, of the last %.1f; bar: at most %.1f more)",
        flat ? "yes" : "NO", middle / KIB, last / KIB, more / KIB);
    return flat;
}

bool watch_say_flat(const struct watch *w)
{
    bool memory =
        say_third(w, "resident memory is flat", WATCH_RESIDENT, memory_share, memory_slack_kb);
    bool wal = say_third(w, "the write-ahead log is flat", WATCH_WAL, wal_share, wal_slack_kb);
    return memory && wal;
}

static const enum watch_gauge goes_back[] = {WATCH_FILES, WATCH_TRANSACTIONS, WATCH_LOOKUPS,
                                             WATCH_CALLS, WATCH_PENDING};

bool watch_is_idle(const struct watch_sample *before, const struct watch_sample *now)
{
    for (size_t i = 0; i < sizeof goes_back / sizeof *goes_back; i++)
        if (now->v[goes_back[i]] > before->v[goes_back[i]])
            return false;
    return true;
}

bool watch_say_idle(const struct watch_sample *before, const struct watch_sample *after)
{
    char mem[256];
    struct buf text;
    bool good = watch_is_idle(before, after);
    buf_wrap(&text, mem, sizeof mem);
    for (size_t i = 0; i < sizeof goes_back / sizeof *goes_back; i++) {
        enum watch_gauge g = goes_back[i];
        buf_printf(&text, "%s%s %.0f of %.0f", i ? ", " : "", column[g].title, after->v[g],
                   before->v[g]);
    }
    say("idle as it was before", "%s (now and then: %.*s)", good ? "yes" : "NO",
        STR_FMT(buf_str(&text)));
    say("  resident then", "%.1f MiB; before the load %.1f MiB", after->v[WATCH_RESIDENT] / KIB,
        before->v[WATCH_RESIDENT] / KIB);
    return good;
}
