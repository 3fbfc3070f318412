/* delivery: measures the cost and the speed of durable deliveries, for `./dev bench delivery`.
 * Generator and receiver are two threads of this process; the daemon is another process, on the
 * same cores.
 *
 *   bench_delivery load    pid= http= hook= accounts= endpoints= seconds= to=all|one [cert=PEM]
 *   bench_delivery memory  pid= http= n=
 *   bench_delivery ceiling hook= seconds= [cert=PEM]
 *   bench_delivery disk    dir=
 *   bench_delivery foreign http= hook= accounts= endpoints= seconds=     for bench/peers
 *   bench_delivery receive hook=              for bench/peers: until SIGTERM
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "ceiling.h"
#include "figures.h"
#include "generator.h"
#include "meter.h"
#include "receiver.h"

enum {
    CALLS_MAX = 2000000, /* of one run */
    GROUP = 33,          /* 99 events a request */
    SETTLE_US = 30000000,
    UNDELIVERED = 10000, /* deliveries under way at most, in the closed loop */
};

struct stage { /* a daemon with its tenants, and a receiver */
    int http;
    struct ledger ledger;
    struct tenants tenants;
    struct receiver *receiver;
    struct meter meter;
    double cpu_us_each; /* of the daemon, for a delivery of the last closed loop */
};

static int on_post_received(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    (void)ledger_arrived(arg, endpoint, id, now_us);
    return 200;
}

static void stage_open(struct stage *s, char **argv)
{
    const char *cert = arg_text(argv, "cert", NULL);
    unsigned accounts = (unsigned)arg_int(argv, "accounts", 4);
    unsigned endpoints = (unsigned)arg_int(argv, "endpoints", 4);
    unsigned concurrency = (unsigned)arg_int(argv, "concurrency", 0);
    int hook = (int)arg_int(argv, "hook", 7190);
    bool to_all = !strcmp(arg_text(argv, "to", "all"), "all");
    *s = (struct stage){.http = (int)arg_int(argv, "http", 7180)};
    meter_init(&s->meter, (int)arg_int(argv, "pid", 0), s->http);
    ledger_init(&s->ledger, accounts, endpoints, to_all, CALLS_MAX);
    tenants_make(&s->tenants, &s->ledger, s->http, 0, arg_text(argv, "key", "hsk_bench"));
    for (unsigned a = 0; a < accounts; a++)
        for (unsigned e = 0; e < endpoints; e++) {
            char url[96];
            unsigned i = a * endpoints + e; /* each endpoint on a machine of its own */
            snprintf(url, sizeof url, "http%s://127.0.1.%u:%d/h/%u", cert ? "s" : "", i + 1, hook,
                     i);
            struct endpoint_make m = {a, e, url, concurrency, NULL};
            tenants_endpoint(&s->tenants, &s->ledger, &m, NULL);
        }
    struct receiver_config rc = {hook, accounts * endpoints, cert, on_post_received, &s->ledger};
    s->receiver = receiver_start(&rc);
}

static void stage_close(struct stage *s)
{
    receiver_stop(s->receiver);
    ledger_fini(&s->ledger);
    meter_fini(&s->meter);
}

/* Waits until the daemon says that nothing is pending: then each attempt is on disk. */
static bool wait_settled(struct stage *s)
{
    int64_t until = clock_mono_us() + SETTLE_US;
    while (metrics_one(s->http, "hookswitch_deliveries_pending") > 0) {
        if (clock_mono_us() > until)
            return false;
        usleep(10000);
    }
    return true;
}

static void print_cpu(const struct stage *s, double n, double signing, double generator_us,
                      double receiver_us)
{
    const struct meter *m = &s->meter;
    double all = meter_cpu_us(m, ""), store = meter_cpu_us(m, "writer");
    double courier = meter_cpu_us(m, "courier"), reader = meter_cpu_us(m, "reader");
    double ingest = all - store - courier - reader;
    say("CPU us per delivery",
        "%.1f: store %.1f, sign %.1f, client %.1f, ingest %.1f, readers %.1f", all / n, store / n,
        signing, courier / n - signing, ingest / n, reader / n);
    say("  beside it, of this benchmark", "generator %.1f, receiver %.1f", generator_us / n,
        receiver_us / n);
    meter_say_cores(m, generator_us + receiver_us);
}

