/* pushes: measures the cost and the delay of 1,000 open streams of events, for `./dev bench api`.
 * The generator and the readers of the streams are two threads of this process.
 *
 *   bench_pushes ours    pid= http= from= accounts= streams= to=all|one rate= seconds= [out=FILE]
 *   bench_pushes foreign pid= http= accounts= streams= rate= seconds= [out=FILE]
 *
 * streams: of each account. to=all: each gets all events of its account; one: those of its number.
 * rate: pushes a second in the open loop.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "generator.h"
#include "meter.h"
#include "streams.h"

enum {
    CALLS_MAX = 100000,
    UNDELIVERED = 50000, /* pushes under way at most, in the closed loop */
    SETTLE_US = 20000000,
    SETTLED_MEMORY_US = 500000,
};

struct stage {
    struct ledger ledger;
    struct tenants tenants;
    struct streams *streams;
    struct meter meter;
    size_t n; /* streams */
};

static bool wait_arrived(const struct stage *s, size_t first)
{
    int64_t until = clock_mono_us() + SETTLE_US;
    while (ledger_missing(&s->ledger, first, NULL)) {
        if (clock_mono_us() > until)
            return false;
        usleep(1000);
    }
    return true;
}

static void streams_open_all(struct stage *s)
{
    int64_t start = clock_mono_us();
    usleep(SETTLED_MEMORY_US);
    long before = resident_kb(s->meter.pid);
    s->streams = streams_open(&s->tenants, &s->ledger);
    double took = (double)(clock_mono_us() - start - SETTLED_MEMORY_US) / 1e6;
    usleep(SETTLED_MEMORY_US);
    long after = resident_kb(s->meter.pid);
    say("streams open", "%zu in %.2f s; %.1f KiB resident each", s->n, took,
        (double)(after - before) / (double)s->n);
}

struct push_result {
    struct load_result load;
    size_t first, n; /* n: pushes */
    double took, reader_us;
};

static void events_push(struct stage *s, double events_per_sec, int64_t run_us,
                        struct push_result *ret)
{
    struct load load = {.tenants = &s->tenants,
                        .ledger = &s->ledger,
                        .connections = 4,
                        .group = 1,
                        .events_per_sec = events_per_sec,
                        .undelivered_max = UNDELIVERED,
                        .run_us = run_us};
    ret->first = s->ledger.calls;
    meter_begin(&s->meter);
    double reader = streams_cpu_us(s->streams);
    int64_t start = clock_mono_us();
    load_run(&load, &ret->load);
    bool all = wait_arrived(s, ret->first);
    ret->took = (double)(clock_mono_us() - start) / 1e6;
    meter_end(&s->meter);
    ret->reader_us = streams_cpu_us(s->streams) - reader;
    ret->n = (s->ledger.calls - ret->first) * CALL_EVENTS * s->ledger.width;
    if (!all)
        say("NOT ALL CAME", "within %d s", SETTLE_US / 1000000);
}

static bool print_pushed(const struct stage *s, const struct push_result *p)
{
    const struct meter *m = &s->meter;
    double n = (double)p->n, all = meter_cpu_us(m, ""), web = meter_cpu_us(m, "web");
    double store = meter_cpu_us(m, "writer"), feed = meter_cpu_us(m, "feed");
    uint32_t *late;
    size_t k = ledger_latencies(&s->ledger, p->first, NULL, &late);
    say("due to read at the stream", "p50 %.2f ms, p99 %.2f ms, the last %.2f ms",
        quantile(late, k, 0.5) / 1e3, quantile(late, k, 0.99) / 1e3, quantile(late, k, 1) / 1e3);
    free(late);
    say("ingest: 202 after", "p50 %.2f ms, p99 %.2f ms",
        quantile(p->load.answer_us, p->load.n_answers, 0.5) / 1e3,
        quantile(p->load.answer_us, p->load.n_answers, 0.99) / 1e3);
    bool good = ledger_say(&s->ledger, p->first) && !s->ledger.repeated;
    if (m->http)
        say("CPU us per push", "%.1f: web %.1f, feed %.1f, store %.1f, others %.1f", all / n,
            web / n, feed / n, store / n, (all - web - feed - store) / n);
    else
        say("CPU us per push", "%.1f", all / n);
    double generator = p->load.cpu_us;
    say("  beside it, of this benchmark", "readers %.1f, generator %.1f", p->reader_us / n,
        generator / n);
    meter_say_cores(m, generator + p->reader_us);
    return good;
}

static int load_run_once(struct stage *s, char **argv)
{
    struct push_result p;
    double rate = (double)arg_int(argv, "rate", 20000);
    int64_t run_us = arg_int(argv, "seconds", 4) * 1000000;
    streams_open_all(s);
    events_push(s, 0, run_us, &p);
    double most = (double)p.n / p.took;
    say("as fast as they are read", "%.0f pushes/s, %.0f events/s", most, most / s->ledger.width);
    double cpu_us = meter_cpu_us(&s->meter, "") / (double)p.n;
    bool good = print_pushed(s, &p);
    free(p.load.answer_us);
    if (rate > 0) {
        events_push(s, rate / s->ledger.width, run_us, &p);
        say("at a fixed rate, open loop", "%.0f pushes/s, %.0f events/s", rate,
            rate / s->ledger.width);
        good &= print_pushed(s, &p);
        free(p.load.answer_us);
    }
    if (streams_out_of_order(s->streams))
        say("ROWS OUT OF ORDER", "%zu", streams_out_of_order(s->streams));
    good &= !streams_out_of_order(s->streams);
    FILE *f = fopen(arg_text(argv, "out", "/dev/null"), "w"); /* for a ratio later */
    if (f && fprintf(f, "%.0f %.1f\n", most, cpu_us) > 0)
        fclose(f);
    streams_close(s->streams);
    meter_fini(&s->meter);
    ledger_fini(&s->ledger);
    return good ? 0 : 1;
}

static void stage_open(struct stage *s, char **argv)
{
    struct rlimit files;
    unsigned accounts = (unsigned)arg_int(argv, "accounts", 4);
    unsigned streams = (unsigned)arg_int(argv, "streams", 250);
    *s = (struct stage){.n = (size_t)accounts * streams};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        /* where that is refused, a connection fails with a message */
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    ledger_init(&s->ledger, accounts, streams, !strcmp(arg_text(argv, "to", "all"), "all"),
                CALLS_MAX);
}

static int run_ours(char **argv)
{
    struct stage s;
    int http = (int)arg_int(argv, "http", 7180);
    stage_open(&s, argv);
    meter_init(&s.meter, (int)arg_int(argv, "pid", 0), http);
    tenants_make(&s.tenants, &s.ledger, http, (unsigned)arg_int(argv, "from", 0), "hsk_bench");
    return load_run_once(&s, argv);
}

/* Measures a server that knows no accounts: a key is only a name there. */
static int run_foreign(char **argv)
{
    struct stage s;
    stage_open(&s, argv);
    meter_init(&s.meter, (int)arg_int(argv, "pid", 0), 0);
    server_wait((int)arg_int(argv, "http", 7181), s.meter.pid);
    s.tenants = (struct tenants){.port = (int)arg_int(argv, "http", 7181), .n = s.ledger.accounts};
    for (unsigned i = 0; i < s.tenants.n; i++)
        snprintf(s.tenants.key[i], KEY_SIZE, "%u", i);
    return load_run_once(&s, argv);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(what, "ours"))
        return run_ours(argv);
    if (!strcmp(what, "foreign"))
        return run_foreign(argv);
    fprintf(stderr, "see bench/api.sh\n");
    return 2;
}
