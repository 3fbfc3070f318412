/* backlog: measures what a million pending deliveries cost the others, for `./dev bench backlog`.
 *
 *   bench_backlog fill  pid= http= n=           n deliveries to a port where nobody listens
 *   bench_backlog ready pid= http=              time until /readyz says 200, and memory then
 *   bench_backlog live  http= hook= from= seconds= [out=FILE]
 *                                               a healthy endpoint of a new account
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "figures.h"
#include "generator.h"
#include "receiver.h"

enum {
    CALLS_MAX = 2000000,
    GROUP = 33,
    LIVE_EVENTS_PER_SEC = 2000,
    READY_MAX_US = 120000000,
    SETTLE_MAX_US = 60000000,
    STEADY_US = 3000000, /* so long without growth: it is settled */
};

static struct ledger ledger;
static struct tenants tenants;

static int on_post_received(void *arg, unsigned endpoint, struct str id, int64_t now_us)
{
    (void)ledger_arrived(&ledger, endpoint, id, now_us);
    return 200;
}

static void account_open(int http, unsigned from, const char *url)
{
    struct endpoint_make m = {0, 0, url, 64, NULL};
    ledger_init(&ledger, 1, 1, true, CALLS_MAX);
    tenants_make(&tenants, &ledger, http, from, "hsk_bench");
    tenants_endpoint(&tenants, &ledger, &m, NULL);
}

static int run_fill(char **argv)
{
    struct load_result r;
    int pid = (int)arg_int(argv, "pid", 0), http = (int)arg_int(argv, "http", 7182);
    size_t n = (size_t)arg_int(argv, "n", 1000000);
    account_open(http, 0, "http://127.0.0.1:7199/h/0");
    struct load load = {.tenants = &tenants,
                        .ledger = &ledger,
                        .connections = 8,
                        .group = GROUP,
                        .calls = (n + CALL_EVENTS - 1) / CALL_EVENTS};
    load_run(&load, &r);
    say("taken in", "%zu events in %.1f s, %.0f/s; %.0f pending; %ld MiB resident", r.events,
        (double)r.took_us / 1e6, (double)r.events * 1e6 / (double)r.took_us,
        metrics_one(http, "hookswitch_deliveries_pending"), resident_kb(pid) / 1024);
    free(r.answer_us);
    ledger_fini(&ledger);
    return 0;
}

/* Returns the most resident memory, when it has not grown for a while. */
static long memory_settled_kb(int pid)
{
    long most = 0;
    int64_t start = clock_mono_us(), grew = start;
    while (clock_mono_us() - grew < STEADY_US && clock_mono_us() - start < SETTLE_MAX_US) {
        long kb = resident_kb(pid);
        if (kb > most + 256) {
            most = kb;
            grew = clock_mono_us();
        }
        usleep(50000);
    }
    return most;
}

static int run_ready(char **argv)
{
    int pid = (int)arg_int(argv, "pid", 0), http = (int)arg_int(argv, "http", 7182);
    int64_t start = clock_mono_us();
    while (api_call(http, "GET", "/readyz", NULL, NULL, NULL) != 200) {
        if (clock_mono_us() - start > READY_MAX_US || resident_kb(pid) < 0) {
            fprintf(stderr, "never ready\n");
            return 1;
        }
        usleep(1000);
    }
    say_at_most("ready again after kill -9", (double)(clock_mono_us() - start) / 1e6, 2, "s");
    long kb = memory_settled_kb(pid);
    say_at_most("resident when settled, at most", (double)kb / 1024, 256, "MiB");
    say("pending after the restart", "%.0f", metrics_one(http, "hookswitch_deliveries_pending"));
    return 0;
}

static int run_live(char **argv)
{
    struct load_result r;
    uint32_t *late;
    int hook = (int)arg_int(argv, "hook", 7190), http = (int)arg_int(argv, "http", 7182);
    int64_t run_us = arg_int(argv, "seconds", 4) * 1000000;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/h/0", hook);
    account_open(http, (unsigned)arg_int(argv, "from", 1), url);
    struct receiver_config rc = {hook, 0, NULL, on_post_received, NULL};
    struct receiver *receiver = receiver_start(&rc);
    struct load load = {.tenants = &tenants,
                        .ledger = &ledger,
                        .connections = 8,
                        .group = GROUP,
                        .undelivered_max = 10000,
                        .run_us = run_us};
    load_run(&load, &r);
    double rate = (double)r.events * 1e6 / (double)r.took_us;
    double answer_p99 = quantile(r.answer_us, r.n_answers, 0.99) / 1e3;
    free(r.answer_us);
    for (int i = 0; i < 2000 && ledger_missing(&ledger, 0, NULL); i++)
        usleep(10000);
    size_t first = ledger.calls;
    load.group = 2;
    load.events_per_sec = LIVE_EVENTS_PER_SEC;
    load_run(&load, &r);
    free(r.answer_us);
    for (int i = 0; i < 2000 && ledger_missing(&ledger, first, NULL); i++)
        usleep(10000);
    size_t n = ledger_latencies(&ledger, first, NULL, &late);
    double p99 = quantile(late, n, 0.99) / 1e3, p50 = quantile(late, n, 0.5) / 1e3;
    say(arg_text(argv, "name", "live"),
        "%.0f events/s taken in (202 p99 %.1f ms); at %d/s: event to request p50 %.2f, p99 %.2f ms",
        rate, answer_p99, LIVE_EVENTS_PER_SEC, p50, p99);
    if (ledger_missing(&ledger, 0, NULL))
        (void)ledger_say(&ledger, 0);
    FILE *f = fopen(arg_text(argv, "out", "/dev/null"), "a");
    if (f && fprintf(f, "%.1f %.3f %.3f\n", rate, p50, p99) > 0)
        fclose(f);
    receiver_stop(receiver);
    free(late);
    ledger_fini(&ledger);
    return 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && !strcmp(argv[1], "fill"))
        return run_fill(argv);
    if (argc > 1 && !strcmp(argv[1], "ready"))
        return run_ready(argv);
    if (argc > 1 && !strcmp(argv[1], "live"))
        return run_live(argv);
    fprintf(stderr, "see bench/backlog.sh\n");
    return 2;
}