static void print_commits(const struct stage *s)
{
    meter_say_commits(&s->meter);
    double old =
        meter_counted(&s->meter, "hookswitch_http_client_connections_total{reused=\"true\"}");
    double new =
        meter_counted(&s->meter, "hookswitch_http_client_connections_total{reused=\"false\"}");
    say("requests over a connection that was there", "%.3f %% (%.0f connections made)",
        old + new > 0 ? 100 * old / (old + new) : 0, new);
}

/* Runs as fast as it goes. Returns the rate in deliveries a second. */
static double run_closed(struct stage *s, int64_t run_us, size_t undelivered, double bar)
{
    struct load_result r;
    struct load load = {.tenants = &s->tenants,
                        .ledger = &s->ledger,
                        .connections = 2,
                        .group = GROUP,
                        .undelivered_max = undelivered,
                        .run_us = run_us};
    double receiver = receiver_cpu_us(s->receiver);
    size_t first = s->ledger.calls;
    meter_begin(&s->meter);
    int64_t start = clock_mono_us();
    load_run(&load, &r);
    bool settled = wait_settled(s);
    double took = (double)(clock_mono_us() - start) / 1e6;
    meter_end(&s->meter);
    double n = (double)(s->ledger.calls - first) * CALL_EVENTS * s->ledger.width;
    say_at_least("durable deliveries/s, sustained", n / took, bar, "/s");
    say("", "%.0f deliveries of %zu events in %.1f s, at most %zu undelivered%s", n, r.events, took,
        undelivered, settled ? "" : "; NOT SETTLED");
    (void)ledger_say(&s->ledger, first);
    s->cpu_us_each = meter_cpu_us(&s->meter, "") / n;
    print_cpu(s, n, signing_us(), r.cpu_us, receiver_cpu_us(s->receiver) - receiver);
    print_commits(s);
    say("ingest: 202 after", "p50 %.1f ms, p99 %.1f ms; refused and sent again: %zu",
        quantile(r.answer_us, r.n_answers, 0.5) / 1e3,
        quantile(r.answer_us, r.n_answers, 0.99) / 1e3, r.refused);
    free(r.answer_us);
    return n / took;
}

/* Runs at a fixed rate, in requests of about twelve deliveries. Measures the time from the event
 * to its request. */
static void run_open(struct stage *s, double deliveries_per_sec, int64_t run_us)
{
    struct load_result r;
    struct histogram own;
    uint32_t *late;
    unsigned width = s->ledger.width;
    struct load load = {.tenants = &s->tenants,
                        .ledger = &s->ledger,
                        .connections = 8,
                        .group = width >= 4 ? 1 : 4 / width,
                        .events_per_sec = deliveries_per_sec / width,
                        .run_us = run_us};
    size_t first = s->ledger.calls;
    meter_begin(&s->meter);
    load_run(&load, &r);
    (void)wait_settled(s);
    meter_end(&s->meter);
    size_t n = ledger_latencies(&s->ledger, first, NULL, &late);
    say("in open loop", "%.0f deliveries/s, %u in a request of %u events", deliveries_per_sec,
        load.group * CALL_EVENTS * width, load.group * CALL_EVENTS);
    say_at_most("event to request at the receiver, p50", quantile(late, n, 0.5) / 1e3, 2, "ms");
    say_at_most("event to request at the receiver, p99", quantile(late, n, 0.99) / 1e3, 15, "ms");
    meter_histogram(&s->meter, "hookswitch_event_to_request_seconds", &own);
    say("by the daemon's own histogram", "p50 %.2f ms, p99 %.2f ms",
        histogram_quantile(&own, 0.5) * 1e3, histogram_quantile(&own, 0.99) * 1e3);
    say("ingest: 202 after", "p50 %.2f ms, p99 %.2f ms; found no free connection: %zu of %zu",
        quantile(r.answer_us, r.n_answers, 0.5) / 1e3,
        quantile(r.answer_us, r.n_answers, 0.99) / 1e3, r.late, r.n_answers);
    (void)ledger_say(&s->ledger, first);
    free(late);
    free(r.answer_us);
}

static int run_load(char **argv)
{
    struct stage s;
    double bar = (double)arg_int(argv, "bar", 20000);
    int64_t seconds = arg_int(argv, "seconds", 60), half = arg_int(argv, "half_seconds", 10);
    stage_open(&s, argv);
    struct load_result warm;
    struct load warm_up = {.tenants = &s.tenants,
                           .ledger = &s.ledger,
                           .connections = 2,
                           .group = GROUP,
                           .undelivered_max = UNDELIVERED,
                           .run_us = 1000000};
    load_run(&warm_up, &warm); /* connections, caches */
    free(warm.answer_us);
    (void)wait_settled(&s);
    double rate =
        run_closed(&s, seconds * 1000000, (size_t)arg_int(argv, "undelivered", UNDELIVERED), bar);
    if (half)
        run_open(&s, (double)arg_int(argv, "open_rate", (int64_t)(rate / 2)), half * 1000000);
    FILE *f = fopen(arg_text(argv, "rate_file", "/dev/null"), "w"); /* for a ratio later */
    if (f && fprintf(f, "%.0f %.1f\n", rate, s.cpu_us_each) > 0)
        fclose(f);
    stage_close(&s);
    return 0;
}

static int run_ceiling(char **argv)
{
    struct ceiling c;
    struct ledger none;
    const char *cert = arg_text(argv, "cert", NULL);
    int hook = (int)arg_int(argv, "hook", 7190);
    ledger_init(&none, 1, 1, true, 1);
    struct receiver_config rc = {hook, 0, cert, on_post_received, &none};
    struct receiver *r = receiver_start(&rc);
    ceiling_run(hook, cert != NULL, (unsigned)arg_int(argv, "connections", 64),
                (double)arg_int(argv, "seconds", 5), &c);
    say(cert ? "ceiling over TLS" : "ceiling", "%.0f requests/s, %.1f us of CPU each in the client",
        c.per_sec, c.cpu_us_each);
    receiver_stop(r);
    ledger_fini(&none);
    return 0;
}

/* Measures the sync that a commit waits for: 4 KiB written behind one another, each on the disk
 * before the next. */
static int run_disk(char **argv)
{
    enum { TIMES = 300 };
    static char page[4096];
    uint32_t us[TIMES];
    char path[512];
    snprintf(path, sizeof path, "%s/disk", arg_text(argv, "dir", "."));
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    for (int i = 0; i < TIMES; i++) {
        int64_t from = clock_mono_us();
        if (write(fd, page, sizeof page) != sizeof page || fdatasync(fd) != 0)
            perror(path);
        us[i] = (uint32_t)(clock_mono_us() - from);
    }
    close(fd);
    unlink(path);
    sort_u32(us, TIMES);
    say("the disk: 4 KiB and fdatasync", "p50 %.2f ms, p99 %.2f ms", quantile(us, TIMES, 0.5) / 1e3,
        quantile(us, TIMES, 0.99) / 1e3);
    return 0;
}

/* Measures the memory of deliveries to a port where nobody listens. */
static void fill_endpoints(const struct tenants *t, struct ledger *l, size_t events)
{
    struct load_result r;
    struct load load = {
        .tenants = t, .ledger = l, .connections = 2, .group = GROUP, .calls = events / CALL_EVENTS};
    load_run(&load, &r);
    free(r.answer_us);
}

static int run_memory(char **argv)
{
    struct ledger l;
    struct tenants t;
    int pid = (int)arg_int(argv, "pid", 0), http = (int)arg_int(argv, "http", 7180);
    size_t n = (size_t)arg_int(argv, "n", 200000), warm = 21000;
    ledger_init(&l, 1, 1, true, CALLS_MAX);
    tenants_make(&t, &l, http, 0, arg_text(argv, "key", "hsk_bench"));
    struct endpoint_make m = {0, 0, "http://127.0.0.1:7199/h/0", 0, NULL}; /* nobody is there */
    tenants_endpoint(&t, &l, &m, NULL);
    fill_endpoints(&t, &l,
                   warm); /* page cache and free lists, which the daemon keeps in any case */
    usleep(1500000);
    long before = resident_kb(pid);
    fill_endpoints(&t, &l, n);
    usleep(2500000);
    long after = resident_kb(pid);
    double pending = metrics_one(http, "hookswitch_deliveries_pending");
    say_at_most("bytes resident per pending delivery", (double)(after - before) * 1024 / (double)n,
                200, "bytes");
    say("", "%ld KB with %zu pending, %ld KB with %.0f", before, warm, after, pending);
    ledger_fini(&l);
    return 0;
}

/* Runs a receiver for the deliveries of another server; prints their count when it is told to end.
 */
static int run_receive(char **argv)
{
    struct ledger l;
    sigset_t end;
    int which;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &end, NULL); /* before the thread of the receiver starts */
    ledger_init(&l, 1, 1, true, CALLS_MAX);
    struct receiver_config rc = {(int)arg_int(argv, "hook", 7190), 0, NULL, on_post_received, &l};
    struct receiver *r = receiver_start(&rc);
    sigwait(&end, &which);
    say("at the receiver", "%zu different deliveries, %zu repeated, %zu before their call's last",
        (size_t)l.arrived, (size_t)l.repeated, (size_t)l.out_of_order);
    receiver_stop(r);
    ledger_fini(&l);
    return 0;
}

/* Sends the same load as ours, all endpoints of an account, to another server. */
static int run_foreign(char **argv)
{
    struct stage s = {.http = (int)arg_int(argv, "http", 7180)};
    struct load_result r;
    unsigned accounts = (unsigned)arg_int(argv, "accounts", 4);
    unsigned endpoints = (unsigned)arg_int(argv, "endpoints", 4);
    ledger_init(&s.ledger, accounts, endpoints, true, CALLS_MAX);
    s.tenants = (struct tenants){.port = s.http, .n = accounts};
    for (unsigned i = 0; i < accounts; i++)
        snprintf(s.tenants.key[i], KEY_SIZE, "%u", i);
    struct receiver_config rc = {(int)arg_int(argv, "hook", 7190), accounts * endpoints, NULL,
                                 on_post_received, &s.ledger};
    s.receiver = receiver_start(&rc);
    struct load load = {.tenants = &s.tenants,
                        .ledger = &s.ledger,
                        .connections = 2,
                        .group = GROUP,
                        .undelivered_max = UNDELIVERED,
                        .run_us = arg_int(argv, "seconds", 8) * 1000000};
    int64_t start = clock_mono_us();
    load_run(&load, &r);
    size_t n = s.ledger.calls * CALL_EVENTS * s.ledger.width;
    while (s.ledger.arrived < n && clock_mono_us() - start < load.run_us + SETTLE_US)
        usleep(5000);
    double took = (double)(clock_mono_us() - start) / 1e6;
    (void)ledger_say(&s.ledger, 0);
    FILE *f = fopen(arg_text(argv, "rate_file", "/dev/null"), "w");
    if (f && fprintf(f, "%.0f %zu\n", (double)n / took, n) > 0)
        fclose(f);
    free(r.answer_us);
    receiver_stop(s.receiver);
    ledger_fini(&s.ledger);
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    if (crypto_start() != OK)
        return 1;
    if (!strcmp(what, "load"))
        return run_load(argv);
    if (!strcmp(what, "ceiling"))
        return run_ceiling(argv);
    if (!strcmp(what, "disk"))
        return run_disk(argv);
    if (!strcmp(what, "memory"))
        return run_memory(argv);
    if (!strcmp(what, "foreign"))
        return run_foreign(argv);
    if (!strcmp(what, "receive"))
        return run_receive(argv);
    fprintf(stderr, "see bench/delivery.sh\n");
    return 2;
}
